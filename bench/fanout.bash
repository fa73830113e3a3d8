# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
#
# One command on many nodes at once.

fanout_lab=(16)
fanout_floor="floor: a program here, true on each"

fanout_ssh='config=$1; shift
for node; do ssh -F "$config" "$node" true & pids="$pids $!"; done
for pid in $pids; do wait "$pid" || exit 1; done'

fanout_size() {
    local count=$1 name=fanout-$1 hosts list
    mapfile -t hosts < <(seq -f n%g 0 $(( count - 1 )))
    list=$(IFS=,; echo "${hosts[*]}")
    race_begin "$name" "bpsh" 0 "a command on $count nodes"
    case_place "$name" nodes "$count"
    race_add "bpsh" bpsh "0-$(( count - 1 ))" true
    race_peer ssh "ssh to each at once, new connections" \
        sh -c "$fanout_ssh" sh "$work/ssh/fresh" "${hosts[@]}"
    race_peer ssh "ssh to each at once, shared connections" \
        sh -c "$fanout_ssh" sh "$work/ssh/shared" "${hosts[@]}"
    race_peer pdsh "pdsh" "${pdsh_fresh[@]}" -w "$list" true
    race_peer pdsh "pdsh, shared connections" "${pdsh_shared[@]}" -w "$list" true
    race_peer clush "clush" "${clush_fresh[@]}" -w "$list" true
    race_peer clush "clush, shared connections" "${clush_shared[@]}" -w "$list" true
    race_peer slurm "srun" "${srun[@]}" -N "$count" -w "$list" true
    race_peer slurm "srun within salloc" "${srun_in[@]}" -N "$count" -w "$list" true
    race_peer tls "$fanout_floor" "${tls_knock[@]}" "$count"
    floor "$name" "$fanout_floor"
    race_run "$(rounds 20 4)"
}

# fanout_growth ROW: what each node more costs, of the medians of 4 and 16.
fanout_growth() {
    local count
    rows_write
    sample fanout-growth "$1" "$(for count in 4 16; do
        awk -F '\t' -v name="fanout-$count" -v row="$1" '$1 == name && $2 == row { print $4 }' "$work/rows"
    done | awk '{ value[NR] = $1 } END { if (NR == 2) print (value[2] - value[1]) * 1000 / 12 }')"
}

fanout_run() {
    local count peer
    for count in 1 4 16; do
        fanout_size "$count" || return
    done
    for peer in pdsh clush srun; do
        promise fanout-16 "$peer" '>=' 20
    done
    stable fanout-16 "clush" '>='
    stable fanout-16 "$fanout_floor" '>='
    case_begin fanout-growth "bpsh" 0 "what each node more costs, from 4 nodes to 16"
    fanout_growth "bpsh"
    fanout_growth "$fanout_floor"
    floor fanout-growth "$fanout_floor"
    promise fanout-growth "bpsh" '<=' "0.5 ms"
}
