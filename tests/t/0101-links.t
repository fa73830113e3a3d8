#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A virtual cluster whose links are limited: each by itself, both ways.
. "${0%/*}/lib.sh"
need_tool nc
BYTES=5000000

need_root
LAB=t$$
exits 2 "a rate that is none" bplab up 1 --rate fast
is "is told" "$(cat "$TMP/out")" \
    "bplab: --rate needs a rate like 100mbit or 1gbit, not \"fast\"; see bplab --help"
exits 2 "a rate of nothing" bplab up 1 --rate 0gbit
exits 2 "a unit that is none" bplab up 1 --rate 1parsec

# arrives NODE PORT: until all that comes there is there, which is noted.
arrives() {
    # shellcheck disable=SC2016
    on "$1" sh -c 'nc -l -N -p "$1" </dev/null >/dev/null; date +%s%3N' sh "$2" >"$TMP/ended-$2" &
    wait_for 20 on "$1" sh -c "ss -Hltn 'sport = :$2' | grep -q ."
}

# sends NODE HOST PORT BYTES
sends() {
    # shellcheck disable=SC2016
    on "$1" sh -c 'date +%s%3N; head -c "$3" /dev/zero | nc -N "$1" "$2" >/dev/null' \
        sh "$2" "$3" "$4" >"$TMP/begun-$3" &
}

# took PORT...: milliseconds from the first one's beginning to the last one's end.
took() {
    local begun ended
    begun=$(sort -n "${@/#/"$TMP/begun-"}" | head -n 1)
    ended=$(sort -n "${@/#/"$TMP/ended-"}" | tail -n 1)
    echo $(( ended - begun ))
}

lab_up 3 --no-daemons --rate 5mbps
# Less what may come at once, more for a busy machine.
arrives n0 5001; sends master n0 5001 "$BYTES"; wait
between "milliseconds of a second's worth from master to node" "$(took 5001)" 950 1600
arrives master 5002; sends n1 master 5002 "$BYTES"; wait
between "from node to master" "$(took 5002)" 950 1600
arrives n0 5003; arrives n1 5004; sends master n0 5003 "$BYTES"; sends master n1 5004 "$BYTES"; wait
between "from master to two nodes, which share its link" "$(took 5003 5004)" 1850 2900
arrives n0 5005; arrives n2 5006; sends n1 n0 5005 "$BYTES"; sends n0 n2 5006 "$BYTES"; wait
between "through a node, each direction for itself" "$(took 5005 5006)" 950 1700
bplab kill n0
bplab start n0
arrives n0 5007; sends master n0 5007 "$BYTES"; wait
between "to a node that was booted again" "$(took 5007)" 950 1600
is "bytes as a unit" "$(on n0 tc qdisc show dev eth0 | grep -o 'rate [^ ]*')" "rate 40Mbit"
lab_down
lab_up 1 --no-daemons --rate 300
is "without a unit, mbit" "$(on n0 tc qdisc show dev eth0 | grep -o 'rate [^ ]*')" "rate 300Mbit"
done_testing
