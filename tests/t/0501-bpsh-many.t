#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bpsh on many nodes: sets of them, gathered output, limits, signals, status rules.
# shellcheck disable=SC2016  # the nodes' shells expand
. "${0%/*}/lib.sh"
need_tool script
need_tool python3
need_tool perl
lab_up 3

lab=$BPROC_BUILD/lab/bplab

bpsh() {
    on master bpsh "$@"
}

here() {
    on master bash -c "$1"
}

# no_sleep NODE: a zombie's parent may take a moment.
no_sleep() {
    ! on "$1" pgrep -x sleep
}

# Which nodes.
is "-w" "$(bpsh -s -w 'n[0,2]' hostname | tr '\n' ' ')" "n0 n2 "
is "-w twice" "$(bpsh -s -w n2 -w 0 hostname | tr '\n' ' ')" "n2 n0 "
is "-w beside -a" "$(bpsh --dry-run -a -w master | tr '\n' ' ')" "0 1 2 -1 "
is "an exclusion of its own takes from the others" \
    "$(bpsh --dry-run -w '!1' -w 0-2 | tr '\n' ' ')" "0 2 "
is "and leaves none of none" "$(bpsh --dry-run -w error -w '!1')" ""
is "-x" "$(bpsh -s -a -x 1 hostname | tr '\n' ' ')" "n0 n2 "
is "-x twice, and nodes as ever" "$(bpsh -x n0 -x '[2]' 0-2 hostname)" n1
is "--nodes and --exclude" "$(bpsh --nodes=all --exclude=@none,0-1 hostname 2>&1)" \
    "bpsh: '@none' is no group of nodes"
is "none left is no failure" "$(bpsh -w 0 -x all true; echo $?)" 0
exits 1 "-w without a command" bpsh -w 0
like "is told" "$(cat "$TMP/out")" "bpsh: no command given for nodes '0'"
exits 1 "-x of what is no node" bpsh -a -x fish true
is "is told" "$(cat "$TMP/out")" "bpsh: 'fish' is no node"

# What would run.
is "--dry-run" "$(bpsh --dry-run -w 'n[0-9]' -x 1 echo 'a b' "it's")" \
    "0: $(here 'type -P echo') 'a b' 'it'\\''s'
2: $(here 'type -P echo') 'a b' 'it'\\''s'"
is "of nodes alone" "$(bpsh --dry-run 9,0 | tr '\n' ' ')" "9 0 "
exits 1 "that cannot be told" here 'bpsh --dry-run 0 >/dev/full'

# What the command knows.
is "node, rank and number" \
    "$(bpsh -s 2,0,2 sh -c 'echo $BPROC_NODE $BPROC_RANK $BPROC_NNODES' | tr '\n' '/')" \
    "2 0 3/0 1 3/2 2 3/"

# Output.
is "--label" "$(bpsh --label -1,0 sh -c 'echo a; printf b' | sort)" $'master: a\nmaster: b\nn0: a\nn0: b'
rule=---------------
odd='[ $BPROC_NODE = 1 ] && echo odd || printf even'
is "--collect" "$(bpsh --collect all sh -c "$odd")" \
    "$rule"$'\nn[0,2] (2)\n'"$rule"$'\neven\n'"$rule"$'\nn1 (1)\n'"$rule"$'\nodd'
is "without what says nothing" "$(bpsh -c all sh -c '[ $BPROC_NODE = 1 ] || echo x' | head -2)" \
    "$rule"$'\nn[0,2] (2)'
is "stderr of it goes on with names" \
    "$(bpsh -c all sh -c '[ $BPROC_NODE = 1 ] && echo no >&2' 2>&1 >/dev/null)" "n1: no"
is "--collect of 3 MB a node" \
    "$(bpsh -c all sh -c 'head -c 3000000 /dev/zero | tr "\\0" x' | tail -n +4 | wc -c)" 3000001
is "--diff" "$(bpsh --diff all sh -c "echo same; $odd")" "--- n[0,2] (2)
+++ n1 (1)
@@ -1,2 +1,2 @@
 same
-even
\\ No newline at end of file
+odd"
is "--diff of equals is empty" "$(bpsh --diff all echo same; echo $?)" 0
here 'bpsh --outdir /tmp/od 1,0,1,master sh -c "echo \$BPROC_RANK; echo \$BPROC_NODE >&2"' \
    >"$TMP/od" 2>&1
