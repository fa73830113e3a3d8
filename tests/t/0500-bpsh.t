#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bpsh: its options, streams and exit status.
# shellcheck disable=SC2016  # the nodes' shells expand
. "${0%/*}/lib.sh"
need_tool script
need_tool python3
lab_up 3

lab=$BPROC_BUILD/lab/bplab

bpsh() {
    on master bpsh "$@"
}

# The shell on the master runs this; "here" is what bpsh is typed at.
here() {
    on master sh -c "$1"
}

# Usage.
exits 1 "-h exits with 1" bpsh -h
like "as it always has, but prints to stdout" "$(bpsh -h 2>/dev/null)" "^usage: bpsh "
exits 0 "--help exits with 0" bpsh --help
is "and prints the same" "$(cat "$TMP/out")" "$(bpsh -h)"
like "-v" "$(bpsh -v)" "^bpsh \(bproc\) [0-9]"
like "--version" "$(bpsh --version)" "^bpsh \(bproc\) [0-9]"
exits 1 "no nodes" bpsh
like "is told" "$(cat "$TMP/out")" "bpsh: no nodes given"
exits 1 "no command" bpsh 0
like "is told" "$(cat "$TMP/out")" "bpsh: no command given for nodes '0'"
exits 1 "an option that is none" bpsh -Z 0 true
exits 1 "nodes that are none" bpsh 0,fish true
like "are told" "$(cat "$TMP/out")" "bpsh: 'fish' is no node"
exits 1 "nodes twice" bpsh -a -A true
exits 1 "a buffer of no bytes" bpsh -b 0 0 true
exits 1 "a command that is not on the PATH" bpsh 0 nosuchcommand
is "is told once" "$(cat "$TMP/out")" "bpsh: nosuchcommand: command not found"
exits 1 "no daemon" on master env BPROC_SOCKET=/nowhere bpsh 0 true
is "is told" "$(cat "$TMP/out")" "0: BProc is not running here"
exits 1 "nor for all nodes" on master env BPROC_SOCKET=/nowhere bpsh -a true
is "is told" "$(cat "$TMP/out")" "bpsh: cannot list the nodes: BProc is not running here"
long=/tmp/$(printf '%0120d' 0)
exits 1 "a socket's path that is too long" on master env BPROC_SOCKET="$long" bpsh 0 true
is "is told with its limit" "$(cat "$TMP/out")" "0: BPROC_SOCKET is longer than 107 bytes: '$long'"
exits 1 "for all nodes, too" on master env BPROC_SOCKET="$long" bpsh -a true
is "is told" "$(cat "$TMP/out")" \
    "bpsh: cannot list the nodes: BPROC_SOCKET is longer than 107 bytes: '$long'"
closed="setpriv --reuid 65534 --regid 65534 --clear-groups env BPROC_SOCKET=/run/closed/socket"
exits 1 "a socket that the user has no access to" here "mkdir -m 700 /run/closed; $closed bpsh 0 true"
is "is blamed, and not the command" "$(cat "$TMP/out")" \
    "0: cannot use BProc's socket '/run/closed/socket': Permission denied"
exits 1 "for all nodes, too" here "$closed bpsh -a true"
is "is told" "$(cat "$TMP/out")" \
    "bpsh: cannot list the nodes: cannot use BProc's socket '/run/closed/socket': Permission denied"

# Nodes.
is "a node" "$(bpsh 1 hostname)" n1
is "n1 and .1 too" "$(bpsh n1 hostname)$(bpsh .1 hostname)" n1n1
is "a range" "$(bpsh 0-1 hostname | sort | tr '\n' ' ')" "n0 n1 "
is "an open range" "$(bpsh 1- hostname | sort | tr '\n' ' ')" "n1 n2 "
is "more than there are" "$(bpsh 1-7 hostname | sort | tr '\n' ' ')" "n1 n2 "
is "a backward range is empty" "$(bpsh 2-1 hostname; echo $?)" 0
is "all" "$(bpsh all hostname | sort | tr '\n' ' ')" "n0 n1 n2 "
is "a list, in its order" "$(bpsh -s 2,0 hostname | tr '\n' ' ')" "n2 n0 "
is "a node twice" "$(bpsh 1,1 hostname | tr '\n' ' ')" "n1 n1 "
is "an address" "$(bpsh 10.77.1.3 hostname)" n2
is "folded" "$(bpsh -s 'n[0,2]' hostname | tr '\n' ' ')" "n0 n2 "
is "without one" "$(bpsh -s 'all,!n1' hostname | tr '\n' ' ')" "n0 n2 "
here 'printf "nodegroup @ends 0,2\nnodegroup @rest !@ends\n" >>/etc/bproc/config &&
    kill -HUP $(cat /run/bproc/masterd.pid)'
