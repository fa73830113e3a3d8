# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# One large process to eight nodes by vrfork, each on a link of 1 Gbit/s, as the master is itself.

vector_lab=(8 --rate 1gbit)
vector_floor="floor: TLS, memory, TLS on each"

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

# The least that each node does with it: a chain of programs that keep what they get in memory.
vector_floor_start() {
    peer_need tls && copy_floor || return
    # shellcheck disable=SC2016
    on master sh -c 'head -c "$1" /dev/urandom >/dev/shm/vector' sh "$(( $1 << 20 ))"
}

vector_floor_run() {
    on master bench-time -c "$1" -- "$vector_floor" \
        bench-copyfloor send 7005 /dev/shm/vector /dev/shm/copy n{0..7}
}

vector_floor_end() {
    on master rm -f /dev/shm/vector && on master bpsh -a rm -f /dev/shm/copy
}

# vector_busy COMMAND...: microseconds that the machine's processors were busy meanwhile.
vector_busy() {
    # shellcheck disable=SC2016
    on master sh -c 'busy() {
            awk -v ticks="$(getconf CLK_TCK)" \
                "\$1 == \"cpu\" { printf \"%.0f\\n\", (\$2 + \$3 + \$4 + \$7 + \$8) * 1e6 / ticks }" \
                /proc/stat
        }
        before=$(busy); "$@" >/dev/null && echo "$before $(busy)"' sh "$@" || return
    awk '{ printf "%d\n", $2 - $1 }' "$work/out"
}

# For each node, of all machines together; what a program does before and after does not count.
vector_cpu() {
    local count=$1 mib=$2 none all
    case_begin vector-cpu "vrfork to eight" "$mib" \
        "processor time for each of eight nodes, $mib MiB, all machines together"
    stable vector-cpu "$vector_floor" '>='
    none=$(vector_busy bench-vector 0 "$mib" eight 0,1,2,3,4,5,6,7) || return
    all=$(vector_busy bench-vector "$count" "$mib" eight 0,1,2,3,4,5,6,7) || return
    sample vector-cpu "vrfork to eight" "$(( (all - none) / count / 8 ))"
    [[ -z ${vector_has_floor-} ]] && return
    all=$(vector_busy bench-copyfloor send 7005 /dev/shm/vector /dev/shm/copy n{0..7}) || return
    floor vector-cpu "$vector_floor"
    sample vector-cpu "$vector_floor" "$(( all / 8 ))"
}

vector_run() {
    local mib status=0 vector_has_floor=
    mib=$(rounds 256 64)
    case_begin vector "vrfork to one" "$mib" "$mib MiB to eight nodes at 1 Gbit/s"
    promise vector "vrfork to eight" '<=' 1.6
    stable vector "vrfork to eight" '<='
    on master bench-vector "$(rounds 5 2)" "$mib" "vrfork to one" 0 \
        "vrfork to eight" 0,1,2,3,4,5,6,7 || return
    samples_take vector
    if vector_floor_start "$mib"; then
        vector_has_floor=yes
        floor vector "$vector_floor"
        vector_floor_run "$(rounds 3 2)" && samples_take vector || status=1
    fi
    vector_cpu "$(rounds 3 2)" "$mib" && vector_by_hand "$mib" && vector_sent "$mib" || status=1
    [[ -z $vector_has_floor ]] || vector_floor_end || status=1
    return "$status"
}
