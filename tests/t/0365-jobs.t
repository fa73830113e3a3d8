#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sessions and process groups across the master and its nodes, and what is typed at a terminal.

. "${0%/*}/lib.sh"
. "${0%/*}/numbers.sh"

lab_up 2

# job_start SCRIPT: a session of its own on the master in the background; its output comes into
# $TMP/job, through a pipe, as a node has not got that file.
job_start() {
    : >"$TMP/job"      # what the last one said is not to be taken for this one's
    bplab exec master -- timeout 50 setsid -w bash -c "$1" </dev/null > >(cat >"$TMP/job") 2>&1 &
    job=$!
}

word() {
    sed -n "s/^$1 //p" "$TMP/job"
}

said() {
    [[ -n $(word "$1") ]]
}

# ids NODE PID: group and session there; the master is -1.
ids() {
    if (( $1 < 0 )); then
        on master ps -o pgid=,sid= -p "$2"
    else
        on master bpsh -n "$1" ps -o pgid=,sid= -p "$2"
    fi | xargs
}

has_ids() {
    [[ $(ids "$1" "$2") == "$3" ]]
}

is_empty() {
    [[ -z $(on master bpsh -n "$1" ps -eo comm= | grep sleep) ]]
}

# ---- the same numbers on both sides ----

job_start 'echo leader $$; bpsh 0 sh -c "echo job \$\$; sleep 40 & echo child \$!; wait"'
wait_for 20 said child || bail "no word of a job: $(cat "$TMP/job")"
leader=$(word leader)
is "the session and the group on the master" "$(ids -1 "$(word job)")" "$leader $leader"
is "are those on the node" "$(ids 0 "$(word job)")" "$leader $leader"
is "its child has them, too" "$(ids 0 "$(word child)")" "$leader $leader"
ok "and so has the child's ghost" wait_for 20 has_ids -1 "$(word child)" "$leader $leader"
on master kill -TERM -- "-$leader"
ok "a signal to the group on the master reaches all members" wait_for 20 is_empty 0
wait "$job"

# ---- groups that are made on a node ----

job_start 'echo leader $$
    bpsh 0 bash -c "set -m; sh -c \"sleep 40 & sleep 41\" & echo child \$!; wait \$!; echo status \$?"'
wait_for 20 said child
leader=$(word leader) child=$(word child)
is "a shell on the node puts a job into a group of its own" "$(ids 0 "$child")" "$child $leader"
ok "its ghost gets into that group" wait_for 20 has_ids -1 "$child" "$child $leader"
ok "and the ghosts of the job's children as well" wait_for 20 eval \
    '(( $(on master pgrep -c -g "$child") >= 3 ))'
on master bpsh -n 0 kill -TERM -- "-$child"
ok "a signal to the group on the node ends the job" wait_for 20 said status
is "as it should" "$(word status)" 143
wait "$job"
ok "and all members" wait_for 20 is_empty 0

job_start 'bpsh 0 bash -c "set -m; sh -c \"sleep 40 & sleep 41\" & echo child \$!; wait \$!; echo status \$?"'
wait_for 20 said child
child=$(word child)
wait_for 20 eval '(( $(on master pgrep -c -g "$child") >= 3 ))'
on master kill -TERM -- "-$child"
ok "as does a signal to its number on the master" wait_for 20 said status
wait "$job"
ok "for all members" wait_for 20 is_empty 0

# ---- members on several nodes ----

job_start 'echo leader $$; bpsh 0 sleep 40 & bpsh 1 sleep 40 & bpsh 1 sh -c "sleep 41 & wait" & wait'
wait_for 20 said leader
wait_for 20 eval '(( $(on master pgrep -c -g "$(word leader)" -x sleep) >= 3 ))'
on master kill -STOP -- "-$(word leader)"
ok "a group is stopped on each node" wait_for 20 eval \
    '[[ $(on master bpsh -n 0,1 ps -eo stat=,comm= | grep sleep | cut -c1 | sort -u) == T ]]'
on master kill -CONT -- "-$(word leader)"
ok "and goes on" wait_for 20 eval \
    '[[ $(on master bpsh -n 0,1 ps -eo stat=,comm= | grep sleep | cut -c1 | sort -u) == S ]]'
