# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# masterd with many nodes, simulated ones: bench-swarm.

scale_lab=(1 --no-daemons)

# scale_row CASE ROW SAMPLE: those that scale-master has called so.
scale_row() {
    awk -F '\t' -v OFS='\t' -v name="$3" -v row="$2" '$2 == name { print $1, row, 0 }' \
        "$work/scale" | samples_add "$1"
}

# scale_case KIND BASE TITLE UNIT ROW SAMPLE...
scale_case() {
    local name=scale-$1-$count
    case_begin "$name" "$2" 0 "$3" "$4"
    case_place "$name" slaves "$count"
    shift 4
    while (( $# )); do
        scale_row "$name" "$1" "$2"
        shift 2
    done
}

scale_size() {
    local floor="openssl s_server's for as many handshakes"
    count=$1
    ON_TIMEOUT=2000 on master scale-master "$count" "$(rounds 10 5)" || return
    cp "$work/out" "$work/scale"
    scale_case storm "$floor" "$count nodes come at once" ms \
        "join and connect" join "masterd's processor time to join" join-cpu \
        "connect again" reconnect "masterd's processor time to connect" reconnect-cpu \
        "$floor" handshakes
    scale_case idle masterd "masterd with $count idle nodes, of a processor" % masterd idle
    scale_case memory masterd "memory of masterd for each of $count nodes" KiB masterd memory
    scale_case bpstat bpstat "states of $count nodes" ms bpstat bpstat "bpstat -l" bpstat-long
    scale_case notify "1000 notifiers" "a change of state reaches the last, with $count nodes" ms \
        "1000 notifiers" notify
    stable "scale-storm-$count" "masterd's processor time to connect" '<=' 2
    promise "scale-memory-$count" masterd '<=' "40 KiB"
    promise "scale-bpstat-$count" bpstat '<=' "50 ms"
    promise "scale-notify-$count" "1000 notifiers" '<=' "50 ms"
}

scale_run() {
    local count
    scale_size 1000 || return
    promise scale-storm-1000 "join and connect" '<=' "10000 ms"
    $quick && return
    scale_size 10000 || return
    promise scale-idle-10000 masterd '<=' "1 %"
}
