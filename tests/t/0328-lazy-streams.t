#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# BPROC_RFORK_LAZY: the streams of a child move from its first instruction on, however long its
# memory takes.

. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"

prog=$PROGS/promptly
lab_up 1 --rate 50mbit
ON_TIMEOUT=30

holders_are_gone() {
    ! on master ps -e -o comm=,stat= | grep -E 'bproc-pages|Z' && nobody_is_there
}

ok "it is heard and hears while its memory comes" on master "$prog" talks 0
ok "and when it is killed, it has been heard" on master "$prog" dies 0
ok "a user's" as_nobody "$prog" talks 0
ok "nothing is left" wait_for 20 holders_are_gone

done_testing
