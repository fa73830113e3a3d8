# SPDX-License-Identifier: GPL-2.0-or-later
#
# A lab's folder: lock, saved options, processes on record.

# A lock file that its holder removed meanwhile locks nothing: then again.
lab_lock() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        mkdir -p "$base" || die "cannot make folder $base"
        { exec {lock}>"$lab.lock"; } 2>/dev/null || continue
        flock "$lock" || die "cannot lock $lab.lock"
        [[ $lab.lock -ef /proc/self/fd/$lock ]] && return
        exec {lock}>&-
    done
    die "cannot lock $lab.lock"
}

# The lock goes with its file; the base folder with the last lab.
lab_forget() {
    rm -f "$lab.lock"
    rmdir "$base" 2>/dev/null || true
}

lab_exists() {
    [[ -e $lab/options ]]
}

lab_need() {
    lab_exists || die "cannot $1: lab $name is not up"
}

options_save() {
    local variable
    {
        for variable in count path stage mtu rate disk_size patience daemons; do
            echo "$variable=${!variable@Q}"
        done
        echo "binds=(${binds[*]@Q})"
        echo "layers=(${layers[*]@Q})"
        echo "bares=(${bares[*]@Q})"
    } >"$lab/options.new" && mv "$lab/options.new" "$lab/options"
}

options_load() {
    # shellcheck source=/dev/null
    . "$lab/options"
}

# Start time of a process, from its stat file $1, to REPLY; fails when it has ended.
start_time_read() {
    local line fields
    { read -r line <"$1"; } 2>/dev/null || return 1
    read -ra fields <<<"${line##*) }"
    REPLY=${fields[19]}
    [[ ${fields[0]} != Z ]]
}

# Pid of the node's init to REPLY; fails when the node is down.
init_find() {
    local pid start
    { read -r pid start <"$lab/nodes/$1/init"; } 2>/dev/null || return 1
    start_time_read "/proc/$pid/stat" && [[ $REPLY == "$start" ]] || return 1
    REPLY=$pid
}

# Pid of the node's daemon, as the node counts, to REPLY; fails when it is not running.
daemon_find() {
    local pid start
    { read -r pid start <"$lab/nodes/$1/daemon"; } 2>/dev/null || return 1
    init_find "$1" && start_time_read "/proc/$REPLY/root/proc/$pid/stat" \
        && [[ $REPLY == "$start" ]] || return 1
    REPLY=$pid
}

node_need() {
    lab_need "$1 $2"
    [[ -n $2 && $2 != */* && -d $lab/nodes/$2 ]] || die "cannot $1 $2: lab $name has no such node"
}
