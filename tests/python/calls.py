# SPDX-License-Identifier: GPL-2.0-or-later
"""bproc's calls in Python, told in TAP; runs on the master of a cluster of three nodes."""

import errno
import os
import signal
import threading

import bproc
from tap import done, is_, ok, raises

is_("numnodes() counts the nodes", bproc.numnodes(), 3)
is_("currnode() is the master's number here", bproc.currnode(), bproc.MASTER)
is_("nodes() has them in order", [node.number for node in bproc.nodes()], [0, 1, 2])
is_("nodes('up') has those that are up", len(bproc.nodes("up")), 3)
error = raises("nodes() of what is no state raises", ValueError, bproc.nodes, "funny")
ok("and names those that are", "'funny' is no state: down, " in str(error))
is_("a node has its address", bproc.nodes()[1].address, "10.77.1.2")
is_("nodestatus() is a word", bproc.nodestatus(2), "up")
ok("access() says that root may", bproc.access(0))
ok("version() is the release", bproc.version()[0].isdigit())
is_("pidnode() knows no local process", bproc.pidnode(os.getpid()), None)
watched = bproc.notifier()
ok("notifier() is a descriptor", watched > 2)
os.close(watched)

data = {"large": list(range(1000))}
reading, writing = os.pipe()
before, after = [], []
os.register_at_fork(before=lambda: before.append(1),
                    after_in_parent=lambda: after.append("parent"),
                    after_in_child=lambda: after.append("child"))
pid = bproc.rfork(1)
if pid == 0:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    said = f"{bproc.currnode()} {os.uname().nodename} {sum(data['large'])} {os.getpid()} {after}"
    os.write(writing, said.encode())
    os._exit(7)
os.close(writing)
is_("the child runs on the node with the parent's objects, as the pid the parent has",
    os.read(reading, 200).decode(), f"1 n1 499500 {pid} ['child']")
is_("what was registered for forks has run here", (before, after), ([1], ["parent"]))
is_("its exit status comes back", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7)

pid = bproc.rfork(2, bproc.DUMP_ALL)
if pid == 0:
    signal.pause()
    os._exit(1)
is_("pidnode() knows a remote process", bproc.pidnode(pid), 2)
is_("processes() lists it", bproc.processes(2), [bproc.Process(pid, 2)])
os.kill(pid, signal.SIGTERM)
is_("kill() reaches it", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), -signal.SIGTERM)

error = raises("an unknown node raises BprocError", bproc.BprocError, bproc.rfork, 99)
is_("with the errno", error.errno, bproc.BE_INVALIDNODE)
is_("and a message that names the node", str(error),
    "[Errno 300] cannot fork onto node 99: Invalid node number")
raises("and leaves no child", ChildProcessError, os.waitpid, -1, os.WNOHANG)
for name, function in (("rfork", bproc.rfork), ("move", bproc.move), ("access", bproc.access),
                       ("nodestatus", bproc.nodestatus), ("processes", bproc.processes),
                       ("pidnode", bproc.pidnode)):
    error = raises(f"{name}() of a word raises TypeError", TypeError, function, "x")
    ok("and names it", str(error).endswith(": 'x' is no integer"))
    raises(f"{name}() of more than an int raises OverflowError", OverflowError, function, 1 << 32)
raises("rexec() on a word raises TypeError", TypeError, bproc.rexec, "x", "/bin/true", ["true"])
raises("execmove() on a word raises TypeError", TypeError, bproc.execmove, "x", "/bin/true", ["true"])
error = raises("nodestatus() of an unknown node raises OSError", OSError, bproc.nodestatus, 99)
is_("with the errno of the C call", error.errno, errno.EINVAL)
is_("and names it", str(error), "[Errno 22] cannot tell the state of node 99: Invalid argument")
raises("rexec() of what is not there raises", FileNotFoundError, bproc.rexec, 0, "/no/such",
       ["x"])

reading, writing = os.pipe()
pid = os.fork()
if pid == 0:
    seen = []
    for node in (0, 2, bproc.MASTER):
        bproc.move(node)
        seen.append((bproc.currnode(), os.getppid()))
    os.write(writing, repr((os.getpid(), seen, len(data["large"]))).encode())
    os._exit(4)
os.close(writing)
here = os.getpid()
is_("move() goes from node to node and home", os.read(reading, 300).decode(),
    repr((pid, [(0, here), (2, here), (-1, here)], 1000)))
is_("and the parent waits for it", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 4)
raises("move() to an unknown node raises BprocError", bproc.BprocError, bproc.move, 99)
held = threading.Event()
thread = threading.Thread(target=held.wait)
thread.start()
raises("move() with threads is refused", RuntimeError, bproc.move, 0)
held.set()
thread.join()

pid = os.fork()
if pid == 0:
    bproc.rexec(0, "/bin/sh", ["sh", "-c", "exit $WANT"], {"WANT": "9"})
is_("rexec() executes a node's program with that environment",
    os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 9)
done()