is "--outdir prints nothing" "$(cat "$TMP/od")" ""
is "but writes files" "$(here 'cd /tmp/od && grep . *' | tr '\n' ' ')" \
    "master.err:-1 master.out:3 n0.err:0 n0.out:1 n1.1.err:1 n1.1.out:2 n1.err:1 n1.out:0 "
exits 1 "into what is no directory" bpsh --outdir /etc/passwd/no 0 true
is "into a file" "$(here 'touch /tmp/file; bpsh -n --outdir /tmp/file 0 true 2>&1; echo $?')" \
    "bpsh: cannot make directory '/tmp/file': File exists"$'\n1'
is "a file in it that cannot be made is told, and is a failure" \
    "$(here 'mkdir -p /tmp/ob/n1.out; bpsh -n --outdir /tmp/ob 0-1 true 2>&1; echo $?')" \
    "bpsh: cannot open '/tmp/ob/n1.out': Is a directory"$'\n1'
is "as is one that cannot be written, which ends the command on its node" \
    "$(here 'mkdir /tmp/of; ln -s /dev/full /tmp/of/n0.out
        bpsh --outdir /tmp/of 0-1 sh -c "echo a; [ \$BPROC_NODE = 1 ] || sleep 44" 2>&1; echo $?
        cat /tmp/of/n1.out; bpsh 0 pgrep -x sleep')" \
    "bpsh: cannot write '/tmp/of/n0.out': No space left on device"$'\n1\na'
is "with --no-rc, too" "$(here 'bpsh --no-rc --outdir /tmp/of 0 echo a 2>/dev/null; echo $?')" 1
is "but others count as ever" \
    "$(here 'bpsh -S --outdir /tmp/of 0-1 sh -c "echo a; exit 3" 2>/dev/null; echo $?')" 3
is "a full disk is told, also by what is short" \
    "$(here 'mkdir /tmp/os; mount -t tmpfs -o size=64k none /tmp/os; head -c 70000 /dev/zero >/tmp/os/f
        bpsh --outdir /tmp/os/e 0 echo a; echo $?; umount /tmp/os' 2>&1 | tail -2)" \
    "bpsh: cannot write '/tmp/os/e/n0.out': No space left on device"$'\n1'
is "labels are for what is printed" \
    "$(here 'bpsh -p --outdir /tmp/ol 0 echo a; cat /tmp/ol/n0.out')" a
is "what the command leaves behind is not waited for" \
    "$(here 'bpsh --outdir /tmp/ol 0-1 sh -c "echo a
        { until [ -e /tmp/later ]; do sleep 0.05; done; echo b; } &" | cat; cat /tmp/ol/*')" $'a\na'
on n0 touch /tmp/later
on n1 touch /tmp/later
ok "but can write on" wait_for 20 on master sh -c '! grep -L b /tmp/ol/*.out | grep -q .'
many='n=0; for i in $(seq 30); do n=$n,$((i % 2)); done; ulimit -n 40; bpsh --outdir /tmp/on'
like "files for more nodes than may be open" "$(here "$many \$n true" 2>&1)" \
    "too many open files \(ulimit -n tells the limit\)"
ok "some at a time can" here "$many -f 3 \$n true"
exits 1 "two places for output" bpsh --outdir /tmp/od --json 0 true
is "are told" "$(cat "$TMP/out")" "bpsh: --json and --outdir exclude each other"
bpsh --json 2,7,0 sh -c 'printf "a\0\"\377"; echo no >&2; [ $BPROC_NODE = 0 ] && kill -9 $$; exit 3' \
    >"$TMP/json" 2>"$TMP/err"
is "--json" "$(python3 -c '
import json, sys
run = json.load(open(sys.argv[1]))
print(run["version"], run["command"][0], run["nodes"], run["nodeset"])
for task in run["tasks"]:
    print(task["node"], task["rank"], task["status"], task["signal"], task["timed_out"],
          task["error"], ascii(task["stdout"]), ascii(task["stderr"]))
