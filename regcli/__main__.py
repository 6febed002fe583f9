"""The entry point: ``regcli`` and ``python -m regcli``."""

import contextlib
import os
import sys

from regcli import __version__

__all__ = ["main"]

#: Every BLAS and OpenMP a wheel may carry. One thread each: the blocks regcli multiplies are small enough that a
#: second thread costs more than it brings, the folds already run in parallel, and the last digits of a product would
#: depend on the number of threads.
_THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def main() -> None:
    """Run the command line and leave with its status."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        with contextlib.suppress(OSError):  # closed or full: the boundary below says so properly
            os.write(1, f"regcli {__version__}\n".encode())
            sys.exit(0)
    shell = os.environ.get("_REGCLI_COMPLETE", "").removeprefix("complete_")
    if shell in ("bash", "zsh", "fish"):
        from regcli.cli.complete import answer

        sys.exit(answer(shell, os.environ))
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        from regcli.cli.boundary import run

        status = run(sys.argv[1:])
    except (KeyboardInterrupt, RuntimeError) as error:  # while modules load; the boundary knows it later
        if not isinstance(error.__cause__ or error, KeyboardInterrupt):
            raise
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    main()
