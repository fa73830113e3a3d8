#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Processes that are forked on nodes: their numbers, and what the master shows of them and can do.

. "${0%/*}/lib.sh"

OWN_END=1048576                 # numbers below are the master's own
BLOCK=65536                     # of a node

lab_up 2

# job_start NODE SCRIPT: a shell there in the background; $job is what to wait for, its output comes
# into $TMP/job.
job_start() {
    # What the last one said is not this one's, which may not have begun yet.
    : >"$TMP/job"
    bplab exec master -- timeout 150 bpsh "$1" sh -c "$2" >"$TMP/job" 2>&1 &
    job=$!
}

# word NAME: what the job said after NAME.
word() {
    sed -n "s/^$1 //p" "$TMP/job"
}

said() {
    [[ -n $(word "$1") ]]
}

lists() {
    on master bpstat -p | grep -qP "^$1\t$2\$"
}

ghost_is() {
    [[ $(on master ps -o "$1=" -p "$2" | tr -d ' ') == "$3" ]]
}

gone() {
    ! on master kill -0 "$1" 2>/dev/null
}

# state NODE PID: as the node's own ps shows it.
state() {
    on master bpsh -n "$1" ps -o stat= -p "$2" | cut -c1
}

state_is() {
    [[ $(state "$1" "$2") == "$3" ]]
}

# ---- a child is seen ----

job_start 0 'echo shell $$; sleep 140 & echo child $!; wait $!; echo status $?'
wait_for 20 said child || bail "no word of a job: $(cat "$TMP/job")"
shell=$(word shell) child=$(word child)
first=$(( OWN_END + BLOCK ))
between "a number that was given out on a node is of its block" "$child" "$first" \
    $(( first + BLOCK - 1 ))
between "one of the master is below all blocks" "$shell" 1 $(( OWN_END - 1 ))
ok "the master lists the child" wait_for 20 lists "$child" 0
ok "its ghost has its number and its parent's ghost for a parent" wait_for 20 \
    ghost_is ppid "$child" "$shell"
# Who makes it sets its parent first, and its words with its program.
ok "its name" wait_for 20 ghost_is comm "$child" sleep
is "its command line" "$(on master ps -o args= -p "$child")" "sleep 140"
is "its group" "$(on master ps -o pgid= -p "$child" | tr -d ' ')" \
    "$(on master ps -o pgid= -p "$shell" | tr -d ' ')"
like "ps on the node shows both by the same numbers" \
    "$(on master bpsh 0 ps -eo pid=,ppid=,args= | tr -s ' ')" "(^|[[:space:]])$child $shell sleep 140"

# ---- signals and stops ----

on master kill -STOP "$child"
ok "a stop of the ghost stops the process" wait_for 20 state_is 0 "$child" T
on master kill -CONT "$child"
ok "and SIGCONT lets it go on" wait_for 20 state_is 0 "$child" S
on master bpsh -n 0 kill -STOP "$child"
ok "a stop on the node stops the ghost" wait_for 20 ghost_is s "$child" t
on master bpsh -n 0 kill -CONT "$child"
ok "which goes on with the process" wait_for 20 ghost_is s "$child" S
on master kill -TERM "$child"
ok "a signal to the ghost reaches the process" wait_for 20 said status
is "whose parent sees it" "$(word status)" 143
ok "the ghost is gone" wait_for 20 gone "$child"
wait "$job"

job_start 1 'sleep 140 & echo child $!; wait $!; echo status $?'
wait_for 20 said child
child=$(word child)
wait_for 20 lists "$child" 1
wait_for 20 ghost_is comm "$child" sleep
on master kill -KILL "$child"
ok "a ghost that is killed takes the process along" wait_for 20 said status
is "as by SIGKILL" "$(word status)" 137
wait "$job"
ok "nothing is listed any more" wait_for 20 nobody_is_there

job_start 0 "$PROGS/beside"
wait_for 20 said child
child=$(word child)
ok "a child that keeps its parent's memory is listed" wait_for 20 lists "$child" 0
ok "has a ghost" wait_for 20 ghost_is ppid "$child" "$(word parent)"
on master kill -TERM "$child"
ok "and can be killed" wait_for 20 said status
is "as its parent sees" "$(word status)" 15
wait "$job"

# ---- families ----

job_start 0 'echo shell $$; (sleep 140 & echo early $!)
    sleep 141 & echo late $!; setsid sleep 142 & echo leader $!; sleep 1; echo over'
