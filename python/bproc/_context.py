# SPDX-License-Identifier: LGPL-2.1-or-later
"""A multiprocessing context whose processes run on nodes.

What multiprocessing keeps in shared memory (locks, semaphores, shared values, the queues made of
them) cannot reach another machine and is refused when it is asked for. Pipes can, and pools are
made of them: see _pool.py.
"""

import itertools
import os
import threading
from multiprocessing import context, popen_fork, process, util

from bproc import _cluster, _process

_SHARED = ("Array", "Barrier", "BoundedSemaphore", "Condition", "Event", "JoinableQueue", "Lock",
           "Manager", "Queue", "RLock", "RawArray", "RawValue", "Semaphore", "SimpleQueue", "Value")


class Popen(popen_fork.Popen):
    """As the one for fork, which gives no way to say how to fork."""
    method = "bproc"

    def _launch(self, process_obj):
        ours_r, theirs_w = os.pipe()
        theirs_r, ours_w = os.pipe()
        ours, theirs = (ours_r, ours_w), (theirs_r, theirs_w)
        try:
            self.pid = _process.rfork(process_obj.node)
        except BaseException:
            util.close_fds(*ours, *theirs)
            raise
        if self.pid == 0:
            code = 1
            try:
                util.close_fds(*ours)
                code = process_obj._bootstrap(parent_sentinel=theirs_r)
            finally:
                os._exit(code)
        util.close_fds(*theirs)
        self.sentinel = ours_r
        self.finalizer = util.Finalize(self, util.close_fds, ours)


class Process(process.BaseProcess):
    """multiprocessing.Process on the node `node`; None: the context's next one, when it starts."""
    _start_method = "fork"       # what it finds as its own default, on the node
    _context = None

    def __init__(self, *args, node=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.node = node

    @staticmethod
    def _Popen(process_obj):
        if process_obj.node is None:
            process_obj.node = process_obj._context.next_node()
        return Popen(process_obj)


def _refusal(name):
    def refuse(self, *args, **kwargs):
        raise NotImplementedError(f"cannot make a {name}: it lives in shared memory, which does "
                                  "not reach other nodes; use a Pipe or a Pool")
    return refuse


class Context(context.BaseContext):
    """See bproc.get_context()."""
    _name = "bproc"

    def __init__(self, nodes=None):
        self._nodes = None if nodes is None else list(nodes)
        if self._nodes == []:
            raise ValueError("cannot make a context: the list of nodes is empty")
        self._turns = itertools.count()
        self._lock = threading.Lock()
        self.Process = type("Process", (Process,), {"_context": self})

    def candidates(self):
        """The nodes that processes may start on now."""
        if self._nodes is not None:
            return self._nodes
        numbers = [node.number for node in _cluster.nodes("up") if _cluster.access(node.number)]
        if not numbers:
            raise _cluster.no_node()
        return numbers

    def next_node(self):
        """One node after the other."""
        numbers = self.candidates()
        with self._lock:
            return numbers[next(self._turns) % len(numbers)]

    def get_context(self, method=None):
        return self if method in (None, self._name) else super().get_context(method)

    def Pool(self, processes=None, initializer=None, initargs=(), maxtasksperchild=None):
        """multiprocessing.Pool with its workers on the nodes; by default one on each."""
        from bproc._pool import Pool
        return Pool(processes, initializer, initargs, maxtasksperchild, context=self)


for _kind in _SHARED:
    setattr(Context, _kind, _refusal(_kind))
