"""Values of Arrow as text: the same as levels of a category and as cells that go along with predictions.

No value goes through Python's dates, which begin in the year 1 and end in 9999.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["knows_zone", "plain", "spelt_values"]

#: Ticks of a second.
_TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

#: Seconds since 1970 in which zones are asked for their offsets, the years 1 to 9999; what is beyond has the nearest.
_FIRST, _LAST = -62_135_596_800, 253_402_300_799

#: What pyarrow calls universal time itself, which needs no table of zones.
_UTC = "UTC"


def plain(array: Any) -> Any:  # noqa: ANN401  (pyarrow ships no types)
    """An array of values in a type with which Arrow can do everything: no codes, short decimals or half floats."""
    import pyarrow as pa  # noqa: PLC0415

    kind = array.type
    if pa.types.is_dictionary(kind):
        return plain(array.cast(kind.value_type))
    if pa.types.is_float16(kind):  # of an array in several chunks Arrow would take the bits for integers
        return array.cast(pa.float32())
    if pa.types.is_decimal(kind) and kind.bit_width < 128:
        return array.cast(pa.decimal128(kind.precision, kind.scale))
    if pa.types.is_date64(kind):
        return array.cast(pa.date32(), safe=False)
    return array


def knows_zone(kind: Any) -> bool:  # noqa: ANN401
    """Whether the offsets of a type's time zone are known, if it has one."""
    import pyarrow as pa  # noqa: PLC0415

    if not pa.types.is_timestamp(kind):
        return True
    try:
        _offsets(np.zeros(1, dtype=np.int64), kind.tz)
    except pa.ArrowInvalid:
        return False
    return True


def spelt_values(array: Any) -> list[str | None]:  # noqa: ANN401
    """The values of an array in one piece: numbers and booleans as Python writes them, dates and times as ISO 8601.

    Moments with a time zone are written in it, with their offset, Z where that is zero. None where a value is missing.
    """
    import pyarrow as pa  # noqa: PLC0415

    array, is_ = plain(array), pa.types
    kind = array.type
    if is_.is_date(kind):
        days = array.cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False)
        return _known(array, np.datetime_as_string(days.astype("M8[D]")).tolist())
    if is_.is_timestamp(kind):
        return _known(array, _moments(array))
    if is_.is_time(kind):
        times = array.cast(pa.string()).to_pylist()
        return [None if time is None else _without_zeros(time) for time in times]
    return [None if value is None else str(value) for value in array.to_pylist()]


def _known(array: Any, texts: Iterable[str]) -> list[str | None]:  # noqa: ANN401
    """Texts of the values that are there."""
    return [text if there else None for text, there in zip(texts, array.is_valid().to_pylist(), strict=True)]


def _without_zeros(time: str) -> str:
    """A time without the fraction of a whole second, as Python writes it."""
    whole, _, fraction = time.partition(".")
    return time if fraction.strip("0") else whole


# -- moments ---------------------------------------------------------------------------------------------------------


def _seconds(array: Any) -> tuple[NDArray[np.int64], list[str]]:  # noqa: ANN401
    """Whole seconds of timestamps or durations, and what is left of each, as digits behind a point."""
    import pyarrow as pa  # noqa: PLC0415

    ticks = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    per = _TICKS[array.type.unit]
    digits = len(str(per)) - 1
    seconds, rest = np.divmod(ticks, per)
    return seconds, [f".{part:0{digits}d}" if part else "" for part in rest.tolist()]


def _moments(array: Any) -> list[str]:  # noqa: ANN401
    seconds, fractions = _seconds(array)
    zone = array.type.tz if knows_zone(array.type) else _UTC
    offsets = _offsets(seconds, zone)
    names = {offset: _zone(offset) if zone else "" for offset in set(offsets.tolist())}
    clocks = np.datetime_as_string((seconds + offsets).astype("M8[s]")).tolist()
    parts = zip(clocks, fractions, offsets.tolist(), strict=True)
    return [clock + fraction + names[offset] for clock, fraction, offset in parts]


def _offsets(seconds: NDArray[np.int64], zone: str | None) -> NDArray[np.int64]:
    """How many seconds the clocks of a zone are ahead at moments (n,)."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    if not zone or zone == _UTC:
        return np.zeros(seconds.size, dtype=np.int64)
    near = np.clip(seconds, _FIRST, _LAST)
    local = pc.local_timestamp(pa.array(near).cast(pa.timestamp("s", zone)))
    ahead: NDArray[np.int64] = local.cast(pa.int64()).to_numpy(zero_copy_only=False) - near
    return ahead


def _zone(offset: int) -> str:
    """An offset as ISO 8601 has it; seconds only where it has some, as before there were zones."""
    minutes, seconds = divmod(abs(offset), 60)
    text = f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}" + (
        f":{seconds:02d}" if seconds else ""
    )
    return text if offset else "Z"
