#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a parent sees of its remote child and can do to it: statuses, signals, job control.

. "${0%/*}/lib.sh"

progs=$BPROC_BUILD/tests/progs
lab_up 2

on_as() {
    local user=$1
    shift
    bplab exec -u "$user" master -- timeout -k 5 "$ON_TIMEOUT" "$@"
}

cases "status" on master "$progs/ghost_status" 0
cases "signals" on master "$progs/ghost_signals" 0
cases "signals of a user" on_as nobody "$progs/ghost_signals" 1
cases "orphan" on master "$progs/ghost_orphan" 0
cases "terminal" on master "$progs/ghost_terminal" 0 "$progs/ghost_job"

# ---- what ps shows ----

# job_start NODE: a job in the background; $job is what to wait for, $parent and $child are pids.
job_start() {
    # What the last one said is not this one's, which may not have begun yet.
    : >"$TMP/dots"
    bplab exec master -- "$progs/ghost_job" "$1" >"$TMP/dots" &
    job=$!
    wait_for 20 grep -q 'child:.*' "$TMP/dots"
    wait_for 20 grep -q '\.\.\.\.' "$TMP/dots"
    child=$(tr -d '\r' <"$TMP/dots" | sed -n 's/^[.]*child: //p')
    parent=$(on master ps -o ppid= -p "$child" | tr -d ' ')
}

job_start 0
is "pgrep finds job and child by name" "$(on master pgrep -c ghost_job)" 2
is "and by command line" "$(on master pgrep -c -f "^$progs/ghost_job 0\$")" 2
is "ps shows the child's command line" "$(on master ps -o args= -p "$child")" "$progs/ghost_job 0"
is "and its name" "$(on master ps -o comm= -p "$child")" ghost_job
is "and the job as its parent" "$(on master ps -o comm= -p "$parent")" ghost_job
like "bpstat says where it is" "$(on master bpstat -p)" "(^|[^0-9])${child}[[:space:]]+0"
between "its ghost is small (KiB)" "$(on master ps -o rss= -p "$child" | tr -d ' ')" 1 4096
on master kill -9 "$child"
wait "$job"
like "a kill from outside is seen by the parent" "$(cat "$TMP/dots")" 'ended: 9'
ok "and the node has the process no more" wait_for 20 eval '! bplab exec n0 -- pgrep ghost_job'

# ---- the job is killed: its child goes on, as with fork ----

job_start 1
on master kill -9 "$parent"
ok "the child outlives its parent" on n1 pgrep ghost_job
on master kill "$child"
ok "and ends by a signal" wait_for 20 eval '! bplab exec n1 -- pgrep ghost_job'
wait "$job" 2>/dev/null

ok "no process is registered any more" wait_for 20 nobody_is_there
ok "no ghost is left" wait_for 20 no_ghosts
done_testing
