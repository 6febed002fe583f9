"""Types of Arrow, as far as values become text."""

from typing import Any

__all__ = ["plain"]


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
