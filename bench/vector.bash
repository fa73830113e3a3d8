# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# One large process to eight nodes by vrfork, each on a link of 1 Gbit/s, as the master is itself.

vector_lab=(8 --rate 1gbit)

# One node by hand, eight times.
vector_by_hand() {
    on master criu-by-hand "$criu" "$(rounds 2 1)" "$1" "$work/ssh/fresh" n0 || return
    awk -F '\t' -v OFS='\t' '
        /tar \| ssh tar/ { print $1 * 8, "dump, tar | ssh, restore, for each", 0 }' "$work/out" |
        samples_add vector
}

# Per cent of the process that leave the master on its way to the eight.
vector_sent() {
    # shellcheck disable=SC2016
    on master sh -c 'cd /sys/class/net/eth0/statistics && before=$(cat tx_bytes) &&
        bench-vector 0 "$1" eight 0,1,2,3,4,5,6,7 >/dev/null &&
        echo $(( ($(cat tx_bytes) - before) * 100 / ($1 << 20) ))' sh "$1" || return
    case_begin vector-sent "vrfork to eight" 0 "what the master sends of a vrfork to eight nodes" %
    sample vector-sent "vrfork to eight" "$(<"$work/out")"
    promise vector-sent "vrfork to eight" '<=' "120 %"
}

vector_run() {
    local mib
    mib=$(rounds 256 64)
    case_begin vector "vrfork to one" "$mib" "$mib MiB to eight nodes at 1 Gbit/s"
    promise vector "vrfork to eight" '<=' 1.6
    stable vector "vrfork to eight" '<='
    on master bench-vector "$(rounds 3 2)" "$mib" "vrfork to one" 0 \
        "vrfork to eight" 0,1,2,3,4,5,6,7 || return
    samples_take vector
    vector_by_hand "$mib" && vector_sent "$mib"
}
