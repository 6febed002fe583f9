"""What the runner of GitHub Actions takes for a workflow command, wherever a step prints it.

It reads standard output and standard error line by line. After blanks ``::name::`` or ``::name key=value::`` at the
beginning of a line is a command, and ``##[name]`` anywhere in it, where the name is one it knows, in any case of its
letters (``ActionCommand`` and ``ActionCommandManager`` of actions/runner). ``##[`` with other names is markup of logs.
"""

import re

__all__ = ["COMMAND", "commands_in"]

#: The names of its commands.
_NAMES = (
    "add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|internal-set-repo-path|notice|remove-matcher|"
    "save-state|set-env|set-output|stop-commands|warning"
)

#: What begins a command, wherever it stands.
COMMAND = re.compile(rf"#(?=#\[)|:(?=:(?:{_NAMES})(?:[ :]|$))", re.IGNORECASE)

#: A whole command in some lines. Text, as only those who ask need it compiled.
_IN_LINE = rf"(?:^|[\r\n])\s*::(?:{_NAMES})(?: [^\r\n]*?)?::|##\[(?:{_NAMES})(?: [^\]\r\n]*)?\]"


def commands_in(text: str) -> bool:
    """Whether the runner would find a command in these lines."""
    return ("::" in text or "##[" in text) and re.search(_IN_LINE, text, re.IGNORECASE) is not None
