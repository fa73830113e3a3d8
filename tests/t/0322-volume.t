#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A gibibyte through each kind of stream arrives byte for byte.

. "${0%/*}/lib.sh"

progs=$BPROC_BUILD/tests/progs
ON_TIMEOUT=120
lab_up 1

ok "a pipe from the child" on master "$progs/flow" volume-up 1024
ok "a pipe to the child" on master "$progs/flow" volume-down 1024
ok "a socket pair, both ways at once" on master "$progs/flow" volume-socket 1024
ok "standard output" on master "$progs/flow" volume-output 1024
ok "in and out through a port" on master "$progs/connectback" volume 1024

done_testing
