#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs written for BProc 3: they compile as they are, with all warnings, and run.
. "${0%/*}/lib.sh"

lab_up 3
on master sh -c 'echo no program >/tmp/none && chmod 755 /tmp/none'
cases "vector calls" on master "$PROGS/api3_vector" /tmp/none
done_testing
