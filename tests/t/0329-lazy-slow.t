#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# BPROC_RFORK_LAZY on links that are slow for what the child wants of them.

. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"

lazy=$PROGS/lazy
lab_up 1 --rate 200mbit

ok "thousands of threads that wait for pages of their own" on master "$lazy" crowd 0 6000 4

# The child comes with all of its memory there; the node says nothing meanwhile.
on n0 rm -f /dev/userfaultfd
BPROC_FAULT=142:error bplab daemon master restart
wait_for 20 node_is 0 up
ok "it takes longer than a node may say nothing" on master "$lazy" scattered 0 96

# Nor does it take anything.
BPROC_FAULT=45:stop bplab daemon n0 restart
wait_for 20 node_is 0 up
fails "a node that takes nothing" on master "$lazy" scattered 0 96
ok "is given up" wait_for 20 eval \
    'bplab logs master | grep -q "cannot send the memory of process .* timed out"'

done_testing
