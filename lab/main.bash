# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands.

lab_remove() {
    local nodes=("$lab"/nodes/*/)
    ((${#nodes[@]} == 0)) || "$run" destroy "${nodes[@]%/}" || return
    while mountpoint -q "$lab"; do
        umount -R "$lab" 2>/dev/null || umount -R -l "$lab" || return
    done
    [[ ! -d $lab ]] || rmdir "$lab"
}

up_abandon() {
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT
    if [[ -n $keep ]]; then
        echo "bplab: lab $name is left as it is" >&2
    else
        lab_remove && lab_forget
    fi
    exit "$status"
}

up_build() {
    local node
    mkdir "$lab" && mount -t tmpfs -o mode=755 bplab "$lab" && mkdir "$lab/nodes" \
        || die "cannot make $lab"
    layers_find
    binds_find
    options_save || die "cannot write $lab/options"
    [[ -z $stage ]] || stage_copy || die "cannot copy $stage"
    fabric_make
    for node in master $(seq -f n%g 0 $((count - 1))); do
        node_make "$node"
        config_write "$node" || die "cannot write configuration of $node"
        node_boot "$node"
    done
    [[ -z $daemons ]] || cluster_start
}

cmd_up() {
    local operands bare
    up_parse "$@"
    ((${#operands[@]} < 2)) || usage_die "up takes one number"
    count=${operands[0]-$count}
    need_number up "$count"
    ((10#$count <= 16)) || usage_die "up takes at most 16 nodes"
    count=$((10#$count))
    for bare in "${bares[@]}"; do
        ((bare < count)) || usage_die "--bare $bare: there is no such node"
    done
    lab=$base/$name
    if [[ -n $stage ]]; then
        dir_take --stage "$stage"
        stage=$REPLY
    fi
    lab_lock
    [[ ! -e $lab/complete ]] || die "cannot start lab $name: it is up already"
    trap up_abandon EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # What a killed bplab has left there.
    lab_remove || die "cannot clear what is left of lab $name"
    up_build
    : >"$lab/complete"
    trap - EXIT
    echo "lab $name is up: master and $count nodes"
}

cmd_down() {
    (($# == 0)) || usage_die "down takes no operand"
    [[ -e $lab || -e $lab.lock ]] || exit 0
    lab_lock
    lab_remove || die "cannot take down lab $name"
    lab_forget
}

node_state() {
    if ! init_find "$1"; then
        REPLY=down
    elif [[ -e $lab/nodes/$1/cut ]]; then
        REPLY='cut'
    else
        REPLY=up
    fi
}

node_print() {
    local address state pid=- daemon=-
    node_address "$1"
    address=$REPLY
    node_state "$1"
    state=$REPLY
    init_find "$1" && pid=$REPLY
    if daemon_find "$1"; then
        daemon=$REPLY
    elif [[ -n $daemons ]]; then
        daemon=stopped
    fi
    printf '%-8s %-12s %-6s %-8s %s\n' "$1" "$address" "$state" "$pid" "$daemon"
}

cmd_status() {
    local i
    (($# == 0)) || usage_die "status takes no operand"
    lab_need "show status"
    options_load
    printf '%-8s %-12s %-6s %-8s %s\n' NODE ADDRESS STATE PID DAEMON
    node_print master
    for ((i = 0; i < count; i++)); do
        node_print "n$i"
    done
}

cmd_list() {
    local dir
    (($# == 0)) || usage_die "list takes no operand"
    for dir in "$base"/*/options; do
        lab=${dir%/options}
        options_load
        echo "${lab##*/} $count"
    done
}

# cmd_exec VERB ARGUMENT...
cmd_exec() {
    local verb=$1 node args=()
    shift
    while [[ ${1-} == -?* ]]; do
        case $1 in
            -t) args+=(-t) ;;
            -u) (($# > 1)) || usage_die "-u needs a user"; args+=(-u "$2"); shift ;;
            -u?*) args+=("$1") ;;
            -c) (($# > 1)) || usage_die "-c needs a name"; lab_name_set "$2"; lab=$base/$name; shift ;;
            --) shift; break ;;
            *) usage_die "$verb has no option $1" ;;
        esac
        shift
    done
    (($#)) || usage_die "$verb needs a node"
    node=$1
    shift
    [[ ${1-} != -- ]] || shift
    if [[ $verb == shell ]]; then
        (($# == 0)) || usage_die "shell takes one node"
        [[ ! -t 0 ]] || args+=(-t)
        set -- bash
    fi
    (($#)) || usage_die "exec needs a command"
    (node_need enter "$node") || exit 125
    options_load
    PATH=$path:$PATH exec "$run" enter "${args[@]}" "$lab/nodes/$node" "$@"
}

cmd_kill() {
    node_halt "$1"
}

cmd_start() {
    init_find "$1" && die "cannot start $1: it is up"
    node_halt "$1"
    node_boot "$1"
    [[ -z $daemons ]] || daemon_start "$1" "$wait"
}

cmd_cut() {
    : >"$lab/nodes/$1/cut"
    ! init_find "$1" || fabric_ip link set dev "$1" down || die "cannot cut $1"
}

cmd_heal() {
    rm -f "$lab/nodes/$1/cut"
    ! init_find "$1" || fabric_ip link set dev "$1" up || die "cannot heal $1"
}

cmd_daemon() {
    init_find "$1" || die "cannot reach daemon of $1: the node is down"
    case $2 in
        start) daemon_start "$1" "$wait" ;;
        stop) daemon_stop "$1" TERM ;;
        kill) daemon_stop "$1" KILL ;;
        restart)
            ! daemon_find "$1" || daemon_stop "$1" TERM
            daemon_start "$1" "$wait" ;;
    esac
}

cmd_logs() {
    local follow=()
    [[ ${1-} != -f ]] || { follow=(-F); shift; }
    (($# == 1)) || usage_die "logs takes one node"
    node_need "show logs of" "$1"
    : >>"$lab/nodes/$1/log/daemon.log"
    exec tail -n +1 "${follow[@]}" "$lab/nodes/$1/log/daemon.log"
}

# Commands that change one node: node_command NAME ARGUMENT...
node_command() {
    local verb=$1
    shift
    wait=yes
    while [[ ${1-} == -* ]]; do
        [[ $1 == --no-wait && ($verb == start || $verb == daemon) ]] \
            || usage_die "$verb has no option $1"
        wait=
        shift
    done
    if [[ $verb == daemon ]]; then
        [[ $# == 2 && $2 =~ ^(start|stop|kill|restart)$ ]] \
            || usage_die "daemon takes a node and start, stop, kill or restart"
    else
        (($# == 1)) || usage_die "$verb takes one node"
    fi
    node_need "$verb" "$1"
    lab_lock
    node_need "$verb" "$1"
    options_load
    "cmd_$verb" "$@"
}

main() {
    local command
    while [[ ${1-} == -* ]]; do
        case $1 in
            -c) (($# > 1)) || usage_die "-c needs a name"; lab_name_set "$2"; shift ;;
            -c?*) lab_name_set "${1#-c}" ;;
            --help | -h) usage_print; exit 0 ;;
            --version | -V) echo "bplab @VERSION@"; exit 0 ;;
            *) usage_die "no such option $1" ;;
        esac
        shift
    done
    (($#)) || usage_die "no command"
    command=$1
    shift
    lab=$base/$name
    ((EUID == 0)) || die "cannot $command: only root can"
    [[ -x $run ]] || die "cannot find helper program $run"
    case $command in
        up | down | status | list | logs) "cmd_$command" "$@" ;;
        exec | shell) cmd_exec "$command" "$@" ;;
        kill | start | cut | heal | daemon) node_command "$command" "$@" ;;
        *) usage_die "no such command $command" ;;
    esac
}

main "$@"
