#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Parents and children on different nodes: signals from the child to the parent, and what the
# parent's node knows of its children's groups.

. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"

kin=$PROGS/kin
lab_up 2

cases "a parent on the master" on master "$kin" parent -1 0
cases "a parent on a node" on master "$kin" parent 1 0
cases "a user's parent on the master" as_nobody "$kin" parent -1 0
cases "a user's parent on a node" as_nobody "$kin" parent 1 0
cases "programs that have just begun" on master "$kin" quick 0
cases "those of a parent on a node" on master bpsh 1 "$kin" quick 0
ok "nothing is left of them" wait_for 20 nobody_is_there

# Their way leads through the parent's process space, which is busy.
on master bpsh 1 "$kin" last 0 /tmp/last >"$TMP/last" &
wait_for 20 grep -q 'it runs' "$TMP/last" || fail "a child is on n0"
on n1 pkill -STOP -x bproc-space
on n0 touch /tmp/last
ok "a child signals its parent and ends" wait_for 20 eval '! on n0 pgrep -x kin'
ok "and nobody lists it any more" wait_for 20 eval '(( $(on master bpstat -p | grep -c "0$") == 0 ))'
on n1 pkill -CONT -x bproc-space
wait
is "its parent has the signal before the end" "$(grep -m 1 '^[^#]' "$TMP/last")" \
    "ok 1 - its signal has come before its end"

# A user cannot signal what is not his: what stands for root's bpsh, and init.
# shellcheck disable=SC2016
is "another user's parent is out of reach" \
    "$(on master bpsh 0 setpriv --reuid=65534 --regid=65534 --clear-groups sh -c \
        'exec sh -c "kill -9 $PPID 2>/dev/null; echo \$?; kill -STOP 1 2>/dev/null; echo \$?"' | xargs)" "1 1"

# What comes from outside of the space is for the keeper alone, as at the end of a machine.
on master sh -c "bpsh 0 sleep 300 >/dev/null 2>&1 & echo \$! >/run/outside"
wait_for 20 eval '[[ -n $(on n0 pgrep -x sleep) ]]'
on n0 pkill -TERM -x bproc-keeper
ok "a signal from outside of the space does not leave it" on master bpsh 0 true
ok "the parent is still there" on master sh -c 'kill -0 "$(cat /run/outside)"'
on n0 pkill -KILL -x sleep
wait_for 20 nobody_is_there

# A user can send more signals than the daemons can take. They wait in the kernel, which counts them
# as root's: this many percent of root's may wait.
signals_waiting() {
    # shellcheck disable=SC2016
    on n0 awk '$1 == "SigQ:" { split($2, count, "/"); print int(count[1] * 100 / count[2]) }' \
        /proc/self/status
}
bplab exec -u nobody master -- sh -c "exec $kin flood 0 >/tmp/flood" &
wait_for 20 on master grep -q floods /tmp/flood
# shellcheck disable=SC2016
ok "a process floods its parent" wait_for 20 eval '(( $(signals_waiting) >= 45 ))'
ok "others run on the node" on master timeout 20 bpsh 0 true
between "and root keeps half of the signals that may wait" "$(signals_waiting)" 40 60
is "of which a program there may have all" "$(on master bpsh 0 bash -c 'ulimit -i')" \
    "$(on master bash -c 'ulimit -i')"
ok "while the flood goes on" on n0 pgrep -u nobody -x kin
on master pkill -KILL -u nobody -x kin
{ wait; } 2>/dev/null
ok "the node has not been lost" on master sh -c '! bpstat | grep -qw down'
ok "nothing is left of the flood" wait_for 20 nobody_is_there

# What stands for a session stays for its next command; the number may be another's by then.
# shellcheck disable=SC2016
took_number() {
    old=$(on master setsid -w sh -c 'echo $$; bpsh 0 true; :')
    new=$(on master setsid -w sh -c 'echo "$$"
        echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
        bpsh 0 cut -d" " -f4,6 /proc/self/stat >/run/kin & echo $!; wait
        cat /run/kin' sh "$old" | xargs)
    [[ $new == *" $old "* ]]
}
ok "a process gets the number of a session that has ended" wait_for 20 took_number
is "its child on the node is in its own session" "${new#* "$old" }" "$old ${new%% *}"
# shellcheck disable=SC2016
on master sh -c 'i=0; while [ $i -lt 40 ]; do setsid -w bpsh 0 true; i=$((i + 1)); done'
between "nothing stands for most of the sessions that there were" \
    "$(on n0 pgrep -c -x bproc-keeper)" 0 36

cases "groups of children elsewhere" on master "$kin" groups 0 1
cases "a user's" as_nobody "$kin" groups 0 1
ok "nothing is left of these either" wait_for 20 nobody_is_there
ok "nor a ghost" wait_for 20 no_ghosts

# A parent that is killed when its child runs there and what was here is no ghost yet.
BPROC_FAULT=6:stop bplab daemon master restart
wait_for 20 node_is 0 up || diag "$(on master bpstat)"
bplab exec master -- "$kin" orphan 0 2>/dev/null &
wait_for 20 on master sh -c 'ps -o stat= -p "$(cat /run/bproc/masterd.pid)" | grep -q T'
parent=$(on master pgrep -o -x kin)
on master kill -KILL "$parent"
{ wait; } 2>/dev/null
on master sh -c 'kill -CONT "$(cat /run/bproc/masterd.pid)"'
ok "one whose parent dies while it leaves has init for its parent" \
    wait_for 20 on n0 test -e /tmp/orphan
done_testing