' "$TMP/json")" \
"1 sh [2, 7, 0] n[0,2,7]
2 0 3 None False None 'a\\x00\"\\ufffd' 'no\\n'
7 1 None None False Invalid node number '' ''
0 2 None 9 False None 'a\\x00\"\\ufffd' 'no\\n'"
is "--json of a dry run" "$(bpsh --dry-run --json 0 true | grep -o '"nodeset":"n0"')" '"nodeset":"n0"'

# Colours.
is "--color" "$(bpsh -p --color always 0 hostname | od -An -c | tr -d ' \n')" \
    '033[36m0:033[0mn0\n'
is "BPROC_COLOR, which --color overrules" \
    "$(here 'export BPROC_COLOR=always; bpsh -p 0 true; bpsh -p 0 hostname | wc -c
        bpsh -p --color never 0 hostname')" $'17\n  0: n0'
is "none into a pipe" "$(bpsh -p 0 hostname)" "  0: n0"
exits 1 "a colour that is none" bpsh --color red 0 true
is "is told" "$(cat "$TMP/out")" "bpsh: --color: 'red' is not auto, always or never"

# Fan-out.
# The first stays until there is a second.
peak='echo + >>/tmp/peak; until [ $(grep -c + /tmp/peak) -ge 2 ]; do sleep 0.05; done
    sleep 0.3; echo - >>/tmp/peak'
here "rm -f /tmp/peak; bpsh -f 2 master,master,master,master,master sh -c '$peak'"
is "-f 2: never more than two" \
    "$(here 'n=0 m=0; while read -r c; do ((n $c= 1)); ((n > m)) && m=$n; done </tmp/peak; echo $m')" 2
is "all get all input" "$(seq 50000 | bpsh -f 1 all md5sum | sort | uniq -c | xargs)" \
    "3 $(seq 50000 | md5sum | xargs)"
is "BPROC_FANOUT" "$(here 'BPROC_FANOUT=1 bpsh 0-2 hostname' | tr '\n' ' ')" "n0 n1 n2 "
exits 1 "no fan-out" bpsh -f 0 0 true
is "is told" "$(cat "$TMP/out")" "bpsh: '0' is no number of nodes (1 to 65536)"

# Time limits.
exits 255 "--timeout" bpsh --timeout 3 0-1 sh -c '[ $BPROC_NODE = 1 ] || sleep 51'
is "is told" "$(cat "$TMP/out")" "0: no end within 3 s"
exits 124 "and children are ended, too, whatever they do about it" \
    bpsh -S --timeout 0.5 0 bash -c 'trap "" TERM; sleep 52 & (sleep 53; sleep 54); sleep 55'
ok "none is left" wait_for 5 no_sleep n0
here 'for k in 1 2 3 4 5 6 7 8 9; do
        bpsh --timeout 0.0$k 0 sh -c "for i in \$(seq 400); do sleep 77 & done; wait"
    done' >/dev/null 2>&1
ok "nor those that are forked meanwhile" wait_for 20 on n0 sh -c '! pgrep -f "^sleep 77"'
exits 255 "nor one whose name has more than a line" bpsh --timeout 1 0 python3 -c '
import ctypes, os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
ctypes.CDLL(None).prctl(15, b"two\nlines", 0, 0, 0)
time.sleep(30)'
ok "none is left of it" wait_for 5 on n0 sh -c '! pgrep -f "[t]wo.*lines"'
ON_TIMEOUT=30 exits 255 "what is left of an ended one is not waited for" \
    bpsh -p --timeout 0.5 0 sh -c 'sleep 51 & exit 0'
on n0 pkill -x sleep
wait_for 20 no_sleep n0
exits 255 "BPROC_TIMEOUT" here 'BPROC_TIMEOUT=0.5 bpsh 0 sleep 56'
exits 0 "which --timeout overrules" here 'BPROC_TIMEOUT=0.2 bpsh --timeout 9 0 sleep 0.5'
exits 0 "0 is none" here 'BPROC_TIMEOUT=0.2 bpsh --timeout 0 0 sleep 0.5'
exits 1 "no limit" bpsh --timeout soon 0 true
is "is told" "$(cat "$TMP/out")" "bpsh: 'soon' is no time limit (seconds, 0 to 1000000)"
# Both are over before the node is down.
bplab cut n1
bpsh --pty --connect-timeout 1 1 hostname >"$TMP/pty" 2>&1 &
pty=$!
exits 0 "--connect-timeout" bpsh --connect-timeout 2 0-1 hostname
like "is told and the others run" "$(sort "$TMP/out")" ^$'1: (Connection|Operation) timed out\nn0$'
exits 1 "--connect-timeout of a terminal" wait $pty
like "is told" "$(cat "$TMP/pty")" '^1: (Connection|Operation) timed out'
bplab heal n1
# TCP takes its time to try again what was lost, which may be too long for the master: with a signal
# that has come, or cannot, that is over.
here 'bpsh -n 1 sleep 56 & p=$!; until bpsh 1 pgrep -f "^sleep 56" || ! kill -0 $p; do sleep 0.05; done
    kill -TERM $p; wait $p' >/dev/null 2>&1
