#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The virtual cluster: its commands, several at once, and that nothing stays of one.
. "${0%/*}/lib.sh"
need_root
need_criu
need_tool script

# Labs of this test alone: what is left of them cannot be mistaken.
export BPLAB_DIR=$TMP/labs

# shellcheck disable=SC2034  # lib.sh takes it down if a case ends the test
LAB=lab1
lab=$BPROC_BUILD/lab/bplab
second() {
    LAB=lab2 bplab "$@"
}

settings='net\.(ipv4|ipv6|core|bridge)|fs\.(pipe|inotify|file-max|mqueue)|vm\.(max|over|swap)'
settings+='|kernel\.(pid_max|core|sched|unpriv|yama)'

# What a lab may leave on the machine: processes, mounts, links, settings.
machine() {
    pgrep -af "$TMP/labs"
    grep -F "$TMP/labs" /proc/mounts
    ip -o link | cut -d: -f2
    sysctl -a 2>/dev/null | grep -E "^($settings)"
    ls /run/netns 2>/dev/null
}

# down_clean NAME CMD...: the command succeeds, and nothing is left of the lab.
down_clean() {
    ok "$1" "${@:2}"
    is "and nothing stays" "$(machine)" "$before"
    fails "not even its folder" test -e "$TMP/labs"
}

is "--version" "$(bplab --version)" \
    "bplab $(sed -n 's/^#define PACKAGE_VERSION "\(.*\)"/\1/p' "$BPROC_BUILD/config.h")"
like "--help" "$(bplab --help)" "^Usage: bplab .-c NAME. COMMAND"
exits 2 "no command" bplab
exits 2 "no such command" bplab dance
exits 2 "no such option" bplab up --dance
exits 2 "17 nodes" bplab up 17
exits 2 "nodes that are no number" bplab up three
exits 2 "a bad name of a lab" bplab -c a/b up
exits 1 "status of no lab" bplab status
ok "down of no lab" bplab down
exits 125 "exec in no lab" bplab exec n0 true

before=$(machine)
ok "a lab is started" bplab up 2
is "and is said to be up" "$(cat "$TMP/out")" "lab lab1 is up: master and 2 nodes"
exits 1 "it is not started twice" bplab up 2
like "as it is up already" "$(cat "$TMP/out")" "cannot start lab lab1: it is up already"
is "status" "$(bplab status | awk '{ print $1, $2, $3, ($4 > 1), ($5 > 0) }')" \
    "NODE ADDRESS STATE 1 1
master 10.77.0.1 up 1 1
n0 10.77.1.1 up 1 1
n1 10.77.1.2 up 1 1"
is "all nodes are up" "$(on master bpstat -t allup)" 2

# exec
is "exec runs on the node" "$(bplab exec n1 hostname)" n1
is "exec passes stdin" "$(printf 'a\0b' | bplab exec n0 -- od -An -c | tr -d ' ')" 'a\0b'
is "a long one too" "$(head -c 20000000 /dev/zero | bplab exec n0 -- wc -c)" 20000000
is "stderr stays apart" "$(bplab exec n0 -- sh -c 'echo no >&2; echo yes' 2>/dev/null)" yes
exits 7 "exec passes the exit status" bplab exec n0 -- sh -c 'exit 7'
exits 137 "and a death by signal" bplab exec n0 -- sh -c 'kill -9 $$'
exits 127 "exec of no command" bplab exec n0 -- nosuchcommand
exits 126 "exec of no program" bplab exec n0 -- /etc/passwd
exits 125 "exec on no node" bplab exec n2 true
exits 2 "exec of nothing" bplab exec n0
"$lab" -c lab1 exec n0 -- \
    sh -c 'trap "echo got it; exit 9" TERM; echo ready; while :; do sleep 0.05; done' >"$TMP/trap" &
executor=$!
wait_for 20 grep -q ready "$TMP/trap"
kill "$executor"
wait "$executor"
is "exec passes signals" "$? $(tail -n 1 "$TMP/trap")" "9 got it"
"$lab" -c lab1 exec n0 -- sh -c 'echo $$; exec sleep 77' >"$TMP/pid" &
executor=$!
wait_for 20 test -s "$TMP/pid"
kill -9 "$executor"
wait "$executor" 2>/dev/null
ok "its death too" wait_for 20 on n0 sh -c '! pgrep -x sleep'
is "exec -u" "$(bplab exec -u nobody n0 -- id -un)" nobody
exits 125 "exec -u of no user" bplab exec -u nosuchuser n0 true
is "exec has no terminal" "$(bplab exec n0 -- tty)" "not a tty"
like "exec -t gives one" "$(bplab exec -t n0 -- tty </dev/null)" "^/dev/pts/"
is "a shell" "$(echo 'hostname; id -u' | bplab shell n1)" $'n1\n0'
like "a shell at a terminal" \
    "$(printf 'tty\nexit\n' | script -qec "$lab -c lab1 shell n1" /dev/null)" "/dev/pts/"