ok "a group" wait_for 20 sh -c "[ \"\$($lab -c $LAB exec master bpsh @rest hostname)\" = n1 ]"
is "on a node as well" "$(on n0 bpstat -n @rest)" 1
is "a file of nodes" "$(here 'echo "n2 # last" >/tmp/nodes; bpsh ^/tmp/nodes hostname')" n2
is "one without an end, which is no text" \
    "$(here 'timeout 20 bpsh ^/dev/zero hostname 2>&1; echo $?')" \
    "bpsh: cannot read nodes from '/dev/zero': Not a text file"$'\n1'
is "one that there is no memory for" \
    "$(here 'yes 0-1 | head -c 16000000 >/tmp/nodes
        bash -c "ulimit -v 12000; bpsh ^/tmp/nodes hostname" 2>&1; echo $?')" \
    $'bpsh: cannot read nodes from \'/tmp/nodes\': Out of memory\n1'
is "the master" \
    "$(bpsh master hostname) $(bpsh -1 hostname) $(bpsh -1,0 -s hostname | tr '\n' ' ')" \
    "master master master n0 "
is "self" "$(bpsh self hostname) $(on n1 bpsh self hostname)" "master n1"
is "localhost" "$(bpsh localhost hostname)" master
is "-a" "$(bpsh -a hostname | sort | tr '\n' ' ')" "n0 n1 n2 "
on master bpctl -S 2 -s unavailable
is "-a leaves out what is not up" "$(bpsh -a hostname | sort | tr '\n' ' ')" "n0 n1 "
is "-A does not" "$(bpsh -A hostname | sort | tr '\n' ' ')" "n0 n1 n2 "
is "allunavailable, allnotup, up" \
    "$(bpsh allunavailable hostname; bpsh allnotup hostname; bpsh -s up hostname)" \
    $'n2\nn2\nn0\nn1'
on master bpctl -S 2 -s up
is "options behind the nodes" "$(bpsh 0 -p hostname)" "  0: n0"
is "none behind the command" "$(bpsh 0 echo -p)" "-p"
is "-l is ignored" "$(bpsh -l somebody 0 id -un)" root

# The process.
# shellcheck disable=SC2016
is "as many as the kernel takes" \
    "$(here 'bpsh 0 /bin/echo $(yes a | head -n 170000) | wc -w')" 170000
is "arguments arrive as they are" "$(bpsh 0 printf '<%s>' 'a b' '' '*' $'new\nline')" \
    $'<a b><><*><new\nline>'
is "the environment is there" "$(here 'FISH=trout bpsh 0 sh -c "echo \$FISH"')" trout
shell=$(on master sh -c 'command -v sh')
is "with rank and name" "$(bpsh -s 2,0,1 sh -c 'echo $BPROC_RANK $BPROC_PROGNAME' | tr '\n' ' ')" \
    "0 $shell 1 $shell 2 $shell "
is "the working directory too" "$(here 'cd /usr/share && bpsh 0 pwd')" /usr/share
is "or /" "$(here 'mkdir /only.here && cd /only.here && bpsh 0 pwd')" /
is "umask, nice and limits" \
    "$(here 'umask 027; ulimit -n 123; nice -n 7 bpsh 0 sh -c "umask; nice; ulimit -n"')" \
    $'0027\n7\n123'
