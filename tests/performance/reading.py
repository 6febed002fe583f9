"""One process that reads and encodes a table, or fits it as well, and tells its peak above the interpreter's own."""

import json
import sys
from pathlib import Path

from regcli.app.context import RunContext
from regcli.app.fit import fit
from regcli.app.options import Data, FitRequest, Model, Run
from regcli.app.prepare import prepare
from regcli.data.read import Dialect, read_table


def memory(word: str) -> int:
    """Bytes that the kernel has for this process: ``VmRSS`` now, ``VmHWM`` at the peak."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(word))


def main(path: str, small: str, *options: str) -> None:
    """Read a small table for the sake of what is imported on the way, then the one that counts."""
    requests = [
        FitRequest(
            data=Data(data=(name,), target="y", missing=("mean",)), model=Model(family="gaussian"), run=Run(jobs=2)
        )
        for name in (small, path)
    ]
    prepare(requests[0], RunContext(jobs=2), unpenalised=False, seed=0)
    fit(requests[0], RunContext(jobs=2))
    before = memory("VmRSS")
    kept = read_table([path], Dialect(), threads=2) if "--copies" in options else None
    if "--fit" in options:
        fit(requests[1], RunContext(jobs=2))
        peak = memory("VmHWM") - before
        rows, columns = prepare(requests[1], RunContext(jobs=2), unpenalised=False, seed=0).X.shape
    else:
        rows, columns = prepare(requests[1], RunContext(jobs=2), unpenalised=False, seed=0).X.shape
        peak = memory("VmHWM") - before
    print(json.dumps({"peak": peak, "rows": rows, "columns": columns, "kept": kept is not None}))  # noqa: T201  (its output)


if __name__ == "__main__":
    main(*sys.argv[1:])
