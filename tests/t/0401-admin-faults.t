#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The fault points of what an administrator orders: the slave daemon dies there, or the step fails.
# The order has an end, and with the daemon back the node is what it was.
. "${0%/*}/lib.sh"
lab_up 2

on n0 mkdir -p /srv/new
ON_TIMEOUT=20

# tried NUMBER:ACTION NAME STATUS BPCTL-ARGUMENT...: the order, at a daemon that has the fault.
tried() {
    local fault=$1 name=$2 status=$3
    shift 3
    BPROC_FAULT=$fault bplab daemon --no-wait n0 restart
    wait_for 20 all_up || fail "n0 is up with fault $fault" "$(bplab logs n0 | tail -n 5)"
    exits "$status" "$name, fault $fault, has an end" on master bpctl -S 0 "$@"
    [[ $fault == *:error ]] || bplab daemon --no-wait n0 restart
    ok "the node is there" wait_for 20 all_up
    is "with work to do, in its own root" "$(on master bpsh 0 sh -c 'hostname; ls -d /srv/new')" \
        $'n0\n/srv/new'
}

for action in kill error; do
    tried "101:$action" "another root" 1 -r /srv/new
    tried "103:$action" "another connection" 1 --reconnect 10.77.0.1
done
tried 102:exit "another root" 1 -r /srv/new
tried 100:kill "a reboot" 0 -R

before=$(bplab status | awk '$1 == "n0" { print $4 }')
BPROC_FAULT=100:error bplab daemon --no-wait n0 restart
wait_for 20 all_up
exits 1 "a reboot that fails at once" on master bpctl -S 0 -R
is "is told" "$(cat "$TMP/out")" "0: Input/output error"
like "and in the log" "$(bplab logs master)" \
    "node 0: cannot reboot: cannot run .*: Input/output error"
ok "and the node is up" wait_for 20 all_up
is "as it was" "$(bplab status | awk '$1 == "n0" { print $4 }')" "$before"
is "the other node has gone on" "$(on master bpsh 1 hostname)" n1
done_testing
