#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Children of a vrfork: one image, which goes from node to node, and forks of it on a node.

. "${0%/*}/lib.sh"

prog=$PROGS/vector
lab_up 3
ON_TIMEOUT=120
on master useradd -M -u 7001 alice >/dev/null 2>&1

# lines NODE:WORDS...
lines() {
    printf '%s\n' "${@//:/ }"
}

# KiB that the master has sent for the last COUNT transfers, together.
sent() {
    bplab logs master | sed -n 's/.* rfork pid .*, \([0-9.]*\) \([KM]\)iB$/\1 \2/p' |
        tail -n "$1" | awk '{ sum += $2 == "M" ? $1 * 1024 : $1 } END { printf "%d", sum }'
}

dumps() {
    bplab logs master | tail -n "$1" | grep -vc 'dump 0\.0 '
}

is "two children on each of three nodes are what they are to be" \
    "$(on master "$prog" 0 0 0 1 1 2 2)" "$(lines 0:ok 0:ok 1:ok 1:ok 2:ok 2:ok)"
is "one was dumped" "$(dumps 6)" 1
mapfile -t crowd < <(for (( i = 0; i < 70; i++ )); do echo $(( i % 3 )); done)
is "more than one batch of them" "$(on master "$prog" 0 "${crowd[@]}")" \
    "$(printf '%d ok\n' "${crowd[@]}")"
is "a user's children" \
    "$(on master setpriv --reuid=7001 --regid=7001 --clear-groups "$prog" 1 2 1 0 0)" \
    "$(lines 2:ok 1:ok 0:ok 0:ok)"
is "a larger one on all nodes" "$(on master "$prog" 24 0 1 2)" "$(lines 0:ok 1:ok 2:ok)"
between "the master has sent it once" "$(sent 3)" 24576 29000

bplab exec master -- bpctl -S 1 -m 100 -u root
is "a node that denies costs nobody else anything" \
    "$(on master setpriv --reuid=7001 --regid=7001 --clear-groups "$prog" 24 0 1 2)" \
    "$(lines 0:ok '1:Operation not permitted' 2:ok)"
bplab exec master -- bpctl -S 1 -m 111

# with_fault POINT DAEMON
with_fault() {
    BPROC_FAULT=$1 bplab daemon "$2" restart || bail "cannot restart $2"
    wait_for 20 all_up || bail "not all nodes are up"
}

without_fault() {
    bplab daemon "$1" restart || bail "cannot restart $1"
    wait_for 20 all_up || bail "not all nodes are up"
}

with_fault 120:exit n0
is "a node that breaks off in the middle costs those behind it nothing but time" \
    "$(on master "$prog" 24 0 1 2)" "$(lines 0:ok 1:ok 2:ok)"
between "as the master sends it to them" "$(sent 3)" 49152 80000
with_fault 123:error n0
is "a node that cannot share memory has its own, and those behind it have theirs" \
    "$(on master "$prog" 24 0 1 2)" "$(lines 0:ok 1:ok 2:ok)"
between "of which the master sends that of the next one" "$(sent 3)" 49152 52000
with_fault 120:stop n0
on master "$prog" 24 0 1 2 >"$TMP/slow" &
slow=$!
while kill -0 "$slow" 2>/dev/null; do
    on n0 pkill -CONT -x bproc-arrival
done
is "a node that is slow to pass memory on" "$(<"$TMP/slow")" "$(lines 0:ok 1:ok 2:ok)"
between "has it all for the next one" "$(sent 3)" 24576 29000
# What n0 has read to pass on 6 MiB, at most, as often as it is stopped on its way; few enough to
# be kept for the next node.
with_fault 120:stop n0
on master "$prog" 6 0 1 >"$TMP/kept" &
slow=$!
while kill -0 "$slow" 2>/dev/null; do
    on n0 sh -c 'for pid in $(pgrep -r T -x bproc-arrival); do
            sed -n "s/^rchar: //p" /proc/$pid/io && kill -CONT $pid; done'
done >"$TMP/read" 2>/dev/null
is "memory that has just come is passed on" "$(<"$TMP/kept")" "$(lines 0:ok 1:ok)"
between "without reading it again" "$(sort -n "$TMP/read" | tail -n 1)" 0 1048576
with_fault 42:exit n0
is "when the one whose memory they have is lost, the others are made of another one" \
    "$(on master "$prog" 24 0 1 2)" "$(lines '0:Input/output error' 1:ok 2:ok)"
without_fault n0

with_fault 121:error n1
is "one that fails when it has the image fails alone" \
    "$(on master "$prog" 24 0 1 2)" "$(lines 0:ok '1:Input/output error' 2:ok)"
with_fault 122:error n1
is "those that cannot be forked on a node are restored" \
    "$(on master "$prog" 0 1 1 1 0)" "$(lines 1:ok 1:ok 1:ok 0:ok)"
without_fault n1

# Node 1 stops with the image there; who has gone on without it may be whom it came from.
with_fault 140:error master
with_fault 121:stop n1
is "one that is stuck holds the others for a time only, and is then made anew" \
    "$(on master "$prog" 24 0 2 1)" "$(lines 0:ok 2:ok 1:ok)"
without_fault n1

with_fault 22:exit master
is "when every dump comes to nothing there are no children" \
    "$(on master "$prog" 0 0 1 1)" \
    "$(lines '0:Input/output error' '1:Input/output error' '1:Input/output error')"
without_fault master
is "and the next call is whole" "$(on master "$prog" 0 0 1 1)" "$(lines 0:ok 1:ok 1:ok)"
ok "nothing is left" wait_for 20 nobody_is_there
for node in n0 n1 n2; do
    ok "nor on $node" wait_for 20 on "$node" sh -c '! pgrep -x "bproc-forker|vector"'
done

done_testing
