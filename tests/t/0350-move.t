#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bproc_move(): a process that goes from node to node, and home.

. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"

travel=$PROGS/travel
lab_up 3

# held FILE NODE...: a process goes there and waits; its pid as REPLY.
held() {
    local file=$1
    shift
    on master rm -f "$file"
    # shellcheck disable=SC2016
    on master sh -c 'f=$1 p=$2; shift 2; "$p" hold "$@" >"$f" 2>&1; echo "ended $?" >>"$f"' sh \
        "$file" "$travel" "$@" &
    wait_for 30 on master grep -q held "$file" || fail "it is held" "$(on master cat "$file")"
    REPLY=$(on master bpstat -p | sed -n 2p | cut -f1)
}

cases "around the ring" on master "$travel" ring 0 1 2 -1 0 2
cases "around the ring, a user" as_nobody "$travel" ring 0 1 2 -1 0
cases "from a node" on master bpsh 0 "$travel" ring 1 -1 2
cases "children of a process of the master" on master "$travel" children 0 1 2
cases "children that come home" on master "$travel" children 0 -1 2
cases "children of a process of a node" on master bpsh 0 "$travel" children 1 2
cases "to where a child lives" on master "$travel" visit 1
cases "to where a child lives, from a node" on master bpsh 0 "$travel" visit 1
for _ in 1 2 3; do
    cases "a child on the master, at once" on master "$travel" killed 1
    cases "a child on a node, at once" on master bpsh 0 "$travel" killed 1
done
cases "children of a user" as_nobody "$travel" children 0 1 2
cases "signals that wait" on master "$travel" waiting 0 1 -1
cases "signals that wait, from a node" on master bpsh 0 "$travel" waiting 1
ok "nobody is left" wait_for 30 nobody_is_there

# Where it cannot go it stays.
cases "an unknown node" on master "$travel" refuse BE_INVALIDNODE 99
cases "an unknown node, from a node" on master bpsh 0 "$travel" refuse BE_INVALIDNODE 99
cases "threads" on master "$travel" refuse EOPNOTSUPP 0 threads
cases "timers" on master "$travel" refuse EOPNOTSUPP 0 timer
on master bpctl -S 1 -m 0100
cases "a node closed to users" as_nobody "$travel" refuse EPERM 1
on master bpctl -S 1 -m 0111

# The shell on the master sees one child all the time.
held /run/held 0 1 -1 2
is "the master knows where it is" "$(on master bpstat -p | sed -n 2p | cut -f2)" 2
on master kill -USR1 "$REPLY"
ok "a signal finds it" wait_for 30 on master grep -q 'ended 20' /run/held

# What it writes after many hops is there when it ends.
is "its last words come first" "$(on master sh -c "$travel ring 0 1 2 0 1 2 | tail -n 1; echo end" |
    sed 's/^1\.\..*/plan/' | tr '\n' ' ')" "plan end "

# Restarts and losses.
held /run/held 0 1
bplab daemon master kill
bplab daemon master start >/dev/null 2>&1
ok "a restart of masterd does not lose it" wait_for 30 eval '[[ $(on master bpstat -p | sed -n 2p | cut -f2) == 1 ]]'
ok "the node that it has left comes back, too" wait_for 30 node_is 0 up
on master kill -TERM "$REPLY"
ok "it can still be signalled" wait_for 30 on master grep -q 'ended 25' /run/held
held /run/held 0 1
bplab kill n0
ok "the loss of a node it has left" wait_for 30 node_is 0 down
on master kill -TERM "$REPLY"
ok "does not harm it" wait_for 30 on master grep -q 'ended 25' /run/held
bplab start n0 >/dev/null 2>&1
wait_for 30 node_is 0 up
held /run/held 0 1
bplab kill n1
ok "the loss of the node it is on ends it" wait_for 30 on master grep -q 'ended 137' /run/held
cases "a node that is down" on master bpsh 0 "$travel" refuse BE_NODEDOWN 1
bplab start n1 >/dev/null 2>&1
wait_for 30 node_is 1 up
cases "then all works again" on master "$travel" ring 0 1 2 -1
ok "nobody is left at the end" wait_for 30 nobody_is_there
for node in master n0 n1 n2; do
    ok "nothing is left on $node" wait_for 30 on "$node" sh -c '! pgrep "bproc-(ghost|carrier|arriv)|travel"'
done

done_testing
