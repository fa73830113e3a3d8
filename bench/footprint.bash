# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# What a running remote process costs beside itself, on the master and on its node: memory,
# descriptors, and the processor for each byte of its streams; and the start of the daemons.

footprint_count=8

# Of each process that is a part of BProc or ssh: name, private KiB, descriptors, ms of processor.
# shellcheck disable=SC2016
footprint_look='for dir in /proc/[0-9]*; do
    program=$(readlink "$dir/exe") || continue
    read -r name <"$dir/comm" || continue
    case $program in
    */bproc-ghost) name=ghost ;;
    */bpsh) name=bpsh ;;
    */ssh) name=ssh ;;
    */sshd) name=sshd ;;
    */bproc-*) ;;
    *) continue ;;
    esac
    set -- "$dir"/fd/*
    awk -v name="$name" -v fds="$#" '\''
        /^Private_/ { private += $2 }
        FILENAME ~ /schedstat$/ { cpu = $1 / 1e6 }
        END { print name, private, fds, cpu }'\'' OFS="\t" "$dir/smaps_rollup" "$dir/schedstat"
done 2>/dev/null'

# footprint_sum NODE COLUMN NAME: of all processes of that name.
footprint_sum() {
    on "$1" sh -c "$footprint_look" || return
    awk -F '\t' -v column="$2" -v name="$3" '
        $1 ~ "^(" name ")$" { sum += $column }
        END { print sum + 0 }' "$work/out"
}

# footprint_each CASE COLUMN NODE NAME LABEL: a sample for each process of that name.
footprint_each() {
    on "$3" sh -c "$footprint_look" || return
    awk -F '\t' -v column="$2" -v name="$4" -v label="$5" '
        $1 == name { print $column "\t" label "\t0" }' "$work/out" | samples_add "$1"
}

# footprint_start COMMAND...: so many of it at once, their outputs pipes, until they run on n0.
footprint_start() {
    # shellcheck disable=SC2016
    on master sh -c 'exec </dev/null >/dev/null 2>&1
        count=$1; shift
        while [ "$count" -gt 0 ]; do
            "$@" 2>&1 | cat &
            count=$((count - 1))
        done' sh "$footprint_count" "$@" &&
        on n0 timeout 20 sh -c "until [ \$(pgrep -fc '^sleep 7777') = $footprint_count ]; do :; done"
}

footprint_stop() {
    on n0 pkill -f '^sleep 7777' && on master timeout 20 sh -c \
        'while pgrep -x bproc-carrier || pgrep -f "[s]leep 7777"; do :; done >/dev/null'
}

# footprint_total CASE COLUMN LABEL MASTER NODE: all such processes there are, for each that runs.
footprint_total() {
    local there here
    here=$(footprint_sum master "$2" "$4") && there=$(footprint_sum n0 "$2" "$5") || return
    sample "$1" "$3" "$(( (here + there) / footprint_count ))"
}

footprint_sizes() {
    local i=0 name unit=(KiB fds) title=("private memory" "descriptors")
    footprint_start bpsh n0 sleep 7777 || return
    for name in footprint-memory footprint-fds; do
        case_begin "$name" "a command by bpsh, in all" 0 "${title[i]} beside a running command" \
            "${unit[i]}"
        footprint_total "$name" $(( i + 2 )) "a command by bpsh, in all" \
            'ghost|bproc-carrier|bpsh' 'bproc-arrival|bproc-keeper'
        footprint_each "$name" $(( i + 2 )) master ghost "its ghost"
        footprint_each "$name" $(( i + 2 )) master bproc-carrier "the mover's child"
        footprint_each "$name" $(( i + 2 )) master bpsh "bpsh"
        footprint_each "$name" $(( i + 2 )) n0 bproc-arrival "the receiver's child"
        footprint_each "$name" $(( i + 2 )) n0 bproc-keeper "a keeper"
        i=$(( i + 1 ))
    done
    promise footprint-memory "its ghost" '<=' "300 KiB"
    stable footprint-memory "ssh, new connection" '>='
    footprint_stop && footprint_start "${ssh_fresh[@]}" n0 sleep 7777 || return
    footprint_total footprint-memory 2 "ssh, new connection" ssh 'sshd'
    footprint_total footprint-fds 3 "ssh, new connection" ssh 'sshd'
    footprint_stop
}

# footprint_burn LABEL MIB MASTER NODE COMMAND: what such processes take of the processors for it.
footprint_burn() {
    local before after
    before=$(( $(footprint_cpu "$3" "$4") ))
    on master sh -c "$5 | cat >/dev/null" || return
    after=$(( $(footprint_cpu "$3" "$4") ))
    sample footprint-cpu "$1" "$(( (after - before) * 1024000 / $2 ))"
}

footprint_cpu() {
    local here there
    here=$(footprint_sum master 4 "$1") && there=$(footprint_sum n0 4 "$2") &&
        awk -v here="$here" -v there="$there" 'BEGIN { printf "%d", here + there }'
}

footprint_bytes() {
    local mib source i
    mib=$(rounds 1024 256)
    source="head -c $(( mib << 20 )) /dev/zero"
    case_begin footprint-cpu "bpsh" 0 "processor time for each GiB of standard output, both sides"
    stable footprint-cpu "ssh, shared connection" '>='
    for (( i = 0; i < $(rounds 5 2); i++ )); do
        footprint_burn "bpsh" "$mib" 'bproc-carrier|bproc-idle' 'bproc-arrival|bproc-idle' \
            "bpsh n0 $source" || return
        footprint_burn "ssh, shared connection" "$mib" ssh sshd "${ssh_shared[*]} n0 $source" || return
    done
}

footprint_daemon() {
    local status=0
    bplab daemon "$1" stop || return
    on "$1" bench-ready "$(rounds 10 3)" "$2" "$2" -d || status=1
    samples_take footprint-start
    bplab daemon "$1" start && return "$status"
}

footprint_run() {
    local status=0
    footprint_sizes || status=1
    footprint_bytes || status=1
    case_begin footprint-start masterd 0 "from the start of a daemon until it is ready"
    ours footprint-start slaved
    footprint_daemon master masterd || status=1
    footprint_daemon n0 slaved && return "$status"
}
