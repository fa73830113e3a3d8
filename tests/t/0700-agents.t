#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bprsh: what callers of rsh and ssh rely on.
# shellcheck disable=SC2016  # the nodes' shells expand
. "${0%/*}/lib.sh"
need_tool awk
lab_up 3

shim=$BPROC_LIBDIR/bproc/shim

bprsh() {
    on master bprsh "$@"
}

# The shell on the master runs this; "here" is what bprsh is typed at.
here() {
    on master bash -c "$1"
}

# Usage.
like "-V prints the release" "$(bprsh -V)" "^bprsh \(bproc\) [0-9]"
exits 0 "and succeeds" bprsh -V
exits 0 "--help succeeds" bprsh --help
exits 255 "no node" bprsh
like "is told" "$(cat "$TMP/out")" "bprsh: no node given"
exits 255 "a node that is none" bprsh fish true
like "is told" "$(cat "$TMP/out")" "bprsh: cannot find node fish: no such node"
exits 255 "an option that is none" bprsh -9 n0 true
for option in D:1 L:1:n1:2 R:1:n1:2 W:n1:2 O:check w:0 N f; do
    letter=-${option%%:*} argument=()
    [[ $option != *:* ]] || argument=("${option#*:}")
    exits 255 "$letter is refused" bprsh "$letter" "${argument[@]}" n0 true
done
like "with the reason" "$(bprsh -f n0 true 2>&1; bprsh -L 1:n1:2 n0 true 2>&1)" \
    "-f: bprsh stays in the foreground.*-L: nothing is forwarded here"
exits 255 "no daemon" here 'BPROC_SOCKET=/nowhere bprsh n0 true'
like "is told" "$(cat "$TMP/out")" "BProc is not running here"
exits 255 "-G fails" bprsh -G n0
is "and prints nothing" "$(cat "$TMP/out")" ""

# Nodes and users.
is "names of a node" \
    "$(here 'for n in n1 1 .1 10.77.1.2 root@n1 root@10.77.1.2; do bprsh $n hostname; done' |
        sort | uniq -c | awk '{ print $1, $2 }')" "6 n1"
is "and of the master" \
    "$(here 'for n in master -1 n-1 10.77.0.1 localhost self; do bprsh $n hostname; done' |
        sort | uniq -c | awk '{ print $1, $2 }')" "6 master"
for node in master n0 n1 n2; do
    on $node useradd -M -u 4711 -s /bin/bash alice
done
is "as another user, for root" "$(bprsh -l alice n0 id -un; bprsh alice@n1 'id -u; id -gn')" \
    $'alice\n4711\nalice'
exits 255 "not for others" bplab exec -u alice master -- bprsh -l root n0 true
like "as it is told" "$(cat "$TMP/out")" "cannot be user root: only root can be another one"
is "the caller's own name is good" \
    "$(bplab exec -u alice master -- bprsh -l alice n0 id -un 2>&1)" alice
exits 255 "a user that is none" bprsh -l fish n0 true

# Command lines of callers.
is "options of ssh say nothing" \
    "$(bprsh -x -X -a -A -T -q -C -v -2 -4 -6 -k -K -g -M -Y -y -b 1 -B 1 -c x -e none -E /x -F f \
        -i f -I f -J j -m m -o A -oB=c -p 22 -P t -S s n0 echo yes)" yes
is "also behind the node" "$(bprsh n0 -x -p 22 -o A=b -- echo -n -p)" "-p"
is "one -- is dropped" "$(bprsh -- n0 echo a -- b; bprsh n0 -- echo c)" $'a -- b\nc'
is "words are joined for a shell" \
    "$(bprsh n0 echo 'a  b' '"c  d"' "'e  f'" '$((1+2))' '; echo' g)" \
    $'a b c  d e  f 3\ng'
is "by what its program is called" "$(here "PATH=$shim:\$PATH; ssh n0 hostname; rsh n1 hostname")" \
    $'n0\nn1'

# The login.
is "home, not the caller's folder" "$(here 'cd /usr/share; bprsh n0 pwd')" "$(here 'echo ~')"
is "the folder / without a home" "$(here 'useradd -M -d /nowhere bob; bprsh -l bob n0 pwd')" /
is "the user's environment" \
    "$(here 'HOME=/x USER=x LOGNAME=x SHELL=/bin/false \
        bprsh n0 "echo \$HOME \$USER \$LOGNAME \$SHELL"')" \
    "$(here 'getent passwd root | awk -F: "{ print \$6, \$1, \$1, \$7 }"')"
is "the number of the node, once" \
    "$(here 'BPROC_NODE=7 bprsh n1 "xargs -0n1 </proc/\$\$/environ | grep ^BPROC_NODE"')" BPROC_NODE=1
is "and not what stands for it" \
    "$(here 'for n in self localhost; do bprsh $n "echo \$BPROC_NODE"; done')" $'-1\n-1'
is "over it the caller's" "$(here 'FISH=trout bprsh n0 "echo \$FISH"')" trout
is "without what is his machine's" \
    "$(here 'DISPLAY=:1 SSH_TTY=x bprsh n0 "echo \$DISPLAY\$SSH_TTY"')" ""
