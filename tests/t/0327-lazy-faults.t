#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# BPROC_RFORK_LAZY, when whoever brings the memory dies: the call fails, or if the child runs it dies
# too, and never goes on with zeros for what it lacks.

. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"

prog=$PROGS/lacking
said=/tmp/lacking-said
lab_up 1
ON_TIMEOUT=30

node_said() {
    on n0 cat "$said"
}

is_said() {
    [[ $(node_said) == *"$1"* ]]
}

# begin CASE: it runs, and its last pages stay on the master.
begin() {
    on n0 rm -f "$said"
    on master "$prog" "$1" 0 "$said" >"$TMP/case" 2>&1 &
    job=$!
    ok "$1: it runs, while pages are missing" wait_for 20 is_said runs
}

# ended NAME: as it should, for whoever forked it.
ended() {
    local status=0
    wait "$job" || status=$?
    is "$1: $(cat "$TMP/case")" "$status" 0
}

holders_go() {
    on master pkill -CONT bproc-carrier
    ! on master pgrep bproc-pages && nobody_is_there && ! on n0 pgrep bproc-ward
}

other_ward() {
    local now
    now=$(on n0 pgrep bproc-ward) && [[ $now != "$ward" ]]
}

node_logs() {
    bplab logs n0 | grep -qE "$1"
}

# stopped_masterd [POINT]: who sends memory stops when the process runs.
stopped_masterd() {
    BPROC_FAULT=${1:-26}:stop bplab daemon master restart
    wait_for 20 node_is 0 up
}

# Before it has been found by who restores the process (46), and after that.
for fault in {46,45}:{kill,error}; do
    BPROC_FAULT=$fault bplab daemon n0 restart
    wait_for 20 node_is 0 up
    ON_TIMEOUT=9 fails "who is to bring the memory dies first: the call fails soon ($fault)" \
        on master "$PROGS/lazy" scattered 0 64
    ok "nothing is left" wait_for 20 holders_go
done
bplab daemon n0 restart
wait_for 20 node_is 0 up

stopped_masterd
begin waits
on n0 pkill -KILL bproc-arrival
ended "the receiver is killed, and the process with it"
is "it has seen nothing else" "$(node_said)" runs
ok "the node's log says why" wait_for 20 node_logs 'process [0-9]+ lost its memory: what .* killed'
ok "nothing is left" wait_for 20 holders_go

begin survives
on n0 pkill -KILL bproc-arrival
ended "one that ends while its memory comes"
ok "what it has forked dies of the first page" wait_for 20 is_said status
is "by SIGBUS" "$(node_said)" $'runs\nstatus 7'
ok "nothing is left" wait_for 20 holders_go

begin waits
ward=$(on n0 pgrep bproc-ward)
on n0 pkill -KILL bproc-ward
ok "who would stand in is killed: there is another one" wait_for 20 other_ward
on n0 pkill -KILL bproc-arrival
ended "then the receiver"
is "it has seen nothing else" "$(node_said)" runs
ok "nothing is left" wait_for 20 holders_go

# both_killed: who brings the memory and who stands in for that, before either can do anything.
both_killed() {
    on n0 bash -c 'pids="$(pgrep bproc-arrival) $(pgrep bproc-ward)"
        kill -STOP $pids && kill -KILL $pids'
}

for round in {1..4}; do
    begin waits
    both_killed
    ended "both are killed at once ($round)"
    is "it has seen nothing else" "$(node_said)" runs
done
for round in 1 2; do
    begin survives
    both_killed
    ended "also if it ends while its memory comes ($round)"
    ok "what it has forked dies of the first page" wait_for 20 is_said status
    is "by SIGBUS" "$(node_said)" $'runs\nstatus 7'
done
ok "nothing is left" wait_for 20 holders_go

begin waits
bplab daemon n0 kill
bplab daemon n0 start
ended "the node's daemon is killed"
is "it has seen nothing else" "$(node_said)" runs
wait_for 20 node_is 0 up
ok "nothing is left" wait_for 20 holders_go

begin waits
bplab daemon master kill
is "the master's daemon is killed, and the process waits" "$(node_said)" runs
on master pkill -KILL bproc-carrier
wait "$job"
ok "and is killed when its memory has gone" wait_for 20 eval '! on n0 pgrep -x lacking'
is "it has seen nothing else" "$(node_said)" runs
stopped_masterd

begin tampers
ended "one that wants to hold up who reads its faults is killed"
is "it has seen nothing else" "$(node_said)" runs
ok "nothing is left" wait_for 20 holders_go

# The filler waits for the rest of a batch then, for as long as the master's machine may be silent.
stopped_masterd 27
begin waits
ended "the sender stops in the middle: the process is killed in time"
is "it has seen nothing else" "$(node_said)" runs
ok "the node's log says why" wait_for 20 node_logs 'lost its memory: Connection timed out'
ok "nothing is left" wait_for 20 holders_go

done_testing
