# SPDX-License-Identifier: LGPL-2.1-or-later
"""BProc: processes of the master that run on nodes. See bproc(7) and bproc-python(7).

    import bproc, os

    pid = bproc.rfork(0)
    if pid == 0:
        print("hello from node", bproc.currnode(), flush=True)
        os._exit(0)
    os.waitpid(pid, 0)

    with bproc.get_context().Pool() as pool:        # a worker on each node that is up
        print(pool.map(len, ["a", "bb", "ccc"]))
"""

from bproc._cluster import (ANY, BE_INVALIDNODE, BE_INVALIDPROC, BE_NODEDOWN, BE_SAMENODE,
                            BE_SLAVEDIED, MASTER, NONE, SELF, STATES, Node, Process, access,
                            currnode, nodes, nodestatus, notifier, numnodes, pidnode, processes,
                            version)
from bproc._lib import BprocError, strerror
from bproc._process import execmove, move, rexec, rfork

DUMP_LIBS = 1
DUMP_EXEC = 2
DUMP_OTHER = 4
DUMP_ALL = 7
IO_SEND_INFO = 0x10
IO_STDIN = 0x20
RFORK_LAZY = 0x40

__all__ = [
    "ANY", "BE_INVALIDNODE", "BE_INVALIDPROC", "BE_NODEDOWN", "BE_SAMENODE", "BE_SLAVEDIED",
    "BprocError", "DUMP_ALL", "DUMP_EXEC", "DUMP_LIBS", "DUMP_OTHER", "IO_SEND_INFO",
    "IO_STDIN", "MASTER", "NONE", "Node", "Process", "RFORK_LAZY", "SELF", "STATES", "access",
    "currnode", "execmove", "get_context", "move", "nodes", "nodestatus", "notifier",
    "numnodes", "pidnode", "processes", "rexec", "rfork", "strerror", "version",
]


def get_context(nodes=None):
    """A multiprocessing context whose processes and pools run on `nodes` (None: all that are up)."""
    from bproc._context import Context
    return Context(nodes)
