"""One module a tool; each has a ``PEER``, and needs its package only when it is called."""

from importlib import import_module

from benchmarks.peer import Peer

__all__ = ["MODULES", "PEERS", "find_peer"]

#: Modules by the names of the tools, in the order of the report. glmnet runs in R, see ``glmnet.R``.
MODULES = {
    "regcli": "ours",
    "regcli-stopped": "ours",
    "regcli-as-given": "ours",
    "glmnet": "",
    "scikit-learn": "scikit",
    "scikit-learn-ridge": "scikit",
    "celer": "celer",
    "skglm": "skglm",
    "adelie": "adelie",
    "adelie-cov": "adelie",
    "glum": "glum",
}

#: Those that are timed. ``regcli-as-given`` is what the curves of tools that do not standardize are compared with.
PEERS = tuple(name for name in MODULES if name != "regcli-as-given")


def find_peer(name: str) -> Peer:
    """The peer of a name, one that runs in Python."""
    module = import_module(f"benchmarks.peers.{MODULES[name]}")
    peers: dict[str, Peer] = module.PEERS
    return peers[name]
