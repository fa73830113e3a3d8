# SPDX-License-Identifier: GPL-2.0-or-later
"""multiprocessing over nodes, told in TAP; runs on the master of a cluster of three nodes."""

import multiprocessing
import multiprocessing.connection
import multiprocessing.pool
import os
import signal
import sys
import time

import bproc
from bproc._pool import WorkerLost
from tap import done, is_, ok, raises

started = []


def square(x):
    return x * x


def where(_):
    return bproc.currnode()


def process(_):
    return os.getpid()


def bad(text):
    raise ValueError(text)


def die(signo):
    os.kill(os.getpid(), signo)


def slow(seconds):
    time.sleep(seconds)
    return seconds


def prepare(text):
    started.append(text)


def prepared():
    return started


def speak(conn):
    conn.send((bproc.currnode(), conn.recv()))


context = bproc.get_context()
is_("the context has a name", context.get_start_method(), "bproc")

ours, theirs = context.Pipe()
child = context.Process(target=speak, args=(theirs,), node=2)
child.start()
ours.send("hello")
is_("a Process runs on its node and talks through a Pipe", ours.recv(), (2, "hello"))
child.join(60)
is_("and has an exit code", child.exitcode, 0)
child = context.Process(target=slow, args=(60,))
child.start()
ok("a Process is alive", child.is_alive())
child.terminate()
child.join(60)
is_("until it is terminated", child.exitcode, -signal.SIGTERM)
child = bproc.get_context([1]).Process(target=sys.exit, args=(3,))
child.start()
ended = multiprocessing.connection.wait([child.sentinel], 60)
child.join(60)
is_("the sentinel tells of its end", (len(ended), child.exitcode, child.node),
    (1, 3, 1))
child = context.Process(target=square, args=(1,), node=77)
error = raises("an unknown node raises when it starts", bproc.BprocError, child.start)
is_("with BE_INVALIDNODE", error.errno, bproc.BE_INVALIDNODE)

with context.Pool() as pool:
    is_("map() keeps the order", pool.map(square, range(20)), [x * x for x in range(20)])
    is_("on all the nodes", set(pool.map(where, range(30), chunksize=1)) <= {0, 1, 2}, True)
    is_("with one worker on each", len(pool._workers), 3)
    is_("starmap() gives several arguments", pool.starmap(pow, [(2, 3), (3, 2)]), [8, 9])
    is_("apply() gives one result", pool.apply(square, (9,)), 81)
    is_("apply_async() gives it later", pool.apply_async(square, (5,)).get(60), 25)
    is_("imap() is lazy", list(pool.imap(square, iter(range(4)))), [0, 1, 4, 9])
    is_("imap_unordered() has them all", sorted(pool.imap_unordered(square, range(4))),
        [0, 1, 4, 9])
    error = raises("an exception travels back", ValueError, pool.apply, bad, ("out there",))
    is_("with its text", str(error), "out there")
    ok("and its traceback", "in bad" in str(error.__cause__))
    raises("a result that cannot be pickled says so", multiprocessing.pool.MaybeEncodingError,
           pool.apply, os.fdopen, (1,))
    raises("a task that cannot be pickled harms nobody", Exception, pool.apply, lambda: 1)
    raises("a worker that dies raises WorkerLost", WorkerLost, pool.apply, die, (signal.SIGKILL,))
    is_("and is replaced", pool.map(square, range(6)), [0, 1, 4, 9, 16, 25])

with context.Pool(1, initializer=prepare, initargs=("ready",)) as pool:
    is_("the initializer runs on the node", pool.apply(prepared), ["ready"])
with bproc.get_context([1]).Pool(2) as pool:
    is_("a context's nodes are those it was given", set(pool.map(where, range(4))), {1})
pool = context.Pool(1, maxtasksperchild=2)
pids = pool.map(process, range(4), chunksize=1)
pool.close()
pool.join()
is_("maxtasksperchild renews the workers", len(set(pids)), 2)


def rounds(count):
    for _ in range(count):
        pool = context.Pool(1)
        pool.map(square, range(2))
        pool.close()
        pool.join()
    return len(os.listdir("/proc/self/fd"))


is_("a pool that is over leaves no descriptor", rounds(2), rounds(3))
pool = context.Pool(2)
late = pool.apply_async(slow, (60,))
begin = time.monotonic()
pool.terminate()
pool.join()
ok("terminate() does not wait for tasks", time.monotonic() - begin < 20)
raises("a lock is refused, as memory is not shared", NotImplementedError, context.Lock)
raises("no node at all is refused", ValueError, bproc.get_context, [])
is_("no process is left on any node", bproc.processes(), [])
raises("and no child here", ChildProcessError, os.waitpid, -1, os.WNOHANG)
done()
