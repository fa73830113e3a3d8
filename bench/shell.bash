# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# A command on a node.

shell_run() {
    case_begin shell "bpsh n0 true" 0 "a command on a node"
    on master bench-time "$(rounds 100 10)" \
        -- "bpsh n0 true" bpsh n0 true \
        -- "ssh n0 true, new connection" ssh -F "$work/ssh/fresh" n0 true \
        -- "ssh n0 true, shared connection" ssh -F "$work/ssh/shared" n0 true \
        -- "true here" true || return
    samples_take shell
}
