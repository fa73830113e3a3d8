# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# One command on many nodes at once.

fanout_ssh='config=$1; shift
for node; do ssh -F "$config" "$node" true & pids="$pids $!"; done
for pid in $pids; do wait "$pid" || exit 1; done'

fanout_size() {
    local count=$1 spec=$2 name=fanout-$1 hosts
    mapfile -t hosts < <(seq -f n%g 0 $(( count - 1 )))
    case_begin "$name" "bpsh $spec true" 0 "a command on $count nodes"
    on master bench-time "$(rounds 40 5)" \
        -- "bpsh $spec true" bpsh "$spec" true \
        -- "ssh to each at once, new connections" \
        sh -c "$fanout_ssh" sh "$work/ssh/fresh" "${hosts[@]}" \
        -- "ssh to each at once, shared connections" \
        sh -c "$fanout_ssh" sh "$work/ssh/shared" "${hosts[@]}" || return
    samples_take "$name"
}

fanout_run() {
    fanout_size 3 0-2 && fanout_size 8 all
}