is "the user" "$(bplab exec -u nobody master -- bpsh 0 id -un)" nobody
is "a path is looked up on the caller's PATH" \
    "$(here 'mkdir /one; cp /bin/true /one/fish; PATH=/one:$PATH bpsh 0 fish 2>&1; echo $?')" \
    $'0: cannot execute \'/one/fish\': No such file or directory\n1'
is "a slash makes it a path" "$(bpsh 0 /bin/../bin/echo yes)" yes
is "a process stands for it here" \
    "$(here 'bpsh 0 sleep 42.5 & p=$!
        timeout 20 sh -c "until ps -o args= --ppid $p | grep ^sleep; do sleep 0.05; done"
        kill $(pgrep -P $p)' 2>/dev/null)" \
    "sleep 42.5"

# Output.
is "stdout goes to stdout" "$(bpsh 0 sh -c 'echo out; echo err >&2' 2>/dev/null)" out
is "stderr goes to stderr" "$(bpsh 0 sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err
is "-p" "$(bpsh -p 0,2 sh -c 'echo one; echo two' | sort)" "  0: one
  0: two
  2: one
  2: two"
is "-p on stderr" "$(bpsh -p 1 sh -c 'echo no >&2' 2>&1 >/dev/null)" "  1: no"
is "-p ends a last line" "$(bpsh -p 0 printf 'a\nb' | od -An -c | tr -d ' \n')" '0:a\n0:b\n'
is "-L does not" "$(bpsh -L 0 printf 'a\nb' | od -An -c | tr -d ' \n')" 'a\nb'
is "-p of an empty line" "$(bpsh -p 0 echo)" "  0: "
is "-p with a short buffer" "$(bpsh -p -b 4 0 echo 123456789)" "  0: 1234
  0: 5678
  0: 9"
is "-L keeps lines whole" \
    "$(bpsh -L all sh -c 'for i in $(seq 300); do
        printf "$BPROC_RANK aaaaaaaaaaaaaaaaaaaa "; echo bbbbbbbbbbbbbbb $BPROC_RANK
    done' | grep -cE '^([012]) a{20} b{15} \1$')" \
    900
is "-s" "$(bpsh -s 2,0,1 sh -c 'echo a $BPROC_RANK; echo b $BPROC_RANK' | tr '\n' ' ')" \
    "a 0 b 0 a 1 b 1 a 2 b 2 "
rule=$(printf -- '-%.0s' {1..69})
is "-d" "$(bpsh -d 0,1 hostname)" \
    "$(printf '%s\t%s\n' 0 "$rule"; echo n0; printf '%s\t%s\n' 1 "$rule"; echo n1)"
like "-t" "$(bpsh -t 0 true 2>&1)" "^[0-9]+\.[0-9]{6}$"
is "-O and -E write files on the node" \
    "$(bpsh -O /tmp/o.t -E /tmp/e.t 0 sh -c 'echo out; echo err >&2'
    on n0 cat /tmp/o.t /tmp/e.t)" \
    $'out\nerr'
is "-I reads one" "$(bpsh -I /tmp/o.t 0 cat)" out
exits 2 "-I of no file fails there" bpsh -I /nowhere 0 cat
is "is told" "$(cat "$TMP/out")" "0: cannot open '/nowhere': No such file or directory"
exits 2 "-O in no directory" bpsh -O /nowhere/x 0 true
is "is told" "$(cat "$TMP/out")" "0: cannot open '/nowhere/x': No such file or directory"
exits 2 "-E in no directory" bpsh -E /nowhere/x 0 true
is "is told" "$(cat "$TMP/out")" "0: cannot open '/nowhere/x': No such file or directory"
exits 2 "-E in no directory, of many" bpsh -L -E /nowhere/x all true
is "is told" "$(sort "$TMP/out" | head -n 1)" "0: cannot open '/nowhere/x': No such file or directory"
is "relative to the directory there" \
    "$(here 'cd /tmp && bpsh -O rel.t 0 echo x')$(on n0 cat /tmp/rel.t)" x
# The first one that is not libc's own, of which there are two here.
is "an ignored signal" "$(here 'env --ignore-signal=RTMIN bpsh 0 grep SigIgn /proc/self/status')" \
    "$(here 'env --ignore-signal=RTMIN grep SigIgn /proc/self/status')"
