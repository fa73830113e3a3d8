#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# CRIU that is loaded before it is needed: there is one on a machine that processes leave, whatever
# becomes of it costs nothing but time, and nodes have none but for the processes that come.

. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"

criu=$("$BPROC_SOURCE/scripts/install-criu" --which)
lab_up 2

forks() {
    is "$1" "$(on master "$PROGS/onecall" rfork "${2:-0}")" "exited 7"
}

# ready: the pids of loaded ones on the master, which are the mover's children. spare: of those that
# have been forked from them, and are called as they are for a moment.
ready() {
    # shellcheck disable=SC2016
    on master sh -c 'pgrep -x bproc-criu -P "$(pgrep -d, -x bproc-mover)"'
}

spare() {
    on master pgrep -x bproc-criu-next
}

is_spared() {
    [[ $(spare) =~ ^[0-9]+$ ]]
}

no_criu() {
    ! on "$1" pgrep 'criu'
}

# The spare one takes orders until the one that is killed has died.
ready_kill() {
    on master kill -9 "$1"
    wait_for 10 no_criu master || fail "the one that was killed is gone"
}

# criu_be NODE LINE: a shell is in its place, which executes LINE. criu_mend NODE: the real one is
# back.
criu_be() {
    # shellcheck disable=SC2016
    on "$1" sh -c 'mv "$1" "$1.away" && printf "#!/bin/sh\n%s\n" "$2" >"$1" && chmod 755 "$1"' \
        sh "$criu" "$2"
}

criu_mend() {
    on "$1" mv "$criu.away" "$criu"
}

has_children() {
    [[ $(on n0 pgrep -xc criu_parent) == 3 ]]
}

fails "none is there before it is needed" ready
forks "a process leaves"
first=$(ready)
like "one is there then" "$first" '^[0-9]+$'
ok "and none on the node" wait_for 20 no_criu n0
forks "another one leaves"
is "by the same" "$(ready)" "$first"
ok "which has another one ready" wait_for 20 is_spared

on master kill -9 "$(spare)"
forks "when the spare one was killed, processes still leave"
first=$(ready)

for i in 1 2 3 4; do
    on master "$PROGS/onecall" rfork $(( i % 2 )) >"$TMP/end$i" &
done
wait
is "many leave at once" "$(cat "$TMP"/end[1-4] | sort | uniq -c | tr -s ' ')" " 4 exited 7"
is "by the same" "$(ready)" "$first"

ready_kill "$first"
forks "when it was killed, processes still leave"
second=$(ready)
like "by another one" "$second" '^[0-9]+$'
fails "which is not the same" test "$second" = "$first"
ok "and has one spare child, too" wait_for 20 is_spared

# However often that happens: each has done its work.
lost() {
    local i
    for i in 1 2 3 4 5 6 7 8; do
        on master sh -c 'kill -9 '"$(ready)"'; exec "$@"' sh "$PROGS/onecall" rfork 0
    done | grep -vc '^exited 7$'
}
is "one that dies over and over when it has done its work stops no process" "$(lost)" 0

BPROC_FAULT=141:error bplab daemon master restart
wait_for 20 node_is 0 up
forks "where one waits for a second only"
ok "it goes when nobody needs it" wait_for 20 no_criu master
forks "and the next process has another one"
bplab daemon master restart
wait_for 20 node_is 0 up
wait_for 10 no_criu master
forks "one that waits for longer is back"
second=$(ready)

criu_be master 'exit 1'
ready_kill "$second"
is "one that does not start fails the call" "$(on master "$PROGS/onecall" rfork 0)" "failed EIO"
like "with the reason in the log" "$(bplab logs master)" "cannot start CRIU"
criu_mend master
forks "one that starts again does its work"

criu_be n0 'exit 1'
is "one on a node that does not start fails the call" "$(on master "$PROGS/onecall" rfork 0)" \
    "failed EIO"
criu_mend n0
forks "and works again when it does"

criu_be master "exec $PROGS/criu_exit \"\$@\""
ready_kill "$(ready)"
is "one whose exit() gets stuck ends, and fails the call" \
    "$(on master timeout 20 "$PROGS/onecall" rfork 0)" "failed EIO"
criu_mend master
ready_kill "$(ready)"
forks "and works again when it is back"

criu_be n0 "exec $PROGS/criu_parent \"\$@\""
on master "$PROGS/onecall" rfork 0 >"$TMP/end" &
ok "one on a node waits beside its children" wait_for 20 has_children
on n0 pkill -9 -x bproc-arrival
ok "they end with it when nobody waits for it any more" wait_for 30 no_criu n0
wait
is "which fails the call" "$(<"$TMP/end")" "failed EIO"
criu_mend n0
forks "and works again, too"

bplab daemon master stop
ok "it ends with the daemon" wait_for 20 no_criu master

bplab daemon master start
wait_for 20 node_is 0 up
# CRIU tries the kernel by children that sleep until it kills them: one kill in twenty meets one.
# shellcheck disable=SC2016
on master bash -c 'for i in {1..100}; do
        "$0" rfork 0 >/dev/null 2>&1 &
        sleep "$(printf 0.%03d $((i % 20 + 3)))"
        kill -KILL $!; wait $!
    done 2>/dev/null' "$PROGS/onecall"
ok "callers that are killed leave none of it on a node" wait_for 30 no_criu n0

# A daemon that starts tries CRIU for ten seconds.
# shellcheck disable=SC2016
criu_be n0 'case $1 in check) sleep 63 & wait;; *) echo "Version: 99.9";; esac'
bplab daemon --no-wait n0 restart
ok "one that does not end when it is tried" wait_for 30 on n0 pgrep -x -f 'sleep 63'
ok "is ended" wait_for 30 eval 'bplab logs n0 | grep -q "no process can be forked"'
ok "with its children" wait_for 5 on n0 sh -c '! pgrep -x -f "sleep 63"'

done_testing
