"""What a language has no form for, where others have one."""

from regcli.errors import UsageError

__all__ = ["refusal"]

#: The languages, as ``--to`` has them.
_TARGETS = ("sql", "python", "c", "onnx", "pmml", "json")


def refusal(what: str, target: str) -> UsageError:
    """The error that says what cannot be written, and which languages can."""
    others = [name for name in _TARGETS if name != target]
    return UsageError("not-exportable", what, hint=f"--to {', '.join(others[:-1])} or {others[-1]} can")
