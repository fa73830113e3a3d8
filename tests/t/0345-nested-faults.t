#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The stages of a transfer from one node to another, cut short: what leads it dies on the node that
# the process leaves, what takes it in on the other one. The caller gets a child or an error, and in
# the end nothing is left anywhere.

. "${0%/*}/lib.sh"

ON_TIMEOUT=20
lab_up 2

all_up() {
    ! on master bpstat -l | tail -n +2 | grep -qv ' up '
}

is_clean() {
    [[ $(on master bpstat -p | wc -l) == 1 ]] &&
        on n0 sh -c '! pgrep "bproc-(ghost|arriv|carrier)|onecall"' &&
        on n1 sh -c '! pgrep "bproc-(ghost|arriv|carrier)|onecall"' &&
        on master sh -c '! pgrep "bproc-(ghost|carrier)|onecall"'
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
        ok "nothing is left of it" wait_for 15 is_clean
    done
    bplab daemon "$node" restart || bail "cannot restart $node"
    wait_for 20 all_up
    is "$kind: the next one works" "$(on master bpsh 0 "$PROGS/onecall" "$kind" 1)" "exited 7"
}

# The whole of n0 is lost with its slaved, and bpsh says so.
walk n0 'failed|was lost|illed|died' rfork kill 2 5 7
walk n0 '^failed' rfork error 4
walk n0 '^failed' rfork kill 21 24
walk n0 '^failed' rexec kill 25
walk n1 '^failed' rfork kill 41 43
walk n1 '^(failed|killed 9)' rfork kill 63

done_testing
