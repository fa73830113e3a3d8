#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Large memory, which travels beside the image: that all of it is there, and nothing else.

. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"

pages=$PROGS/pages
lab_up 2

image_is_small() {
    bplab logs master | grep -q 'rfork pid .* MiB$'
}

ok "64 MiB with holes and zeros" on master "$pages" whole 0
# When the mover has reported, which may be after the end of the process.
ok "all of it is counted" wait_for 20 image_is_small
ok "a user's 64 MiB" as_nobody "$pages" whole 1
for node in 0 1; do
    ok "what malloc has, on n$node" on master "$pages" heap $node
    ok "regions of every kind, on n$node" on master "$pages" regions $node
done
ok "called by a thread" on master "$pages" thread 0
ok "a user's, called by a thread" as_nobody "$pages" thread 0
ok "forks on the node, and whose children there are" on master "$pages" children 0
ok "a call that fails" on master "$pages" refused 99
ok "the process itself, around" on master "$pages" move 0 1 -1 1
ok "a user's process, around" as_nobody "$pages" move 1 0 -1
ok "from a node to another" on master bpsh 0 "$pages" whole 1
ok "from a node home" on master bpsh 0 "$pages" heap -1

# fenced CASE NODE...
fenced() {
    local status=0
    on master "$PROGS/fences" "$@" >"$TMP/out" 2>&1 || status=$?
    case $status in
        77) skip "memory with fences: $1" "this kernel has none" ;;
        *) is "memory with fences: $1: $(cat "$TMP/out")" "$status" 0 ;;
    esac
}

fenced small 0
fenced copied 0
fenced lazy 1
fenced onward 0 1

ok "nobody is left" wait_for 20 nobody_is_there

done_testing
