#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs written for BProc 4: they compile as they are, with all warnings, and run.
. "${0%/*}/lib.sh"

lab_up 3
for node in n0:0 n1:1 master:m; do
    on "${node%:*}" sh -c "mkdir -m 1777 /tmp/io && echo '${node#*:}:node' >/tmp/io/name"
done
cases "lists of I/O" on master "$PROGS/api4_io" /tmp/io
done_testing
