#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ghosts that are late. One that was kept from its daemon comes back when its process is long gone
# and the number is another's: it ends, and the process that has the number now is none of its. One
# that is made when its process has gone on to another node meanwhile finds it there.

. "${0%/*}/lib.sh"
. "${0%/*}/numbers.sh"

ON_TIMEOUT=20
lab_up 2

ghost_is_there() {
    on master test -d "/proc/$number"
}

leads_its_session() {
    [[ $(on master ps -o sid= -p "$number" | tr -d ' ') == "$number" ]]
}

is_listed() {
    on master bpstat -p | grep -qE "^$number[[:space:]]+$1\$"
}

number=$(( $(on master bpsh 0 cat /proc/sys/kernel/ns_last_pid) + 5000 ))
# Of a session of its own, so that the kernel does not continue it when its parent ends.
numbered "$number" bpsh 1 setsid sleep 300 >/dev/null &
wait_for 20 is_listed 1 || fail "a process of n0 runs on n1" "$(on master bpstat -p)"
wait_for 20 leads_its_session || fail "its ghost on the master leads a session"

# It is stopped, so it does not see that its daemon is there again.
bplab daemon master kill
on master kill -STOP "$number"
bplab daemon master start || bail "cannot start master"
wait_for 20 all_up || bail "the nodes do not come back"
BPROC_FAULT=43:stop bplab daemon n1 restart || bail "cannot restart n1"
wait_for 20 all_up || bail "n1 does not come up"
wait
ok "a stopped ghost outlasts its process" ghost_is_there

numbered "$number" "$PROGS/onecall" rfork 1 >"$TMP/next" &
wait_for 20 arrival_is_stopped || fail "a process waits for the commit"
ok "another has the number" wait_for 20 is_listed 1
on master kill -CONT "$number"
ok "the old ghost ends" wait_for 20 eval '! ghost_is_there'
on n1 pkill -CONT bproc-arrival
wait
is "the new process ends as it should" "$(< "$TMP/next")" "exited 7"
ok "nothing is left of either" wait_for 20 eval '! ghost_is_there && ! is_listed 1'

bplab daemon n1 restart || bail "cannot restart n1"
wait_for 20 all_up || bail "n1 does not come up"

# A stopped ghost makes none: its process's child is known, and gone to n1, before its own is made.
on n0 mkfifo /tmp/go
# shellcheck disable=SC2016
on master bpsh 0 sh -c '(read go </tmp/go; exec "$0" hold 1) & echo $! $$ && kill -STOP $$ && wait $!; echo $?' \
    "$PROGS/travel" >"$TMP/parent" &
wait_for 20 test -s "$TMP/parent" || fail "a parent starts a child"
read -r number parent <"$TMP/parent"
parent_is_stopped() {
    [[ $(on master ps -o s= -p "$parent") == [tT] ]]
}
wait_for 20 parent_is_stopped || fail "the parent's ghost is stopped"
on n0 sh -c ': >/tmp/go'
ok "a child goes on while its parent is stopped" wait_for 20 is_listed 1
ok "and has no ghost" eval '! ghost_is_there'
on n0 pkill -CONT -f 'exec ..0. hold'
ok "it gets one when its parent goes on" wait_for 20 ghost_is_there
on master kill -USR1 "$number"
wait
is "which passes signals on, and its end" "$(tail -n 1 "$TMP/parent")" 20
ok "nothing is left of it" wait_for 20 eval '! ghost_is_there && ! is_listed 1'

done_testing
