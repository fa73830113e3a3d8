# SPDX-License-Identifier: GPL-2.0-or-later
#
# Somebody at a terminal of the master uses bprsh: types, resizes the window, presses Ctrl-C and
# looks at what is left when it ends. Prints TAP.

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

count = 0
failed = 0


def check(name, good, more=""):
    global count, failed
    count += 1
    failed += not good
    print(("ok" if good else "not ok"), count, "-", name, flush=True)
    if not good:
        for line in str(more).splitlines():
            print("#", line, flush=True)


class Terminal:
    """A terminal with a program on it."""

    def __init__(self, *argv):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "vt100"
            os.execvp(argv[0], argv)

    def size(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        try:
            part = os.read(self.fd, 4096) if ready else None
        except OSError:
            part = b""
        self.text += (part or b"").decode(errors="replace")
        return part

    def expect(self, pattern, seconds=40):
        """What is shown up to and with the pattern; None after so many seconds."""
        end = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self.text)
            if match:
                shown, self.text = self.text[:match.end()], self.text[match.end():]
                return shown
            left = end - time.monotonic()
            if left <= 0 or self.read(left) == b"":
                match = re.search(pattern, self.text)
                if not match:
                    return None

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def settings(self):
        return termios.tcgetattr(self.fd)

    def end(self, seconds=40):
        """The status, as a shell gives it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None


def runs(command, seconds=40):
    """Waits until it does, on node 0."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and os.system("bpsh -n 0 pgrep -x -f '%s' >/dev/null" % command):
        time.sleep(0.05)


def prompted(terminal, before):
    """Are the settings those of the first prompt? The shell has set them when it shows the next."""
    terminal.expect("here> ")
    after = terminal.settings()
    return before == after, (before, after)


def shell():
    """A login shell, at which things are typed."""
    terminal = Terminal("sh", "-c", "PS1='here> ' exec bash --norc -i")
    terminal.expect("here> ")
    before = terminal.settings()
    terminal.size(30, 90)
    terminal.type("bprsh n0\n")
    terminal.expect("n0:~# ")
    terminal.type("tty; stty size; echo $TERM $0\n")
    check("a login shell is on a terminal of the node",
          terminal.expect("/dev/pts/[0-9]+\r+\n30 90\r+\nvt100 -bash"), terminal.text)
    check("the terminal here is raw", not terminal.settings()[3] & (termios.ICANON | termios.ISIG))
    terminal.size(40, 100)
    os.kill(terminal.pid, signal.SIGWINCH)
    terminal.type("while stty size | grep -v '^40 100'; do sleep 0.05; done; stty size\n")
    check("its size follows", terminal.expect("[\r\n]40 100"), terminal.text)
    terminal.type("sleep 100\n")
    runs("sleep 100")
    terminal.type("\003")
    terminal.type("echo status $?\n")
    check("Ctrl-C reaches the node", terminal.expect("status 130"), terminal.text)
    terminal.type("sleep 101\n")
    runs("sleep 101")
    terminal.type("\032")
    check("so does Ctrl-Z", terminal.expect("Stopped +sleep 101"), terminal.text)
    terminal.type("kill -9 %1; while kill -0 %1; do :; done 2>/dev/null; exit 7\n")
    terminal.expect("here> ")
    terminal.type("echo status $?\n")
    check("its status is bprsh's", terminal.expect("status 7"), terminal.text)
    check("the terminal here is as it was", *prompted(terminal, before))
    terminal.type("bprsh -t n0 'kill -9 $PPID'; echo status $?\n")
    check("also when the other end is killed", terminal.expect("status (137|255)"), terminal.text)
    check("it is as it was", *prompted(terminal, before))
    terminal.type("exit\n")
    terminal.end()


def ends():
    """bprsh is ended in the middle of it."""
    for signo in (signal.SIGTERM, signal.SIGHUP):
        terminal = Terminal("bprsh", "-t", "n0", "echo ready; exec sleep 55")
        before = terminal.settings()
        terminal.expect("ready")
        os.kill(terminal.pid, signo)
        check("%s ends the command" % signo.name, terminal.end() == 128 + signo)
    terminal = Terminal("bprsh", "-t", "n0", "echo ready; exec sleep 55")
    terminal.expect("ready")
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.end()
    for _ in range(100):
        if os.system("bprsh n0 'pgrep -x sleep >/dev/null'") != 0:
            break
        time.sleep(0.1)
    check("so does SIGKILL", os.system("bprsh n0 'pgrep -a sleep'") != 0)


def large():
    """Much output, the end of it included."""
    terminal = Terminal("bprsh", "-t", "n0", "seq 100000; echo the end")
    shown = terminal.expect("the end", 30)
    check("long output is whole", shown and shown.count("\n") == 100000, shown and len(shown))
    check("and ends", terminal.end() == 0)


shell()
ends()
large()
print("1..%d" % count)
sys.exit(failed != 0)
