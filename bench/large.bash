# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Processes with much memory, all of it copied.

large_port=7005
large_ours=rfork
large_criu="criu dump to its page server, criu restore"
large_cpu="floor: read, encipher, decipher, touch"
large_tls="floor: the same by TLS, into a process"
large_both="the same, and criu by hand without memory"

# Who takes the memory on the node, for the floor.
large_floor_start() {
    # shellcheck disable=SC2016
    peer_need tls && on n0 sh -c 'bench-pagefloor take "$1" "$2" </dev/null >/dev/null 2>&1 &' sh \
        "$work/tls.pem" "$large_port" &&
        on master timeout 5 sh -c "until bench-pagefloor give n0 $large_port 0 1 2>/dev/null; do :; done"
}

# median ROW: of what the last command in the cluster has printed.
large_median() {
    awk -F '\t' -v row="$1" '$2 == row { print $1 }' "$work/out" | sort -n |
        awk '{ all[NR] = $1 } END { if (NR) print all[int((NR + 1) / 2)] }'
}

# large_floors CASE ROUNDS MIB
large_floors() {
    local floor criu_fixed
    on master bench-floor "$2" "$3" || return
    samples_take "$1"
    $large_has_tls || return 0
    on master bench-pagefloor give n0 "$large_port" "$2" "$3" || return
    samples_take "$1"
    floor=$(large_median "$large_tls")
    on master criu-by-hand "$criu" "$2" 0 || return
    criu_fixed=$(large_median "criu dump + restore by hand")
    sample "$1" "$large_both" "$(awk "BEGIN { print $floor + $criu_fixed }")"
}

large_size() {
    local mib=$1 count=$2 each=$3 name=large-$1 block
    case_begin "$name" "$large_ours" "$mib" "a process of $mib MiB, copied in full"
    case_place "$name" MiB "$mib"
    promise "$name" "$large_criu" '>=' 1.43
    promise "$name" "$large_cpu" '>=' 0.667
    stable "$name" "$large_criu" '>=' 2
    stable "$name" "$large_cpu" '>=' 2
    floor "$name" "$large_tls"
    case_begin "$name-parts" "$large_ours" 0 "the parts of its rfork"
    for (( block = 0; block < count; block++ )); do
        on master bench-process rfork 0 "$each" "$mib" || return
        samples_take "$name"
        parts_take "$work/out" | samples_add "$name-parts"
        on master criu-by-hand "$criu" "$each" "$mib" "$work/ssh/shared" n0 || return
        samples_take "$name"
        large_floors "$name" "$each" "$mib" || return
    done
}

large_run() {
    local each large_has_tls=true
    each=$(rounds 3 1)
    large_floor_start || large_has_tls=false
    large_size 16 "$(rounds 3 2)" "$each" && large_size 64 "$(rounds 3 2)" "$each" || return
    $quick || large_size 1024 3 1
}