is "a blocked one" "$(here 'env --block-signal=RTMIN bpsh 0 grep SigBlk /proc/self/status')" \
    "$(here 'env --block-signal=RTMIN grep SigBlk /proc/self/status')"
is "-N" "$(here 'echo in | bpsh -N 0 sh -c "cat; echo out; echo err >&2" 2>&1; echo $?')" 0
is "a reader that goes" "$(here 'bpsh 0 sh -c "yes; echo ended >/tmp/yes" | head -1')" y
is "ends bpsh by SIGPIPE, in silence" \
    "$(here 'bash -c "bpsh 0 yes | head -1; echo \${PIPESTATUS[0]}" 2>&1' | xargs)" "y 141"
is "also that of many" \
    "$(here 'bash -c "bpsh -L all sh -c \"yes; sleep 40\" | head -1; echo \${PIPESTATUS[0]}" 2>&1' |
        xargs)" "y 141"
ok "whose commands are ended" wait_for 20 on n1 sh -c '! pgrep -x "yes|sleep"'
is "and that of --json" "$(here 'bash -c "bpsh --json all sleep 1 | true; echo \${PIPESTATUS[0]}" 2>&1' |
    xargs)" 141
ok "ends the writer" wait_for 20 on n0 sh -c '! pgrep -x yes'
is "output that comes before the end is complete" \
    "$(for _ in 1 2 3 4 5 6 7 8; do bpsh all sh -c 'seq 1000'; done | wc -l)" 24000

# Output that cannot be written.
full="cannot write stdout: No space left on device"
is "is told" "$(here 'bpsh 0 echo x 2>&1 >/dev/full; echo $?')" "bpsh: $full"$'\n1'
is "as with -L" "$(here 'bpsh -L 0 echo x 2>&1 >/dev/full; echo $?')" "bpsh: $full"$'\n1'
is "also when there is much" "$(here 'bpsh 0 seq 1000000 2>&1 >/dev/full; echo $?')" \
    "bpsh: $full"$'\n1'
closed="cannot write stdout: Bad file descriptor"
is "stdout that is closed" "$(here 'bpsh 0 seq 100000 2>&1 >&-; echo $?')" "bpsh: $closed"$'\n1'
is "as with -L" "$(here 'bpsh -L 0 echo x 2>&1 >&-; echo $?')" "bpsh: $closed"$'\n1'
is "stdin is closed as well" "$(here 'bpsh 0 echo x 2>&1 <&- >&-; echo $?')" "bpsh: $closed"$'\n1'
is "stdout is open for reading" \
    "$(here 'bpsh 0 echo x 2>&1 1</dev/zero; echo $?')" "bpsh: $closed"$'\n1'
is "stderr that is closed may be written to" \
    "$(here 'bpsh 0 sh -c "echo x >&2; echo out" 2>&-; echo $?')" $'out\n0'
exits 1 "for stderr it is the status" here 'bpsh 0 sh -c "echo x >&2" 2>/dev/full'
is "the commands are ended then" \
    "$(here 'for o in -L -p -s -d; do bpsh $o 0-1 sh -c "echo x; exec sleep 41" 2>/dev/null >/dev/full; echo $?; done
        bpsh 0 sh -c "echo x; exec sleep 41" 2>&1 >/dev/full
        bpsh 0-1 sh -c "echo x >&2; exec sleep 41" 2>/dev/full; echo $?' | xargs)" "1 1 1 1 bpsh: $full 1"
ok "on all nodes" wait_for 20 on n1 sh -c '! pgrep -x sleep'
ok "on each of them" wait_for 20 on n0 sh -c '! pgrep -x sleep'
is "as when their terminal goes away" "$(timeout 30 "$lab" -c "$LAB" exec master -- python3 -c '
import os, pty
pid, fd = pty.fork()
if pid == 0:
    os.execlp("bpsh", "bpsh", "-p", "0", "sh", "-c",
              "trap \"echo off\" HUP; echo on; while :; do sleep 0.1; done")
