#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Nodes are lost: their power or their network goes, their slaved dies. The ghosts of their
# processes are killed in time, nobody else notices, and a node that comes back works and has none
# of its old processes.

. "${0%/*}/lib.sh"
. "${0%/*}/steady.sh"

PING_TIMEOUT=5
# Until a loss is noticed, and some for the machine to be slow.
SILENCE=$(( PING_TIMEOUT + 5 ))

log_lines() {
    bplab logs master | grep -c "node $1: up -> down ($2"
}

lab_up 3

# ---- slaved dies ----

steady_start 0 1 2
bplab daemon n0 kill
says "slaved is killed: the ghost of its process is killed at once" 2 "${child[0]} killed 9"
node_becomes "the node is down" 2 0 down
is "a fork there fails" "$(on master "$PROGS/onecall" rfork 0)" "failed 301"
ok "its processes have ended" wait_for 20 is_empty n0
goes_on "another node's process goes on" "${child[1]}"
is "one line in the log says why, and how many processes it cost" \
    "$(log_lines 0 '.*; 1 process lost)')" 1
bplab daemon n0 start
forks_work "slaved is started again" 0

# ---- slaved ends in order ----

bplab daemon n1 stop
says "slaved ends: the ghost of its process is killed at once" 2 "${child[1]} killed 9"
node_becomes "the node is down" 2 1 down
ok "its processes have ended" wait_for 20 is_empty n1
bplab daemon n1 start
forks_work "slaved is started again" 1
on master kill -s USR2 "${child[2]}"
ok "the parent ends with its last child" wait $steady

# ---- the network is gone for a moment ----

steady_start 0 1 2
bplab cut n2
sleep 1
bplab heal n2
goes_on "a short gap in the network costs nothing" "${child[2]}" 10
fails "and nobody is killed" grep -q killed "$STEADY"

# ---- power and network are gone ----

on master sh -c 'bpsh 1 sh -c "while echo tick; do sleep 0.05; done" >/run/ticks 2>&1 &'
wait_for 20 on master grep -q tick /run/ticks

# With the cable pulled first not even a farewell of the kernel's gets out.
bplab cut n0
bplab kill n0
bplab cut n1
is "a fork onto a node without power fails" \
    "$(ON_TIMEOUT=$(( SILENCE + 5 )) on master "$PROGS/onecall" rfork 0)" "failed 303"
says "power cut: the ghost is killed within the ping timeout" $SILENCE "${child[0]} killed 9"
says "network cut: the ghost is killed within the ping timeout" $SILENCE "${child[1]} killed 9"
node_becomes "power cut: the node is down" 5 0 down
node_becomes "network cut: the node is down" 5 1 down
ok "network cut: the node ends its processes itself" wait_for $SILENCE is_empty n1
goes_on "the third node's process goes on" "${child[2]}"
is "one line in the log for each" \
    "$(log_lines 0 '.*; 1 process lost)') $(log_lines 1 '.*; [0-9]* process\(es\)\? lost)')" "2 2"

ticks=$(on master grep -c tick /run/ticks)
bplab heal n0
bplab heal n1
bplab start n0
forks_work "power and network are back" 0 1
is "what a process said that was given up does not come out" \
    "$(on master grep -c tick /run/ticks)" "$ticks"
on master kill -s USR2 "${child[2]}"
says "the process on the third node ends as it should" 5 "${child[2]} exited 5"
wait $steady

# ---- nobody has sent that node anything yet, so a connection is being made ----

# What waits for the end of a command's output, and not for the command, comes out of the pipe.
bplab daemon n1 restart >/dev/null 2>&1
wait_for 20 node_is 1 up
bplab cut n1
start=$(date +%s%N)
is "the network goes before there is a connection: the command fails" \
    "$(on master bash -c 'bpsh 1 true 2>&1 | cat')" "1: Slave node died"
between "and lets go of its output within the ping timeout, and some" \
    $(( ($(date +%s%N) - start) / 1000000 )) 0 $(( PING_TIMEOUT * 1000 + 3000 ))
bplab heal n1
wait_for 20 node_is 1 up

# ---- the master's network is gone ----

steady_start 0 1 2
bplab cut master
for node in 0 1 2; do
    says "the master's network is cut: the ghost of node $node's process is killed" $SILENCE \
        "${child[node]} killed 9"
    ok "and the process too" wait_for $SILENCE is_empty "n$node"
done
bplab heal master
forks_work "the master's network is back" 0 1 2

# ---- a node dies that children of a vector are on their way to ----

# Looks all the time, as it may be there for a moment only.
arrival_stop() {
    on n0 timeout 20 sh -c 'until pkill -STOP -x bproc-arrival; do :; done'
}

# Those of the forks before end a moment later than these.
wait_for 20 on n0 sh -c '! pgrep -x bproc-arrival >/dev/null'
bplab exec master -- timeout 50 "$PROGS/vector" 256 1 0 0 >"$TMP/vector" 2>&1 &
vector=$!
# What is stopped where it arrives cannot be there before the node is gone.
ok "they are on their way" arrival_stop
bplab kill n0
wait $vector
is "both fail for one reason" "$(sort -u "$TMP/vector")" $'0 Slave node died\n1 ok'
bplab start n0 >/dev/null 2>&1
node_becomes "the node comes back" 20 0 up

# ---- the transfer's connection ends first, and then the link, within less than masterd waits ----

# Nanoseconds from before the one until after the other come out.
ends_in_turn='arrival=$(pgrep -x bproc-arrival) slaved=$(pgrep -o -x slaved) begun=$(date +%s%N)
    kill -KILL $arrival; sleep 0.03; kill -KILL $slaved
    while ps -p "$slaved" >/dev/null; do sleep 0.005; done; echo $(( $(date +%s%N) - begun ))'
for _ in 1 2 3 4 5 6 7 8 9 10; do
    bplab exec master -- timeout 50 "$PROGS/vector" 256 0 >"$TMP/vector" 2>&1 &
    vector=$!
    arrival_stop
    took=$(on n0 sh -c "$ends_in_turn")
    wait $vector
    bplab daemon n0 restart >/dev/null 2>&1
    wait_for 20 node_is 0 up
    (( took > 200000000 )) || break
done
name="a transfer that broke off fails by the node that died"
if (( took > 200000000 )); then
    skip "$name" "the machine is too busy to kill one soon after the other"
else
    is "$name" "$(<"$TMP/vector")" "0 Slave node died"
fi

# ---- the node's space dies ----

steady_start 0
on n0 pkill -KILL -x bproc-space
says "the process space is killed: so is the ghost" 2 "${child[0]} killed 9"
wait $steady
bplab daemon n0 restart
forks_work "slaved is started again" 0
ok "masterd knows no process any more" wait_for 20 nobody_is_there
ok "no ghost is left" wait_for 20 no_ghosts

done_testing
