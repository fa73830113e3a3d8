#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Children of a vrfork: one image, which goes from node to node, and forks of it on a node.

. "${0%/*}/lib.sh"

prog=$PROGS/vector
lab_up 3
ON_TIMEOUT=40
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

done_testing