on master kill -KILL -- "-$(word leader)"
ok "it ends on the one" wait_for 20 is_empty 0
ok "and on the other" wait_for 20 is_empty 1
wait "$job"

# ---- a process goes to where it is somebody's parent ----

job_start "exec $PROGS/space_second 0"
wait_for 20 said self || diag "$(cat "$TMP/job")"
self=$(word expect)
is "it keeps its number" "$(word self)" "$self"
wait_for 20 said parent
is "its child has the same parent as before" "$(word parent)" "$self"
is "both are there" "$(on master bpstat -p | grep -c "^\($self\|$(word child)\)	0\$")" 2
on n0 touch /tmp/second
wait "$job"
is "its exit status is its own" $? 6
ok "then the child is an orphan" wait_for 20 eval '[[ $(word parent | xargs) == "$self 1" ]]'
ok "and ends" wait_for 20 eval '! on master kill -0 "$(word child)"'

# ---- a program forks before its node has said that it runs ----

BPROC_FAULT=43:stop bplab daemon n1 restart || bail "cannot restart n1"
wait_for 20 all_up || bail "n1 does not come up"

# n1 has had the time to find what has that command line, and what is older.
has_been_found() {
    on n1 pgrep -O 2 -x -f "$1"
}

# counted: lets the program on n1 go on that waits to be counted.
counted() {
    on n1 pkill -CONT bproc-arrival
    wait_for 20 eval '! arrival_is_stopped'
}

are_there() {
    [[ $(on master bpstat -p | grep -c '	1$') == "$1" ]]
}

job_start 'echo leader $$; bpsh 1 sh -c "sleep 40 & echo child \$!; wait"'
ok "a program runs that the master does not count" wait_for 20 arrival_is_stopped
ok "it has forked" wait_for 20 has_been_found "sleep 40"
counted
wait_for 20 said child || diag "$(cat "$TMP/job")"
ok "once he does its child has a ghost" wait_for 20 has_ids -1 "$(word child)" \
    "$(word leader) $(word leader)"
on master kill -TERM -- "-$(word leader)"
wait "$job"
ok "and ends with it" wait_for 20 nobody_is_there

# The master must not know the user from before: only then he does not believe n1.
bplab daemon master restart || bail "cannot restart the master"
wait_for 20 all_up || bail "the nodes do not come back"
job_start 'bpsh 1 sh -c "( (sleep 40 & echo child \$!; wait) & sleep 1 ); sleep 41"'
wait_for 20 arrival_is_stopped
ok "another one's grandchild has lost its parent" wait_for 20 has_been_found "sleep 41"
counted
wait_for 20 said child || diag "$(cat "$TMP/job")"
ok "has a ghost then, as has what it has forked" wait_for 20 on master kill -0 "$(word child)"
ok "and is listed" wait_for 20 are_there 4
on n1 pkill -x sleep
wait "$job"
ok "until it ends" wait_for 20 nobody_is_there

bplab exec master -- bpsh 1 sleep 300 >/dev/null 2>&1 &
other=$!
wait_for 20 arrival_is_stopped
counted
wait_for 20 are_there 1 || diag "$(on master bpstat -p)"
job_start 'bpsh 1 sh -c "sleep 40 & wait; exec sleep 41"'
wait_for 20 arrival_is_stopped
ok "the child of one more is there" wait_for 20 has_been_found "sleep 40"
bplab daemon master restart || bail "cannot restart the master"
wait_for 20 all_up || bail "the nodes do not come back"
on n1 pkill -x -f "sleep 40"
ok "it ends before a restarted master counts that" wait_for 20 eval '! on n1 pgrep -x -f "sleep 40"'
on n1 pkill -CONT bproc-arrival
ok "and is not listed for ever" wait_for 20 are_there 1
on n1 pkill -x sleep
wait "$job" "$other"
bplab daemon n1 restart || bail "cannot restart n1"
wait_for 20 all_up || bail "n1 does not come up"

# ---- at a terminal ----

cases "terminal" on master "$PROGS/space_terminal" 0 1
cases "terminal" on master "$PROGS/terminal_input" 0

ok "no process is left" wait_for 20 nobody_is_there
ok "nor a ghost" wait_for 20 no_ghosts
done_testing
