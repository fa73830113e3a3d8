#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The stages of a transfer from one node to another, cut short: what leads it dies on the node that
# the process leaves, what takes it in on the other one. The caller gets a child or an error, and in
# the end nothing is left anywhere.

. "${0%/*}/lib.sh"
. "${0%/*}/numbers.sh"

ON_TIMEOUT=20
lab_up 2

is_clean() {
    [[ $(on master bpstat -p | wc -l) == 1 ]] &&
        on n0 sh -c '! pgrep "bproc-(ghost|arriv|carrier)|onecall"' &&
        on n1 sh -c '! pgrep "bproc-(ghost|arriv|carrier)|onecall"' &&
        on master sh -c '! pgrep "bproc-(ghost|carrier)|onecall"'
}

# What is_clean looks at, for whoever reads of a failure.
all_there_is() {
    local machine
    on master bpstat -p
    for machine in master n0 n1; do
        echo "$machine:"
        on "$machine" ps -eo pid=,ppid=,stat=,etimes=,args= | grep -v ' \[\| ps -eo'
    done
}

# walk NODE WANT KIND ACTION NUMBER...: each point in turn, of the daemon of that node.
walk() {
    local node=$1 want=$2 kind=$3 action=$4 number got
    shift 4
    for number; do
        BPROC_FAULT=$number:$action bplab daemon "$node" restart || bail "cannot restart $node"
        wait_for 20 all_up || bail "$node does not come up"
        got=$(on master bpsh 0 "$PROGS/onecall" "$kind" 1 2>&1)
        like "$kind from n0 to n1, $action at point $number of $node" "$got" "$want"
        bplab daemon "$node" start 2>/dev/null
        if wait_for 30 is_clean; then
            pass "nothing is left of it"
        else
            fail "nothing is left of it" "$(all_there_is)"
        fi
    done
    bplab daemon "$node" restart || bail "cannot restart $node"
    wait_for 20 all_up || fail "$node comes up again" "$(on master bpstat -l)"
    is "$kind: the next one works" "$(on master bpsh 0 "$PROGS/onecall" "$kind" 1 2>&1)" "exited 7"
}

# call KIND: its process has that number.
call() {
    numbered "$number" "$PROGS/onecall" "$1" 1
}

is_free_again() {
    [[ $(call rexec) == "exited 7" ]]
}

# Those of others that are no more; the ghost of each parent ends just after the child.
number=$(( $(on master bpsh 0 cat /proc/sys/kernel/ns_last_pid) + 5000 ))
used=0
while (( used < 25 )) && wait_for 10 is_free_again; do
    used=$(( used + 1 ))
done
is "a number can be used again soon, time after time" "$used" 25

# One that is in the master's table and is lost before it gets to run.
BPROC_FAULT=43:stop bplab daemon n1 restart || bail "cannot restart n1"
wait_for 20 all_up || bail "n1 does not come up"
call rfork >"$TMP/lost" &
wait_for 20 arrival_is_stopped || fail "a process waits for the commit"
bplab daemon n0 kill
ok "it is killed when the node that it comes from is lost" wait_for 20 on n1 sh -c '! pgrep onecall'
on n1 pkill -KILL bproc-arrival
wait
like "its parent with it" "$(< "$TMP/lost")" 'Killed, the node is down'
bplab daemon n0 start || bail "cannot start n0"
wait_for 20 all_up || bail "n0 does not come up"
call rexec >"$TMP/next" &
wait_for 20 arrival_is_stopped || diag "no process waits for the commit"
on n1 pkill -CONT bproc-arrival
wait
is "its number can be used again" "$(< "$TMP/next")" "exited 7"
bplab daemon n1 restart || bail "cannot restart n1"

# The whole of n0 is lost with its slaved, and bpsh says so.
walk n0 'failed|was lost|illed|died' rfork kill 2 5 7
walk n0 '^failed' rfork error 4
walk n0 '^failed' rfork kill 21 24
walk n0 '^failed' rexec kill 25
walk n1 '^failed' rfork kill 41 43
walk n1 '^(failed|killed 9)' rfork kill 63

done_testing
