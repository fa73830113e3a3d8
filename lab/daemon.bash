# SPDX-License-Identifier: GPL-2.0-or-later
#
# BProc on the nodes: configuration, the first join, masterd and slaved.

# A table has at least one node, be it that no machine is it. Who says how many there are is right.
nodes_line() {
    printf '%s\n' "${config_lines[@]}" | grep -qE '^[[:space:]]*nodes[[:space:]]' ||
        echo "nodes $(( count > 0 ? count : 1 ))"
}

master_config_write() {
    local i
    {
        nodes_line
        echo "interface eth0"
        echo "bprocport 2223"
        echo "pingtimeout 5"
        for ((i = 0; i < count; i++)); do
            node_address "n$i"
            echo "ip $i $REPLY"
        done
        ((${#config_lines[@]} == 0)) || printf '%s\n' "${config_lines[@]}"
    } >"$lab/nodes/master/disk/own@confdir@/config"
}

# What root on a node tells its machine: the init knows these signals.
slave_config_write() {
    {
        echo 'rebootcommand kill -INT 1'
        echo 'haltcommand kill -PWR 1'
        echo 'pwroffcommand kill -PWR 1'
    } >"$lab/nodes/$1/disk/own@confdir@/config"
}

config_write() {
    if [[ $1 == master ]]; then
        master_config_write
    else
        slave_config_write "$1"
    fi
}

daemon_fail() {
    echo "bplab: cannot start $1: $3" >&2
    echo "bplab: end of the log of $2:" >&2
    tail -n 20 "$lab/nodes/$2/log/daemon.log" >&2
    exit 1
}

# daemon_spawn NODE COMMAND...
daemon_spawn() {
    local node=$1 record
    shift
    record=$(PATH=$path:$PATH "$run" enter -d /run/bplab/daemon.log "$lab/nodes/$node" "$@") \
        || die "cannot start ${1##*/} on $node"
    echo "$record" >"$lab/nodes/$node/daemon"
}

# master_run WHAT COMMAND...: its output is to be had as REPLY.
master_run() {
    local what=$1
    shift
    REPLY=$(node_enter master "$@" 2>>"$lab/nodes/master/log/daemon.log" </dev/null) \
        || daemon_fail "$what" master "$1 failed"
}

# wait_until WHAT NODE CHECK...: the node's daemon must live meanwhile.
wait_until() {
    local what=$1 node=$2 end=$((SECONDS + patience))
    shift 2
    while daemon_find "$node" || daemon_fail "$what" "$node" "it has ended"; do
        ! "$@" || return 0
        ((SECONDS <= end)) || daemon_fail "$what" "$node" "not up after $patience seconds"
        sleep 0.05
    done
}

masterd_answers() {
    node_enter master bpstat >/dev/null 2>&1 </dev/null
}

nodes_up_read() {
    local fields
    nodes_up=' '
    while read -ra fields; do
        [[ " ${fields[*]:1} " == *' up '* ]] && nodes_up+="${fields[0]} "
    done < <(node_enter master bpstat -l 2>/dev/null </dev/null)
}

slave_is_up() {
    nodes_up_read
    [[ $nodes_up == *" ${1#n} "* ]]
}

masterd_start() {
    if [[ ! -e $lab/nodes/master/joined ]]; then
        master_run "certificate authority" bpctl ca init
        : >"$lab/nodes/master/joined"
    fi
    daemon_spawn master masterd -d
    wait_until masterd master masterd_answers
}

# The first time with a token; from then on with the certificate on the node's disk.
slaved_start() {
    local node=$1 words=() bare=()
    node_is_bare "$node" && bare=(--root /srv/bare)
    if [[ ! -e $lab/nodes/$node/joined ]]; then
        master_run "slaved on $node" bpctl token create --node "${node#n}"
        read -ra words <<<"$REPLY"
    fi
    daemon_spawn "$node" slaved -d "${bare[@]}" "${words[@]:1}"
}

slaved_wait() {
    wait_until "slaved on $1" "$1" slave_is_up "$1"
    : >"$lab/nodes/$1/joined"
}

# daemon_start NODE [WAIT]
daemon_start() {
    daemon_find "$1" && die "cannot start daemon of $1: it is running"
    if [[ $1 == master ]]; then
        masterd_start
    else
        slaved_start "$1"
        [[ -z ${2-} || -e $lab/nodes/$1/cut ]] || ! daemon_find master || slaved_wait "$1"
    fi
}

daemon_signal() {
    daemon_find "$1" || die "cannot stop daemon of $1: it is not running"
    node_enter "$1" kill "-$2" "$REPLY"
}

# One that ends by itself meanwhile is stopped, too.
daemon_stop() {
    local end=$((SECONDS + patience))
    daemon_signal "$1" "$2" || ! daemon_find "$1" || exit 1
    while daemon_find "$1"; do
        ((SECONDS <= end)) || die "cannot stop daemon of $1: still there after $patience seconds"
        sleep 0.02
    done
    rm -f "$lab/nodes/$1/daemon"
}

cluster_start() {
    local i
    masterd_start
    for ((i = 0; i < count; i++)); do
        slaved_start "n$i"
    done
    for ((i = 0; i < count; i++)); do
        slaved_wait "n$i"
    done
}
