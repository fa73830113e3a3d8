# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# What an rfork of much memory, copied in full, takes of both machines at its worst: memory, by a
# control group for each with all that runs there, and writes to disks.

peak_root=/sys/fs/cgroup/memory         # of version 1; else that of version 2
peak_limit=memory.limit_in_bytes
peak_most=memory.max_usage_in_bytes
[[ -e $peak_root/$peak_limit ]] || { peak_root=/sys/fs/cgroup; peak_most=memory.peak; }

peak_group() {
    echo "$peak_root/bproc-bench-$1"
}

# All processes of a node: the tree below its init, as the host numbers it.
peak_processes() {
    bplab status | awk -v node="$1" '$1 == node { print $4 }' | {
        read -r init && ps -e -o pid=,ppid= | awk -v init="$init" '
            { parent[$1] = $2 }
            END {
                for (pid in parent) {
                    for (at = pid; at > 1 && at != init; )
                        at = parent[at]
                    if (at == init)
                        print pid
                }
            }'
    }
}

peak_begin() {
    local pid
    # Of a run that was broken off; it would tell what that took.
    [[ ! -d $(peak_group "$1") ]] || peak_end "$1"
    mkdir "$(peak_group "$1")" || return
    for pid in $(peak_processes "$1"); do
        echo "$pid" >"$(peak_group "$1")/cgroup.procs" || [[ ! -d /proc/$pid ]] || return
    done 2>/dev/null
}

peak_end() {
    local pid list
    mapfile -t list <"$(peak_group "$1")/cgroup.procs"
    for pid in "${list[@]}"; do
        echo "$pid" >"$peak_root/cgroup.procs"
    done 2>/dev/null
    rmdir "$(peak_group "$1")"
}

peak_mib() {
    awk '{ printf "%.1f", $1 / 1048576 }' "$(peak_group "$1")/$peak_most"
}

# MiB written to all disks of this machine so far. What is no device of its own, as a partition or a
# volume, writes to one that is.
peak_written() {
    local device
    sync
    for device in /sys/block/*/device; do
        [[ ! -e $device ]] || cat "${device%/device}/stat"
    done | awk '{ sum += $7 } END { printf "%.1f", sum / 2048 }'
}

peak_measure() {
    local mib=$1 name=peak-$1 before
    before=$(peak_written)
    # What is run in a node comes from outside of it, and so does its control group.
    # shellcheck disable=SC2016
    on master sh -c 'echo 0 >"$1" && shift && exec "$@"' sh "$(peak_group master)/cgroup.procs" \
        bench-process rfork 0 1 "$mib" || return
    sample "$name" "master, without the process" "$(awk "BEGIN { print $(peak_mib master) - $mib }")"
    sample "$name" "node" "$(peak_mib n0)"
    sample "$name-disk" "both machines" "$(awk "BEGIN { print $(peak_written) - $before }")"
}

peak_run() {
    local mib status=0
    mib=$(rounds 1024 256)
    case_begin "peak-$mib" "master, without the process" 0 \
        "the most memory that an rfork of $mib MiB takes on either side" MiB
    promise "peak-$mib" "master, without the process" '<=' "64 MiB"
    promise "peak-$mib" node '<=' "$(( mib * 11 / 10 )) MiB"
    case_begin "peak-$mib-disk" "both machines" 0 \
        "written to disks meanwhile, by whatever runs here" MiB
    promise "peak-$mib-disk" "both machines" '<=' "1 MiB"
    peak_begin master && peak_begin n0 && peak_measure "$mib" || status=1
    peak_end master
    peak_end n0
    return "$status"
}
