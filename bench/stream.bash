# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Bytes from a node: how fast standard output comes.

stream_run() {
    local source="head -c $(( 256 << 20 )) /dev/zero" sink="cat >/dev/null"
    case_begin stream "bpsh" 256 "256 MiB from the standard output of a node"
    on master bench-time "$(rounds 10 2)" \
        -- "bpsh" sh -c "bpsh n0 $source | $sink" \
        -- "ssh, shared connection" sh -c "ssh -F $work/ssh/shared n0 $source | $sink" \
        -- "ssh, new connection" sh -c "ssh -F $work/ssh/fresh n0 $source | $sink" \
        -- "pipe here" sh -c "$source | $sink" || return
    samples_take stream
}