wait_for 20 said leader
early=$(word early) late=$(word late) leader=$(word leader)
for pid in "$early" "$late" "$leader"; do
    wait_for 20 ghost_is comm "$pid" sleep || diag "no ghost of $pid"
done
is "one whose parent has gone has init for its parent" \
    "$(on master bpsh 0 ps -o ppid= -p "$early" | tr -d ' ')" 1
# The node may have seen each before it was what it is now.
ok "and its ghost as well" wait_for 20 ghost_is ppid "$early" 1
ok "a session that was made on the node is the ghost's as well" wait_for 20 \
    ghost_is pgid "$leader" "$leader"
ok "with its leader" wait_for 20 ghost_is sid "$leader" "$leader"
ok "children outlive their parent" wait_for 20 ghost_is ppid "$late" 1
ok "on the node too" wait_for 20 eval '[[ $(on master bpsh 0 ps -o ppid= -p '"$late"') == *1 ]]'
on master kill "$early" "$late" "$leader"
for pid in "$early" "$late" "$leader"; do
    ok "and can be killed" wait_for 20 gone "$pid"
done
wait "$job"

# ---- crowds ----

before=$(on master cat /proc/sys/kernel/ns_last_pid)
ok "1000 short-lived children" on master bpsh -n 1 sh -c \
    'i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i + 1)); done'
after=$(on master cat /proc/sys/kernel/ns_last_pid)
between "cost the master no process" $(( after - before )) 1 60
ok "nothing is left of them" wait_for 20 nobody_is_there

bplab exec -u nobody master -- timeout 150 bpsh -n 0 sh -c \
    'i=0; while [ $i -lt 120 ]; do sleep 140 & i=$((i + 1)); done; wait' &
crowd=$!
wait_for 20 eval '(( $(on master pgrep -c -u nobody) > 5 ))'
job_start 1 'sleep 140 & echo child $!; wait $!'
wait_for 20 said child
ok "a user's crowd does not keep another's ghost away" wait_for 20 ghost_is comm "$(word child)" sleep
on master kill "$(word child)"
wait "$job"
ok "the crowd comes in" wait_for 20 eval '(( $(on master pgrep -c -u nobody) >= 123 ))' ||
    diag "$(bplab logs master | tail -n 20)" "$(on master ps -u nobody -o pid,ppid,stat,args)"
on master pkill -KILL -u nobody
wait "$crowd" 2>/dev/null
ok "and goes by a kill on the master" wait_for 20 nobody_is_there

# ---- masterd is started again ----

job_start 0 'sleep 140 & echo child $!; wait $!; echo status $?'
wait_for 20 said child
child=$(word child)
wait_for 20 ghost_is comm "$child" sleep
bplab daemon master kill
is "the ghost stays when masterd is killed" "$(on master ps -o comm= -p "$child")" sleep
bplab daemon master start
ok "the next masterd lists the child" wait_for 20 lists "$child" 0
ok "with its ghost" ghost_is comm "$child" sleep
wait_for 20 eval 'on master kill -TERM "$child"; sleep 0.2; said status'
is "which passes signals on" "$(word status)" 143
wait "$job"
ok "and ends with it" wait_for 20 gone "$child"

# ---- one comes when another one of the same parent ends ----

is "600 programs of one parent, some at a time" \
    "$(ON_TIMEOUT=60 on master "$BPROC_BUILD/tests/progs/execmove_many" 0 600)" ok

# ---- numbers are given out again ----

on master sed -i 's/^nodes .*/nodes 10000/' /etc/bproc/config
bplab daemon master restart
BLOCK=256                       # of so many nodes
wait_for 20 on master bpsh -n 1 true
job_start 1 'i=0; while [ $i -lt 60 ]; do
        j=0; while [ $j -lt 10 ]; do sh -c "echo number \$\$"; j=$((j + 1)); done
        sleep 0.02; i=$((i + 1)); done'
wait "$job"
numbers=$(word number)
is "600 more children ran" "$(wc -l <<<"$numbers")" 600
between "no number is below the block" "$(sort -n <<<"$numbers" | head -n 1)" \
    $(( OWN_END + 2 * BLOCK )) $(( OWN_END + 3 * BLOCK ))
between "none beyond it" "$(sort -n <<<"$numbers" | tail -n 1)" \
    $(( OWN_END + 2 * BLOCK )) $(( OWN_END + 3 * BLOCK - 1 ))

ok "the master's own numbers stay below the blocks" eval \
    '(( $(on master cat /proc/sys/kernel/ns_last_pid) < OWN_END ))'
done_testing
