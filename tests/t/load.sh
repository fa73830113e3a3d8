# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For tests of what a load leaves behind; sourced after lib.sh, with a lab of three nodes in mind.

LOAD=$PROGS/load
# The machine may be busy with other tests.
ON_TIMEOUT=300

# footprint NODE: what its daemons hold open, and every file that they or anybody have made.
# Connections that wait for the next transfer come and go, as does a CRIU that waits.
footprint() {
    on "$1" bash -c '
        for pid in $(pgrep -x "masterd|slaved") $(pgrep bproc-); do
            read -r comm 2>/dev/null </proc/$pid/comm || continue
            [[ $comm != bproc-idle && $comm != bproc-criu* ]] || continue
            fds=(/proc/$pid/fd/*)
            count=${#fds[@]}
            # One for each of its mover'"'"'s children that wait.
            for idle in $(pgrep -P "$pid" -x bproc-mover | xargs -r -n1 pgrep -x bproc-idle -P); do
                count=$(( count - 1 ))
            done
            echo "$comm: $count descriptors"
        done
        echo "$(grep -c . /proc/mounts) mounts"
        find /run /dev/shm | sort'
    find "${BPLAB_DIR:-/run/bplab}/$LAB/nodes/$1/disk" ! -name '*-wal' ! -name '*-shm' | sort
}

# The most descriptors that a connection holds which waits for the next transfer.
idle_descriptors() {
    on "$1" bash -c '
        for pid in $(pgrep -x bproc-idle); do
            fds=(/proc/$pid/fd/*)
            echo ${#fds[@]}
        done' | sort -n | awk 'END { print $1 + 0 }'
}

# In KiB, of all the daemons of a node together. Of those that are made for a transfer and wait for
# the next one, and of those that become them, the largest counts: there are as many as transfers
# have met.
memory() {
    on "$1" bash -c '
        for pid in $(pgrep -x "masterd|slaved") $(pgrep bproc-); do
            read -r comm 2>/dev/null </proc/$pid/comm &&
                echo "$comm $(grep ^RssAnon: /proc/$pid/status)"
        done' | awk '
        $1 ~ /^bproc-(idle|arrival|carrier|criu.*)$/ {
            if ($3 > one)
                one = $3
            next
        }
        { sum += $3 }
        END { print sum + one }'
}

strangers() {
    on "$1" ps -e -o comm= |
        grep -Evx -e 'bplab-(run|init)|masterd|slaved|timeout|ps' \
            -e 'bproc-(mover|criu|criu-next|receiver|space|idle)'
}

no_strangers() {
    [[ -z $(strangers "$1") ]]
}

# footprint_is_steady NODE FILE: it is what it was the last time, in FILE. What ends or begins to wait
# meanwhile is in one of its counts alone.
footprint_is_steady() {
    mv "$2" "$2.last"
    footprint "$1" >"$2"
    cmp "$2.last" "$2"
}

footprint_is_as_before() {
    footprint "$1" >"$TMP/$1.after"
    cmp "$TMP/$1.before" "$TMP/$1.after"
}

footprints_take() {
    local node
    for node in master n0 n1 n2; do
        wait_for 25 no_strangers "$node" || diag "left on $node:" "$(strangers "$node")"
        : >"$TMP/$node.$1"
        wait_for 20 footprint_is_steady "$node" "$TMP/$node.$1"
    done
}

footprints_compare() {
    local node
    for node in master n0 n1 n2; do
        wait_for 20 footprint_is_as_before "$node"
        ok "$1: the same descriptors and files on $node as before" \
            diff "$TMP/$node.before" "$TMP/$node.after"
        ok "$1: no process is left on $node" no_strangers "$node"
        between "$1: connections that wait hold little on $node" \
            "$(idle_descriptors "$node")" 0 10
    done
    is "$1: masterd knows no process" "$(on master bpstat -p | tail -n +2)" ""
}

# load_begin: a cluster whose daemons' memory has settled, and whose nodes' caches have what they need.
load_begin() {
    lab_up 3
    ok "forks before all counting" on master "$LOAD" row 30 3
    footprints_take before
}
