# SPDX-License-Identifier: LGPL-2.1-or-later
"""multiprocessing.Pool over nodes.

Each worker process has a pipe of its own to a thread here, which gives it one task after another:
no lock has to be shared between machines, and a worker that dies with its node costs the task it
had, not the pool. The rest is the standard library's ThreadPool.
"""

import queue
import threading
import weakref
from multiprocessing import connection, pool


class WorkerLost(RuntimeError):
    """The process that had the task ended before it was done; its node may be down."""


LOST_SECONDS = 5        # between the end of a worker's pipe and its own


def _serve(conn, others, initializer, initargs):
    """A worker on its node: tasks come, results go, until the pipe ends."""
    for other in others:
        other.close()
    if initializer is not None:
        initializer(*initargs)
    while True:
        try:
            task = conn.recv()
        except EOFError:
            return
        if task is None:
            return
        func, args, kwds = task
        try:
            result = (True, func(*args, **kwds))
        except Exception as error:
            result = (False, pool.ExceptionWithTraceback(error, error.__traceback__))
        try:
            conn.send(result)
        except OSError:
            return
        except Exception as error:
            conn.send((False, pool.MaybeEncodingError(error, result[1])))


class Worker:
    """A process on a node and the pipe to it."""

    def __init__(self, context, others, initializer, initargs):
        self.conn, far = connection.Pipe()
        self.process = context.Process(
            target=_serve, args=(far, [self.conn, *others], initializer, initargs), daemon=True)
        try:
            self.process.start()
        except BaseException:
            self.conn.close()
            raise
        finally:
            far.close()
        self.done = 0

    def run(self, func, args, kwds):
        """(True, result) or (False, exception). A task that cannot be pickled harms nobody."""
        try:
            self.conn.send((func, args, kwds))
            result = self.conn.recv()
        except (EOFError, OSError):
            return self.lost()
        self.done += 1
        return result

    def lost(self):
        self.process.join(LOST_SECONDS)
        self.process.kill()
        self.process.join()
        return False, WorkerLost(f"process {self.process.pid} on node {self.process.node} ended "
                                 f"with {self.process.exitcode} before its task was done")

    def is_alive(self):
        return self.process.is_alive()

    def end(self):
        """Lets it finish. May be called twice."""
        try:
            self.conn.send(None)
        except (OSError, ValueError):
            pass
        self.conn.close()
        self.process.join()


class _Notifier:
    """What the pool's threads wake one another by; the standard one is made of shared memory."""

    def __init__(self):
        self._reader, self._writer = connection.Pipe(duplex=False)
        self._lock = threading.Lock()

    def put(self, item):
        with self._lock:
            self._writer.send(item)

    def get(self):
        return self._reader.recv()

    def empty(self):
        return not self._reader.poll()

    def close(self):
        self._reader.close()
        self._writer.close()


class _Threads:
    """The context that the thread pool itself sees."""
    SimpleQueue = _Notifier


class _Tasks(queue.SimpleQueue):
    """The queue that the threads take tasks from: what comes out of it runs on a node.

    `run` is weak: multiprocessing keeps the queue until the pool is terminated, which one that
    nobody has any more can only be if the queue does not keep it in turn.
    """

    def get(self, block=True, timeout=None):
        task = super().get(block, timeout)
        run = self.run()
        if task is None or run is None:
            return None
        job, i, func, args, kwds = task
        return job, i, run, (func, args, kwds), {}


class Pool(pool.ThreadPool):
    """See multiprocessing.Pool. A task whose worker is lost raises WorkerLost."""

    def __init__(self, processes=None, initializer=None, initargs=(), maxtasksperchild=None,
                 context=None):
        self._state = pool.INIT         # looked at even if all this fails
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if maxtasksperchild is not None and maxtasksperchild < 1:
            raise ValueError("maxtasksperchild must be a positive int or None")
        if processes is None:
            processes = len(context.candidates())
        if processes < 1:
            raise ValueError("Number of processes must be at least 1")
        self._context = context
        self._worker_setup = (initializer, initargs)
        self._tasks_a_worker = maxtasksperchild
        self._workers = []
        self._local = threading.local()
        self._guard = threading.Lock()
        # Started before there are threads, which do not travel.
        self._fresh = []
        try:
            for _ in range(processes):
                self._fresh.append(self._worker_new())
        except BaseException:
            self._kill()
            raise
        pool.Pool.__init__(self, processes, context=_Threads())

    def _worker_new(self):
        with self._guard:
            others = [worker.conn for worker in self._workers]
        worker = Worker(self._context, others, *self._worker_setup)
        with self._guard:
            self._workers.append(worker)
        return worker

    def _worker_drop(self, worker):
        worker.end()
        with self._guard:
            self._workers.remove(worker)
        self._local.worker = None

    def _worker(self):
        """This thread's."""
        worker = getattr(self._local, "worker", None)
        if worker is None:
            with self._guard:
                worker = self._fresh.pop() if self._fresh else None
            self._local.worker = worker = worker or self._worker_new()
        return worker

    def _run(self, func, args, kwds):
        """One task, in one of the pool's threads."""
        worker = self._worker()
        ok, value = worker.run(func, args, kwds)
        if not worker.is_alive() or worker.done == self._tasks_a_worker:
            self._worker_drop(worker)
        if ok:
            return value
        raise value

    def _setup_queues(self):
        super()._setup_queues()
        self._inqueue = _Tasks()
        self._inqueue.run = weakref.WeakMethod(self._run)
        self._quick_put = self._inqueue.put

    def _kill(self):
        with self._guard:
            workers = list(self._workers)
        for worker in workers:
            worker.process.kill()

    def terminate(self):
        self._kill()
        super().terminate()
        self._reap()

    def join(self):
        super().join()
        self._reap()

    def _reap(self):
        with self._guard:
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.end()
