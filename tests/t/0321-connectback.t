#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Streams of a remote child to a port of the caller, carried by the daemons and, under `io direct`,
# by the child's own connections.

. "${0%/*}/lib.sh"

progs=$BPROC_BUILD/tests/progs
lab_up 3

# port CASE NAME
port() {
    ok "$2" on master timeout 40 "$progs/connectback" "$1"
}

# all WHAT: the cases that both ways have in common.
all() {
    port order "$1: standard output, error and input come in this order, raw, and end"
    port ends "$1: each stream has an end of its own"
    port info "$1: headers tell the streams of six children on one port apart"
    port refused "$1: nobody listens: ECONNREFUSED, no child; bad ports: EINVAL"
    port closes "$1: a port that closes at once gives end of file and SIGPIPE"
    port stall "$1: a stream nobody reads holds up no other"
    port pipe "$1: a pipe from before the fork goes beside the port"
    port volume "$1: 64 MiB go in and come back"
}

is "the daemons carry the bytes" "$(on master "$progs/connectback" whence)" 127.0.0.1
all "relayed"

on master bash -c 'echo io direct >>/etc/bproc/config && pkill -HUP -x masterd'
from_node() {
    [[ $(on master "$progs/connectback" whence) == 10.77.1.1 ]]
}
ok "under io direct the node connects itself" wait_for 20 from_node
all "direct"

done_testing