ok "the node comes back" wait_for 40 all_up
is "with work to do" "$(bpsh 1 hostname)" n1
ok "nothing is left of it" wait_for 20 eval 'nobody_is_there && ! on n1 pgrep -x hostname'

# Exit status.
exits 137 "-S: a death by signal" bpsh -S 0-1 sh -c '[ $BPROC_NODE = 0 ] || kill -9 $$'
exits 3 "-S: the highest" bpsh -S 0-1 sh -c 'exit $((BPROC_NODE * 3))'
exits 255 "-S: a node that is none" bpsh -S 0,7 true
exits 0 "--no-rc" bpsh --no-rc 0 sh -c 'exit 3'
exits 1 "--no-rc is not for wrong usage" bpsh --no-rc

# Signals. A shell has its background processes ignore SIGINT.
run='env --default-signal=INT bpsh -n'
is "SIGINT is passed on" \
    "$(here "$run 0-1 sh -c 'trap \"echo int; exit 5\" INT; echo on; while :; do sleep 0.1; done' \
            >/tmp/int & until [ \"\$(cat /tmp/int 2>/dev/null | grep -c on)\" = 2 ]; do sleep 0.1; done
        kill -INT \$!; wait \$!; echo \$?; grep -c int /tmp/int")" $'5\n2'
both='until bpsh 0 pgrep -f "^sleep 57" && bpsh 1 pgrep -f "^sleep 57"; do sleep 0.05; done >/dev/null'
is "and ends bpsh with the command" \
    "$(here "$run 0-1 sleep 57 & $both; kill -INT \$!; wait \$!; echo \$?" 2>&1)" 130
is "SIGTERM, too" \
    "$(here "bpsh -n 0-1 sleep 57 & $both; kill -TERM \$!; wait \$!; echo \$?" 2>&1)" 143
ok "none is left" wait_for 5 no_sleep n0
# One within less than 50 ms is the same, one after a second has passed another first one. After two
# within a second, passing on included, there is none left for SIGTERM.
is "a second SIGINT within a second kills all" \
    "$(here "$run 0 bash -c 'trap \"echo int\" INT; sleep 58 & sleep 59 & echo on; while :; do wait; done' \
            >/tmp/twice & until grep -q on /tmp/twice; do sleep 0.05; done
        for n in 1 2 3 4 5 6; do
            last=\${now:-0} now=\$(date +%s%N)
            kill -INT \$! || break
            until [ \$(grep -c int /tmp/twice) -ge \$n ] || ! kill -0 \$!; do sleep 0.05; done
            (( \$(date +%s%N) - last > 1000000000 )) || { kill -TERM \$!; break; }
            sleep 0.1
        done 2>/dev/null; wait \$!; echo \$?" 2>&1)" 130
ok "with its children" wait_for 5 no_sleep n0
bpsh -n 0-1 mkfifo /tmp/go
is "nor is what a time limit does not find waited for, whose output is there" \
    "$(here "bpsh -n -p --timeout 2 0-1 sh -c '(setsid sleep 50 &); echo a; exec sleep 61' 2>/dev/null | sort
        bpsh 0 pgrep -c -f '^sleep 50\$'")" $'  0: a\n  1: a\n1'
bpsh -n 0-1 pkill -x sleep
is "a SIGUSR2 that ends the command ends it likewise" \
    "$(here "{ bpsh -n 0-1 sleep 57 & $both; kill -USR2 \$!; wait \$!; echo \$?; } 2>&1" | tail -n 1)" 140
is "one that does not is none of its business" \
    "$(here "bpsh -n -f 1 0-1 sh -c 'trap \"\" USR2; echo n\$BPROC_NODE
            [ \$BPROC_NODE = 1 ] || timeout 20 cat /tmp/go' >/tmp/usr2 & p=\$!
        until grep -q n0 /tmp/usr2; do sleep 0.05; done
        kill -USR2 \$p; bpsh -n 0 sh -c ': >/tmp/go'; wait \$p; echo \$?; cat /tmp/usr2")" $'0\nn0\nn1'
is "SIGUSR1 shows the state" \
    "$(here "bpsh -n -f 2 0,2,1 sh -c 'echo on; [ \$BPROC_NODE = 2 ] || timeout 20 cat /tmp/go' \
            >/tmp/usr 2>/tmp/said & p=\$!
        until [ \"\$(cat /tmp/usr 2>/dev/null | grep -c on)\" = 3 ]; do sleep 0.05; done
        until [ \"\$(pgrep -c -P \$p)\" = 2 ]; do sleep 0.05; done
        kill -USR1 \$p; until grep -q done: /tmp/said; do sleep 0.05; done
        bpsh -n 0-1 sh -c ': >/tmp/go'; wait \$p; cat /tmp/said" 2>&1)" \
    $'bpsh: running: n[0-1] (2)\nbpsh: done: n2 (1)'
is "a command runs from its very beginning" \
    "$(here ': >/tmp/begun; for i in 1 2 3 4 5 6; do
            bpsh -n 0 sh -c "kill -USR1 \$PPID; timeout 20 cat /tmp/go" 2>>/tmp/begun & p=$!
            until [ $(grep -c . /tmp/begun) -ge $i ]; do sleep 0.05; done
            bpsh -n 0 sh -c ": >/tmp/go"; wait $p
        done; sort -u /tmp/begun')" "bpsh: running: n0 (1)"
# Of connections to the daemon a user has 512 at most.
tasks=$(for i in $(seq 300); do printf '0,1,'; done)
is "an ordinary user has 600 at once" \
    "$(bplab exec -u nobody master -- bpsh -n "${tasks%,}" sleep 1 2>&1 | sort -u)" ""

# At a terminal.
like "--progress" "$(at_terminal '' 'bpsh -n --progress 0-1 sleep 0.5' true)" \
    '2/2.* done|0/2.* done'
like "Enter shows the state" "$(at_terminal '\n' 'bpsh -n 0-1 sleep 4.5' \
    on master sh -c '[ "$(bpstat -p | grep -c "^[0-9]")" = 2 ]')" 'bpsh: running: n\[0-1\] \(2\)'
like "--pty" "$(at_terminal '' 'bpsh --pty 0 sh -c "tty; exit 6"; echo status $?' true)" \
    '/dev/pts/[0-9]+.*status 6'
is "--pty without a stdin" "$(here 'bpsh --pty 0 echo on <&-' | tr -d '\r')" on
ok "and with SIGCHLD ignored" on master timeout -s KILL 30 perl -e \
    '$SIG{CHLD} = "IGNORE"; exec qw(bpsh --pty 0 true)'
exits 255 "--pty with a time limit" bpsh --pty --timeout 1 0 sleep 62
is "is told" "$(cat "$TMP/out")" "0: no end within 1 s"
exits 124 "and children are ended, too, whatever they do about it" here 'BPROC_TIMEOUT=0.5 bpsh -S \
    --pty 0 bash -c "trap \"\" TERM HUP; sleep 63 & sleep 64; sleep 65"'
ok "none is left" wait_for 5 no_sleep n0
exits 3 "who ends in time does not hear of it" bpsh --pty --timeout 9 0 sh -c 'exit 3'
exits 137 "--pty and a death by signal" bpsh --pty 0 sh -c 'kill -9 $$'
is "is told by the status" "$(cat "$TMP/out")" ""
like "--pty -O" "$(here 'bpsh --pty -O /tmp/pty.out 0 tty; bpsh 0 cat /tmp/pty.out')" '^/dev/pts/[0-9]+$'
exits 1 "--pty -N" bpsh --pty -N 0 true
is "is wrong" "$(cat "$TMP/out")" "bpsh: --pty and -N exclude each other"
exits 1 "--pty with more than one node" bpsh --pty 0-1 tty
is "is told" "$(cat "$TMP/out")" "bpsh: --pty goes with one node, not 2"
done_testing
