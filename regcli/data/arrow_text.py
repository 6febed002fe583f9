"""Values of Arrow as text: the same as levels of a category and as cells that go along with predictions.

No value goes through Python's dates, which begin in the year 1 and end in 9999.
"""

import json
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

#: Bytes that have a spelling of their own.
_UUID = "arrow.uuid"


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

    Moments with a time zone are written in it, with their offset, Z where that is zero. Lists and structs are JSON,
    bytes hexadecimal digits. None where a value is missing.
    """
    import pyarrow as pa  # noqa: PLC0415

    array, is_ = _bare(array), pa.types
    kind = array.type
    if is_.is_date(kind):
        days = array.cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False)
        return _known(array, np.datetime_as_string(days.astype("M8[D]")).tolist())
    if is_.is_timestamp(kind):
        return _known(array, _moments(array))
    if is_.is_duration(kind):
        return _known(array, _durations(array))
    if is_.is_time(kind):
        times = array.cast(pa.string()).to_pylist()
        return [None if time is None else _without_zeros(time) for time in times]
    if is_.is_nested(kind):
        return _known(array, _json(array))
    values = array.to_pylist()
    return [None if value is None else value.hex() if isinstance(value, bytes) else str(value) for value in values]


def _bare(array: Any) -> Any:  # noqa: ANN401
    """The same in a plain type: values that runs or a type of somebody's own stand for."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    kind = array.type
    if pa.types.is_run_end_encoded(kind):
        return _bare(pc.run_end_decode(array))
    if isinstance(kind, pa.BaseExtensionType) and kind.extension_name != _UUID:
        return _bare(array.storage)
    return plain(array)


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


def _durations(array: Any) -> list[str]:  # noqa: ANN401
    """Durations as ISO 8601 has them, in seconds."""
    import pyarrow as pa  # noqa: PLC0415

    per = _TICKS[array.type.unit]
    out = []
    for ticks in array.cast(pa.int64()).fill_null(0).to_pylist():
        seconds, rest = divmod(abs(ticks), per)
        fraction = f".{rest:0{len(str(per)) - 1}d}" if rest else ""
        out.append(f"{'-' if ticks < 0 else ''}PT{seconds}{fraction}S")
    return out


# -- lists and structs -----------------------------------------------------------------------------------------------


def _json(array: Any) -> list[str]:  # noqa: ANN401
    """Values as JSON, spelt as cells of JSON Lines are; null where one is missing."""
    import pyarrow as pa  # noqa: PLC0415

    array, is_ = _bare(array), pa.types
    kind = array.type
    if is_.is_struct(kind):
        return _json_structs(array)
    if is_.is_map(kind):
        return _json_maps(array)
    if is_.is_nested(kind) and not is_.is_union(kind):
        return _json_lists(array)
    if is_.is_boolean(kind) or is_.is_floating(kind) or is_.is_null(kind):
        return [json.dumps(value) for value in array.to_pylist()]
    if is_.is_integer(kind) or is_.is_decimal(kind):
        return ["null" if value is None else str(value) for value in array.to_pylist()]
    texts = list(map(str, array.to_pylist())) if is_.is_union(kind) else spelt_values(array)
    return ["null" if text is None else json.dumps(text, ensure_ascii=False) for text in texts]


def _json_structs(array: Any) -> list[str]:  # noqa: ANN401
    names = [json.dumps(field.name, ensure_ascii=False) for field in array.type]
    columns = [_json(column) for column in array.flatten()]
    return [
        "{" + ", ".join(f"{name}: {column[row]}" for name, column in zip(names, columns, strict=True)) + "}"
        if there
        else "null"
        for row, there in enumerate(array.is_valid().to_pylist())
    ]


def _json_maps(array: Any) -> list[str]:  # noqa: ANN401
    """Maps as objects, whose keys are text."""
    import pyarrow as pa  # noqa: PLC0415

    kind = array.type
    pairs = array.cast(pa.list_(pa.struct([pa.field("key", kind.key_type, nullable=False), kind.item_field])))
    keys, values = pairs.flatten().flatten()
    names = [json.dumps(key, ensure_ascii=False) for key in spelt_values(keys)]
    return _runs([f"{name}: {value}" for name, value in zip(names, _json(values), strict=True)], pairs, "{}")


def _json_lists(array: Any) -> list[str]:  # noqa: ANN401
    return _runs(_json(array.flatten()), array, "[]")


def _runs(parts: list[str], lists: Any, marks: str) -> list[str]:  # noqa: ANN401
    """Parts of lists, one list after the other, put between two marks."""
    import pyarrow.compute as pc  # noqa: PLC0415

    rest, out = iter(parts), list[str]()
    for length in pc.list_value_length(lists).to_pylist():
        some = [next(rest) for _ in range(length or 0)]
        out.append("null" if length is None else marks[0] + ", ".join(some) + marks[1])
    return out
