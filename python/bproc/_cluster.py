# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is known of nodes and of the processes on them."""

import collections
import ctypes
import socket

from bproc import _lib

MASTER = -1
SELF = -2
NONE = -3
ANY = -4

BE_INVALIDNODE = 300
BE_NODEDOWN = 301
BE_SAMENODE = 302
BE_SLAVEDIED = 303
BE_INVALIDPROC = 304

STATES = ("down", "unavailable", "error", "up", "reboot", "halt", "pwroff", "boot")

Node = collections.namedtuple("Node", "number state mode uid gid address")
Node.__doc__ = "A node: number, state as a word, permission bits, owner, group, IPv4 address or None"

Process = collections.namedtuple("Process", "pid node")


def _state(status):
    return STATES[status] if 0 <= status < len(STATES) else str(status)


def _node(info):
    address = socket.inet_ntoa(info.addr.to_bytes(4, "little")) if info.addr else None
    return Node(info.node, _state(info.status), info.mode, info.uid, info.gid, address)


def nodes(state=None):
    """All nodes in ascending order, or those in `state` ("up"); ValueError if that is no state."""
    if state is not None and state not in STATES:
        raise ValueError(f"{state!r} is no state: {', '.join(STATES)}")
    found = _lib.array("bproc_nodelist", "list the nodes", _lib.NodeInfo)
    every = [_node(info) for info in found]
    return [node for node in every if state in (None, node.state)]


def no_node():
    """The exception for a cluster in which nothing can be started."""
    return _lib.BprocError(BE_NODEDOWN, "cannot choose a node: none is up that this user may use")


def numnodes():
    """How many nodes are configured, the master not counted."""
    return _lib.call("bproc_numnodes", "count the nodes")


def currnode():
    """The node this process runs on; MASTER on the master."""
    return _lib.lookup("bproc_currnode", "tell the node", NONE)


def nodestatus(node):
    """The state of a node as a word."""
    return _state(_lib.call("bproc_nodestatus", f"tell the state of node {node}", node))


def access(node):
    """Whether this user may send processes to the node."""
    try:
        _lib.call("bproc_access", f"ask for access to node {node}", node, 1)
    except PermissionError:
        return False
    return True


def notifier():
    """A descriptor that is readable after each change of a node; read() acknowledges; close it."""
    return _lib.call("bproc_notifier", "watch the nodes")


def pidnode(pid):
    """The node a process runs on, None if it is on the master or not BProc's."""
    node = _lib.lookup("bproc_pidnode", f"find process {pid}", NONE, pid)
    return None if node == NONE else node


def processes(node=ANY):
    """The processes on a node, or on all."""
    found = _lib.array("bproc_proclist", "list the processes", _lib.ProcInfo, node)
    return [Process(info.pid, info.node) for info in found]


def version():
    """The release of the running daemon."""
    info = _lib.Version()
    _lib.call("bproc_version", "tell the version", ctypes.byref(info))
    return info.version.decode()