# Nodes by themselves.
on n0 sh -c 'echo kept >/root/file; echo lost >/run/file'
is "a node has files of its own" \
    "$(on n1 sh -c 'ls /root/file 2>/dev/null')$(ls /root/file 2>/dev/null)" ""
is "a process space of its own" \
    "$(on n0 sh -c 'ls -d /proc/[0-9]* | wc -l' | awk '{ print $1 < 30 }')" 1
ok "the nodes reach each other by name" on n0 ping -c 1 -W 2 n1
ok "kill cuts the power" bplab kill n0
is "of that node" "$(bplab status | awk '$1 == "n0" { print $3, $4, $5 }')" "down - stopped"
exits 125 "no command runs there" bplab exec n0 true
ok "the master sees it" wait_for 20 sh -c "[ \$($lab -c lab1 exec master bpstat -s 0) = down ]"
ok "start boots it" bplab start n0
is "with its disk" "$(on n0 cat /root/file)" kept
fails "without its memory" on n0 test -e /run/file
is "it is up again" "$(on master bpstat -s 0)" up
exits 1 "it is not started twice" bplab start n0
ok "cut" bplab cut n1
is "is shown" "$(bplab status | awk '$1 == "n1" { print $3 }')" cut
exits 124 "and cuts the network" on master sh -c \
    'exec timeout 1 bash -c "exec 3<>/dev/tcp/10.77.1.2/2224"'
ok "the master sees it within its pingtimeout" \
    wait_for 8 sh -c "[ \$($lab -c lab1 exec master bpstat -s 1) = down ]"
ok "heal" bplab heal n1
ok "heals" wait_for 20 sh -c "[ \$($lab -c lab1 exec master bpstat -s 1) = up ]"
ok "daemon stop" bplab daemon n1 stop
is "is shown" "$(bplab status | awk '$1 == "n1" { print $3, $5 }')" "up stopped"
exits 1 "and not done twice" bplab daemon n1 stop
ok "daemon start" bplab daemon n1 start
is "waits until the node is up" "$(on master bpstat -s 1)" up
ok "daemon restart" bplab daemon master restart
like "logs" "$(bplab logs n1)" "slaved: node 1 is ready"
exits 2 "logs of what is none" bplab logs
exits 1 "kill of what is none" bplab kill n9

# A second one beside it.
ok "another lab beside it" second up 1 --config-line 'logfacility local3'
is "has nodes of its own" "$(LAB=lab2 on master bpstat -t) $(on master bpstat -t)" "1 2"
is "and what was said about its configuration" "$(LAB=lab2 on master tail -n 1 /etc/bproc/config)" \
    "logfacility local3"
is "both are in the list" "$(bplab list)" $'lab1 2\nlab2 1'
ok "it ends" second down
is "alone" "$(bplab list)" "lab1 2"
ok "the first one is whole" wait_for 20 all_up
ok "and goes on" on master bpsh all true
down_clean "down" bplab down

# Labs that were killed.
"$lab" -c lab1 up 3 >/dev/null 2>&1 &
starter=$!
wait_for 20 test -e "$TMP/labs/lab1/nodes/n0/init"
kill -9 "$starter"
wait "$starter" 2>/dev/null
down_clean "down of a lab whose start was killed" bplab down
"$lab" -c lab1 up 3 >/dev/null 2>&1 &
starter=$!
wait_for 20 test -e "$TMP/labs/lab1/nodes/n0/init"
kill -TERM "$starter"
wait "$starter" 2>/dev/null
wait_for 20 test ! -e "$TMP/labs"
is "a start that is interrupted cleans up by itself" "$(machine)" "$before"
bplab up 2 --no-daemons >/dev/null 2>&1
for pid in $(bplab status | awk 'NR > 1 { print $4 }'); do kill -9 "$pid"; done
down_clean "down of a lab whose nodes were killed" bplab down

ok "none" bplab up 0
ok "beside the master, which works" on master bpstat
down_clean "a lab of a master goes" bplab down
ok "a table of more nodes than there are machines" bplab up 1 --config-line 'nodes 100'
is "says so" "$(on master bpstat -t)" 100
down_clean "which goes, too" bplab down
ok "16 nodes" bplab up 16
is "are up" "$(on master bpstat -t allup)" 16
is "and run a command" "$(on master bpsh -a hostname | sort -V | tr '\n' ' ')" \
    "n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 n10 n11 n12 n13 n14 n15 "
down_clean "down" bplab down
done_testing
