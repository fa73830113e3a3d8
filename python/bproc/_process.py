# SPDX-License-Identifier: LGPL-2.1-or-later
"""This process, or a child of it, goes to a node.

rfork() is os.fork() in all that concerns the interpreter: its locks are taken before and put right
on both sides after, and what os.register_at_fork() was given runs in parent and child.
"""

import ctypes
import os
import sys
import threading

from bproc import _lib

_python = ctypes.pythonapi


def _forking(name, what, *arguments):
    sys.audit("bproc." + name, *arguments)
    _python.PyOS_BeforeFork()
    pid = -1
    try:
        pid = _lib.call(name, what, *arguments)
    finally:
        if pid == 0:
            _python.PyOS_AfterFork_Child()
        else:
            _python.PyOS_AfterFork_Parent()
    return pid


def rfork(node, flags=None):
    """os.fork() with the child on `node`: its pid here, 0 there. OSError: there is no child.

    `flags` is an OR of the DUMP_ and IO_ constants; None lets the library choose.
    """
    what = f"fork onto node {node}"
    if flags is None:
        return _forking("bproc_rfork", what, node)
    return _forking("_bproc_rfork", what, node, flags)


def move(node, flags=None):
    """This process goes to `node`. It must have one thread. OSError: it stays as it was."""
    sys.audit("bproc.move", node, flags)
    if threading.active_count() > 1:
        raise RuntimeError(f"cannot move to node {node}: there are other threads, which would stay")
    what = f"move to node {node}"
    if flags is None:
        _lib.call("bproc_move", what, node)
    else:
        _lib.call("_bproc_move", what, node, flags)


def _exec(name, node, path, args, env):
    environment = os.environ if env is None else env
    pairs = [os.fsencode(key) + b"=" + os.fsencode(value) for key, value in environment.items()]
    sys.audit("bproc." + name, node, path, args)
    _lib.call(name, f"execute {os.fspath(path)!r} on node {node}", node, os.fsencode(path),
              _lib.vector(args), _lib.vector(pairs))


def rexec(node, path, args, env=None):
    """os.execve() on `node`, with that node's own program. Does not return."""
    _exec("bproc_rexec", node, path, args, env)


def execmove(node, path, args, env=None):
    """os.execve() on `node`, with the program at `path` here. Does not return."""
    _exec("bproc_execmove", node, path, args, env)
