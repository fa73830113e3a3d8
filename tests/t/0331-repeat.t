#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Memory that has come to a node before is not sent again, and never another user's.

. "${0%/*}/lib.sh"

prog=$BPROC_BUILD/tests/progs/repeat
lab_up 2
ON_TIMEOUT=30
on master useradd -M -u 7001 alice >/dev/null 2>&1

# KiB that the daemon says the last transfer took.
sent() {
    bplab logs master | sed -n 's/.* rfork pid .*, \([0-9.]*\) \([KM]\)iB$/\1 \2/p' | tail -n 1 |
        awk '{ printf "%d", $2 == "M" ? $1 * 1024 : $1 }'
}

is "a program is forked onto a node" "$(on master "$prog" 0 8 1)" ok
between "all of it is sent" "$(sent)" 8192 9000
is "forked again, by another process" "$(on master "$prog" 0 8 1)" ok
between "what the node has had is not sent" "$(sent)" 1 1638
is "some of it has changed" "$(on master "$prog" 0 8 1 512)" ok
between "that is sent" "$(sent)" 2048 3700
is "another one" "$(on master "$prog" 0 8 2)" ok
between "has nothing in common with it" "$(sent)" 8192 9000
is "both are known now" "$(on master "$prog" 0 8 1) $(sent)" "ok $(sent)"
between "and the first is not sent" "$(sent)" 1 1638
is "another node" "$(on master "$prog" 1 8 1)" ok
between "has not had it" "$(sent)" 8192 9000
is "another user" "$(on master setpriv --reuid=7001 --regid=7001 --clear-groups "$prog" 0 8 1)" ok
between "does not learn that the node has it" "$(sent)" 8192 9000
is "empty pages" "$(on master "$prog" 0 32 0)" ok
between "are not sent, not even the first time" "$(sent)" 1 1000
is "more than a node keeps" "$(on master "$prog" 0 96 3)" ok
is "is whole" "$(on master "$prog" 0 96 3)" ok

done_testing
