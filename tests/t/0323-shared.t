#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Pipes and sockets that several processes can read from: here and on nodes they compete as after a
# fork, and nobody's bytes are lost to one who does not read.

. "${0%/*}/lib.sh"

progs=$BPROC_BUILD/tests/progs
lab_up 3

ok "a parent that closes nothing talks to its child" on master "$progs/shared" both-open
ok "a child that does not read takes nothing from its parent" on master "$progs/shared" parent-reads
ok "workers on three nodes take tasks from one pipe" on master "$progs/shared" crowd 0 0
ok "also while the parent keeps its end" on master "$progs/shared" crowd 1 0
ok "and with a worker on the master" on master "$progs/shared" crowd 0 1

done_testing