while b"on" not in os.read(fd, 100):
    pass
os.close(fd)
print(os.waitpid(pid, 0)[1])'; on n0 pgrep -f '[t]rap .echo off')" 256
is "and when a file may not grow" \
    "$(here 'ulimit -f 64; bpsh 0 yes 2>&1 >/tmp/limited; echo $?; bpsh 0 pgrep -x yes')" \
    $'bpsh: cannot write stdout: File too large\n1'
is "a file system that is full" \
    "$(here 'mkdir /small; mount -t tmpfs -o size=64k none /small
        bpsh 0 seq 100000 2>&1 >/small/f; echo $?; umount /small')" "bpsh: $full"$'\n1'
is "both to one file keep their order" \
    "$(here 'bpsh 0 sh -c "for i in 1 2 3 4; do echo o\$i; echo e\$i >&2; done" >/tmp/both 2>&1
        tr "\n" " " </tmp/both')" "o1 e1 o2 e2 o3 e3 o4 e4 "
is "what the command leaves behind is not waited for" \
    "$(here 'bpsh 0 sh -c "echo a; { until [ -e /tmp/later ]; do sleep 0.05; done; echo b; } &" \
        >/tmp/behind; cat /tmp/behind')" a
on n0 touch /tmp/later
ok "but can write on" wait_for 20 on master grep -q b /tmp/behind

# Input.
is "stdin goes to every node" "$(echo hello | bpsh -p all tr a-z A-Z | sort)" "  0: HELLO
  1: HELLO
  2: HELLO"
is "an empty one ends at once" "$(bpsh all cat </dev/null; echo $?)" 0
is "a pipe that ends at once too" "$(: | bpsh all sh -c 'cat; echo end' | sort -u)" end
is "-n" "$(echo hello | bpsh -n 0 sh -c 'cat; echo end')" end
is "stdin that is closed" "$(here 'bpsh 0 sh -c "cat; echo end" <&-')" end
is "stdout and stderr that are closed, and not used" "$(here 'bpsh 0 true >&- 2>&-; echo $?')" 0
is "a node that reads nothing holds up nobody" \
    "$(head -c 3000000 /dev/zero | bpsh -p 0-1 sh -c '[ $BPROC_RANK = 0 ] || exec wc -c')" \
    "  1: 3000000"
is "a line before the end" \
    "$(here '{ echo first; timeout 40 sh -c "until [ -e /tmp/seen ]; do sleep 0.05; done"
            echo second; } |
            bpsh 0 sh -c "read a; echo \$a >/tmp/first; read b; echo \$b" &
        timeout 20 sh -c "until bpsh 0 grep first /tmp/first; do sleep 0.05; done" 2>/dev/null
        touch /tmp/seen; wait')" \
    $'first\nsecond'
sum=$(head -c 67108864 /dev/urandom | tee "$TMP/random" | sha256sum | cut -d' ' -f1)
is "64 MiB to three nodes, byte for byte" \
    "$(bpsh all sha256sum <"$TMP/random" | sort | uniq -c | awk '{ print $1, $2 }')" "3 $sum"
is "and back" "$(bpsh 1 cat <"$TMP/random" | sha256sum | cut -d' ' -f1)" "$sum"
is "and with -s" "$(head -c 8388608 "$TMP/random" | bpsh -s 0,1 cat | sha256sum)" \
    "$({ head -c 8388608 "$TMP/random"; head -c 8388608 "$TMP/random"; } | sha256sum)"

is "input that cannot be read is a failure" "$(here 'bpsh 0 cat </tmp 2>&1; echo $?')" \
    "bpsh: cannot read stdin: Is a directory"$'\n1'
is "with -f no more is kept in memory than somebody reads" \
    "$(here 'ulimit -v 100000; yes | bpsh -f 1 0-1 sleep 1 2>&1; echo $?')" 0