is "BPROC_AGENT_ENV says what" \
    "$(here 'BPROC_AGENT_ENV="F*,!FI*,FIN" FIN=a FISH=b FOX=c OX=d bprsh n0 \
        "echo \$FIN-\$FISH-\$FOX-\$OX-\$HOME"')" "a--c--$(here 'echo ~')"
is "an empty environment is enough" \
    "$(here 'env -i /usr/local/bin/bprsh n0 "echo \$PATH \$BPROC_NODE"')" \
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin 0"

# Streams.
is "stdout goes to stdout" "$(bprsh n0 'echo out; echo err >&2' 2>/dev/null)" out
is "stderr goes to stderr" "$(bprsh n0 'echo out; echo err >&2' 2>&1 >/dev/null)" err
is "stdin's end goes through while stdout stays open" \
    "$(printf 'a\nb\n' | bprsh n0 'n=$(wc -l); sleep 0.3; echo $n')" 2
is "stdout's end comes while the command goes on, which waits for it" \
    "$(here 'bprsh n0 "exec >&-; for i in \$(seq 400); do
            [ ! -e /tmp/ended ] || exit 0; sleep 0.05; done; exit 1" |
            { cat; bprsh n0 touch /tmp/ended; }; echo ${PIPESTATUS[0]}')" 0
is "-n" "$(echo x | bprsh -n n0 'cat; echo end')" end
is "stdin is /dev/null, nothing else open" \
    "$(here 'bprsh n0 "cat; echo end; ls /proc/self/fd" </dev/null 3>&- 4>&- 255>&-' |
        tr '\n' ' ')" "end 0 1 2 3 "
is "all closed" \
    "$(here 'bprsh n0 "echo x >/tmp/closed" <&- >&- 2>&-; echo $?; bprsh n0 cat /tmp/closed')" \
    $'0\nx'
is "a reader that goes" "$(here 'bprsh n0 yes | head -1; echo ${PIPESTATUS[0]}')" $'y\n141'
sum=$(head -c 33554432 /dev/urandom | tee "$TMP/random" | sha256sum)
is "bytes arrive as they are" "$(bprsh n0 cat <"$TMP/random" | sha256sum)" "$sum"
cat >"$TMP/pair.py" <<'END'
# bprsh between two sockets, blocking or not, as distcc gives them; the flags must stay.
import fcntl, os, socket, subprocess, sys, threading
nonblock = sys.argv[1] == "nonblock"
ours, theirs = socket.socketpair()
theirs.setblocking(not nonblock)
before = fcntl.fcntl(theirs, fcntl.F_GETFL)
child = subprocess.Popen(["bprsh", "n0", "tr a-z A-Z"], stdin=theirs, stdout=theirs)
data = b"fish" * 500000
def send():
    ours.sendall(data)
    ours.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
got = 0
while got < len(data):
    part = ours.recv(65536)
    if not part:
        break
    got += len(part)
print(got == len(data), child.wait(), fcntl.fcntl(theirs, fcntl.F_GETFL) == before)
END
for kind in block nonblock; do
    is "between sockets, $kind" "$(on master python3 - $kind <"$TMP/pair.py")" "True 0 True"
done

