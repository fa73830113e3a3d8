# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For tests of processes that go from node to node; sourced after lib.sh.

as_nobody() {
    bplab exec -u nobody master -- timeout -k 5 "$ON_TIMEOUT" "$@"
}

# node_is NODE STATE
node_is() {
    [[ $(on master bpstat -s "$1") == "$2" ]]
}