# Exit status.
exits 0 "0 of all" bpsh all true
exits 3 "the highest" bpsh all sh -c 'exit $(( 1 + BPROC_RANK % 2 * 2 ))'
exits 255 "a death by signal" bpsh 0-1 sh -c '[ $BPROC_RANK = 0 ] || kill -SEGV $$'
is "is told with the node" "$(cat "$TMP/out")" "1: Segmentation fault"
exits 0 "a node that is none" bpsh 0,7 hostname
is "is told and the others run" "$(sort "$TMP/out")" $'7: Invalid node number\nn0'
exits 1 "no node at all" bpsh 7 true
is "is told" "$(cat "$TMP/out")" "7: Invalid node number"
on master bpctl -S 2 -m 100
is "no permission" "$(bplab exec -u nobody master -- bpsh 0,2 hostname 2>&1 | sort)" \
    $'2: Operation not permitted\nn0'
on master bpctl -S 2 -m 111
exits 1 "a program that the node has not got" here \
    'printf "#!/bin/sh\n" >/usr/bin/onlyhere; chmod 755 /usr/bin/onlyhere; bpsh 0-1 onlyhere'
is "is told" "$(sort "$TMP/out")" "0: cannot execute '/usr/bin/onlyhere': No such file or directory
1: cannot execute '/usr/bin/onlyhere': No such file or directory
bpsh: cannot run the command on any of 2 nodes"
exits 1 "a file that is no program" bpsh 0 /etc/passwd
is "is told" "$(cat "$TMP/out")" "0: cannot execute '/etc/passwd': Permission denied"
on n0 sh -c 'echo text >/tmp/text; chmod 755 /tmp/text'
exits 1 "one that only looks like one" bpsh 0 /tmp/text
is "is told" "$(cat "$TMP/out")" "0: cannot execute '/tmp/text': Exec format error"

is "none of these is a warning in the log" "$(bplab logs master | grep -c '^<[0-4]>.*cannot execute')" 0
is "a limit of file sizes that leaves no room" "$(here '(ulimit -f 0; bpsh -n 0 true 2>&1; echo $?) | cat')" \
    "0: the limit of file sizes (ulimit -f) leaves no room for arguments and environment"$'\n1'

# A node that dies.
on n0 mkfifo /tmp/go
here 'bpsh 0,2 sh -c "[ \$BPROC_RANK = 0 ] || exec sleep 60; read word </tmp/go; exit 4" 2>&1
    echo status $?' >"$TMP/death" &
shell=$!
# on_node N: how many processes it has.
on_node() {
    on master bpstat -p | awk -v node="$1" '$2 == node { n++ } END { print n + 0 }'
}
# Whether both run, and bpsh has heard so.
both_run() {
    (( $(on_node 0) == 1 && $(on_node 2) == 1 )) &&
        here '[ "$(readlink /proc/[0-9]*/exe | grep -c bproc-ghost)" = 2 ]'
}
wait_for 20 both_run || fail "a command runs on two nodes"
bplab kill n2
ok "a node that dies" wait_for 20 eval '(( $(on_node 2) == 0 ))'
on n0 sh -c ': >/tmp/go'
wait "$shell"
is "is told, and the status is 255" "$(cat "$TMP/death")" $'2: Killed, the node is down\nstatus 255'
exits 0 "a down node beside one that is up" bpsh 0,2 hostname
is "is told" "$(sort "$TMP/out")" $'2: Node is down\nn0'
is "-a leaves it out" "$(bpsh -a hostname | sort | tr '\n' ' ')" "n0 n1 "
is "-A too" "$(bpsh -A hostname | sort | tr '\n' ' ')" "n0 n1 "

# Keys at a terminal.
like "Ctrl-C ends it" "$(at_terminal '\003' 'trap : INT; bpsh 0-1 sleep 33; echo status $?' \
    on n1 pgrep -f "^sleep 33")" "status (255|130)"
ok "on the nodes as well" wait_for 20 on n0 sh -c '! pgrep -f "^sleep 33"'
ok "nothing is left of it" wait_for 20 nobody_is_there
like "Ctrl-Z stops it" "$(at_terminal '\032' 'bash -ic "bpsh 0 sleep 44; jobs; kill -9 %1"' \
    on n0 pgrep -f "^sleep 44")" "Stopped +bpsh 0 sleep 44"
done_testing