cat >"$TMP/listener.py" <<'END'
# Callers that forget a listening socket must not find its port taken after their end.
import os, socket, subprocess, time
listener = socket.create_server(("127.0.0.1", 0))
listener.set_inheritable(True)
name = "socket:[%d]" % os.fstat(listener.fileno()).st_ino
child = subprocess.Popen(["bprsh", "n0", "echo; cat"], close_fds=False, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
child.stdout.read(1)
folder = "/proc/%d/fd/" % child.pid
print([fd for fd in os.listdir(folder) if os.readlink(folder + fd) == name])
child.stdin.close()
child.wait()
END
is "descriptors above 2 are not kept" "$(on master python3 - <"$TMP/listener.py")" "[]"

# Statuses.
exits 0 "0" bprsh n0 true
exits 7 "the command's" bprsh n0 'exit 7'
exits 137 "128 and the signal" bprsh n0 'kill -9 $$'
exits 143 "of a child's too, as shells say it" bprsh n0 'sh -c "kill \$\$"; exit $?'
is "255 when output cannot be written" \
    "$(here 'bprsh n0 seq 100000 2>&1 >/dev/full; echo $?')" \
    $'bprsh: cannot write stdout: No space left on device\n255'
exits 127 "no such command" bprsh n0 nosuchcommand
on master useradd -M -s /no/shell carl
exits 255 "no such shell" bprsh -l carl n0 true
like "is told" "$(cat "$TMP/out")" "cannot execute /no/shell: No such file or directory"
on master bpctl -S 2 -m 100
exits 255 "no permission" bplab exec -u alice master -- bprsh n2 true
like "is told" "$(cat "$TMP/out")" "cannot run a command on n2: Operation not permitted"
on master bpctl -S 2 -m 111

# Signals and ends.
for signo in HUP INT QUIT TERM USR1 USR2; do
    is "SIG$signo is passed on" \
        "$(here 'set -m; : >/tmp/sig
            bprsh n0 "trap \"echo caught; exit 9\" '$signo'; echo ready
                while :; do sleep 0.05; done" >/tmp/sig &
            while ! grep -q ready /tmp/sig; do sleep 0.05; done
            kill -'$signo' $!; wait $!; echo $?; cat /tmp/sig' 2>/dev/null | tr '\n' ' ')" \
        "9 ready caught "
done
is "the command's whole session has it" \
    "$(here 'set -m; bprsh n0 "set -m; sleep 60.321 >/dev/null 2>&1; echo no" &
        until bpsh 0 pgrep -f "^sleep 60[.]321" >/dev/null; do sleep 0.05; done
        kill $!; wait $!; echo $?' 2>/dev/null)" 143
ok "nobody is left" wait_for 20 on n0 sh -c '! pgrep -f "^sleep 60\.321"'
is "what leaves the session lives on" \
    "$(bprsh n0 'setsid sleep 60.322 </dev/null >/dev/null 2>&1 &
        until pgrep -f "^sleep 60[.]322" >/dev/null; do sleep 0.05; done; echo back')" back
ok "there it is" on n0 pkill -f '^sleep 60\.322'
is "it returns when the output is closed, too" \
    "$(here 'a=$(date +%s); bprsh n0 "sleep 2 & echo x" >/dev/null; b=$(date +%s)
        echo $((b - a >= 1))')" 1
# The command writes nothing while it is ended, which would end it early.
cat >"$TMP/deaf" <<'END'
exec >/dev/null 2>&1
for signo in HUP TERM; do trap "echo $signo >>/tmp/deaf" $signo; done
echo ready >>/tmp/deaf
for i in $(seq 2000); do sleep 0.05; done
END
on n0 sh -c 'cat >/tmp/deaf.sh' <"$TMP/deaf"
here 'bprsh n0 exec bash /tmp/deaf.sh &
    until bpsh 0 test -e /tmp/deaf; do sleep 0.05; done; kill -9 $!' 2>/dev/null
ok "a caller that is killed" wait_for 20 on n0 sh -c '! pgrep -f "^bash /tmp/deaf.sh"'
is "is missed by the command" "$(on n0 cat /tmp/deaf | tr '\n' ' ')" "ready HUP TERM "
ok "nothing stands for it any more" wait_for 20 here '[ $(bpstat -p | wc -l) = 1 ]'

on n0 rm /tmp/deaf
is "one that is told to end waits 2 s for a command that is deaf" \
    "$(here 'bprsh n0 exec bash /tmp/deaf.sh &
        until bpsh 0 test -e /tmp/deaf; do sleep 0.05; done; a=$(date +%s%N); kill $!; wait $!
        echo $? $(( ($(date +%s%N) - a) / 100000000 > 18 ))' 2>/dev/null)" "143 1"
ok "which is ended" wait_for 20 on n0 sh -c '! pgrep -f "^bash /tmp/deaf.sh"'
is "by what it would get without the caller" "$(on n0 cat /tmp/deaf | tr '\n' ' ')" \
    "ready TERM HUP TERM "
exits 124 "a login shell has no more time" here \
    'timeout 2 bprsh -tt n0 < <(sleep 8)'
ok "and is gone" wait_for 20 here '[ $(bpstat -p | wc -l) = 1 ]'

# From nodes.
is "on a node for another" "$(bprsh n0 bprsh n1 hostname)" n1
is "for itself and for the master" "$(bprsh n0 'bprsh n0 hostname; bprsh master hostname')" \
    $'n0\nmaster'
exits 9 "once around" bprsh n0 bprsh n1 bprsh n2 bprsh master exit 9
is "with streams of their own" \
    "$(echo in | bprsh n0 'bprsh n1 "cat; echo err >&2" 2>/dev/null; echo $?')" $'in\n0'
is "bytes arrive as they are" "$(bprsh n0 bprsh n1 cat <"$TMP/random" | sha256sum)" "$sum"
here 'bprsh n0 bprsh n1 sleep 60.323 &
    until bpsh 1 pgrep -f "^sleep 60[.]323" >/dev/null; do sleep 0.05; done; kill -9 $!' 2>/dev/null
ok "and go with their caller" wait_for 20 on n1 sh -c '! pgrep -f "^sleep 60\.323"'

wait_for 20 no_ghosts
here 'bprsh n2 sleep 60; echo $?' >"$TMP/lost" 2>&1 &
shell=$!
ok "a command on a node" wait_for 20 eval 'on n2 pgrep -x sleep && ! no_ghosts'
bplab kill n2
wait "$shell"
is "that is lost" "$(cat "$TMP/lost")" $'bprsh: n2: the node was lost\n255'

# Many at once.
is "128 at once" \
    "$(here 'for i in $(seq 128); do bprsh n$((i % 2)) "echo $i; cat" </dev/null & done
        wait' |
        sort -n | uniq | wc -l)" 128
done_testing
