#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# BPROC_RFORK_LAZY: children that run before all of their memory is there, and never notice.

. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"

lazy=$PROGS/lazy
lab_up 2

holders_are_gone() {
    ! on master ps -e -o comm=,stat= | grep -E 'bproc-pages|Z' && nobody_is_there
}

ok "every page, out of turn" on master "$lazy" scattered 0 64
ok "a user's, out of turn" as_nobody "$lazy" scattered 1 64
ok "pages that the kernel reads and writes" on master "$lazy" kernel 0
ok "forks while pages are missing" on master "$lazy" forks 0
ok "maps that change while pages are missing" on master "$lazy" changes 0
ok "maps that are split while pages are missing" on master "$lazy" splits 0
ok "a user's maps that change" as_nobody "$lazy" changes 1
ok "memory that is moved, in one mapping with what was there at once" on master "$lazy" beside 0
ok "on to another node while pages are missing" on master "$lazy" onward 0 1
ok "from a node to another" on master bpsh 0 "$lazy" scattered 1 32
ok "children that end at once, and what their parent sees" on master "$lazy" brief 0
ok "nothing is left on the master" wait_for 20 holders_are_gone

# Who sends the memory dies in the middle.
lost=0
for action in kill error; do
    BPROC_FAULT=26:$action bplab daemon master restart
    wait_for 20 node_is 0 up
    ok "a process that will never have its memory is killed ($action)" on master "$lazy" cut 0
    ok "and nothing is left of it" wait_for 20 holders_are_gone
    is "the node's log says why, once" \
        "$(bplab logs n0 | grep -cE 'lost its memory: (Conn|Broken)')" $(( ++lost ))
done
bplab daemon master restart
wait_for 20 node_is 0 up
wait_for 20 node_is 1 up
ok "the next one works" on master "$lazy" scattered 0 16

# Where the node has no /dev/userfaultfd the child comes with all of its memory.
on n1 rm -f /dev/userfaultfd
ok "without the device: out of turn" on master "$lazy" scattered 1 16
ok "without the device: a user's" as_nobody "$lazy" changes 1
ok "nothing is left" wait_for 20 holders_are_gone

done_testing
