# SPDX-License-Identifier: GPL-2.0-or-later
#
# The nodes: files, network, power.

node_address() {
    if [[ $1 == master ]]; then
        REPLY=10.77.0.1
    else
        REPLY=10.77.1.$((${1#n} + 1))
    fi
}

# The host's file systems that hold software or its state: each gets an overlay like / has.
layers_find() {
    local dir
    for dir in /usr /var /opt; do
        mountpoint -q "$dir" && layers+=("$dir")
    done
}

# An overlay shows one file system only. What is worked on may lie on another.
binds_find() {
    local dir target
    for dir in "$PWD" ${stage:+"$stage"}; do
        target=$(findmnt -n -o TARGET -T "$dir" | tail -n 1)
        case $target in
            / | "" | /proc* | /sys* | /dev*) continue ;;
            /run*) target=$dir ;;
        esac
        [[ " ${layers[*]} ${binds[*]} " == *" $target "* ]] || binds+=("$target")
    done
}

# The stage is copied: one file system cannot be two layers of an overlay if one holds the other, and
# a build may go on in the stage while the lab is up. Where the host has a link, /lib mostly, a folder
# of that name would hide it.
stage_copy() {
    local dir target
    cp -a "$stage" "$lab/stage" || return
    while IFS= read -r -d '' dir; do
        [[ -L /$dir && -d $lab/stage/$dir ]] || continue
        target=$lab/stage$(readlink -f "/$dir")
        mkdir -p "$target" && cp -a "$lab/stage/$dir/." "$target/" && rm -r "$lab/stage/$dir" || return
    done < <(find "$lab/stage" -depth -mindepth 1 -type d -printf '%P\0')
}

disk_fill() {
    local dir=$lab/nodes/$1 root=$lab/nodes/$1/disk/upper/root i
    mkdir -p "$root/etc" "$dir/disk/own@confdir@" "$dir/disk/own@statedir@" \
        && chmod 700 "$dir/disk/own@statedir@" || return
    if [[ -d $lab/stage@confdir@ ]]; then
        cp -a "$lab/stage@confdir@/." "$dir/disk/own@confdir@/" || return
    fi
    echo "$1" >"$root/etc/hostname"
    {
        echo "127.0.0.1 localhost"
        for i in master $(seq -f n%g 0 $((count - 1))); do
            node_address "$i"
            echo "$REPLY $i"
        done
    } >"$root/etc/hosts"
    if node_is_bare "$1"; then
        mkdir -p "$root"/srv/bare/{proc,dev,sys,run,etc,var,usr} \
            && mkdir -m 1777 "$root/srv/bare/tmp"
    fi
}

node_is_bare() {
    [[ " ${bares[*]} " == *" ${1#n} "* ]]
}

node_make() {
    local dir=$lab/nodes/$1
    mkdir -p "$dir/disk" "$dir/root" "$dir/log" \
        && mount -t tmpfs -o "mode=755${disk_size:+,size=$disk_size}" bplab "$dir/disk" \
        && disk_fill "$1" || die "cannot make disk of $1"
}

fabric_ip() {
    nsenter --net="$lab/fabric" ip "$@"
}

fabric_make() {
    : >"$lab/fabric" && unshare --net="$lab/fabric" ip -batch - <<END || die "cannot make network"
link add fabric type bridge stp_state 0 forward_delay 0
link set fabric up
END
}

# A fixed link address: the others' memory of it stays good when the node boots again.
node_wire() {
    local node=$1 init=$2 cable=up address link
    [[ -e $lab/nodes/$node/cut ]] && cable=down
    node_address "$node"
    address=$REPLY
    # shellcheck disable=SC2086
    printf -v link '02:00:%02x:%02x:%02x:%02x' ${address//./ }
    fabric_ip -batch - <<END && nsenter --net="/proc/$init/ns/net" ip -batch - <<END2 \
        && link_limit "$node" "$init"
link add name $node mtu $mtu type veth peer name eth0 mtu $mtu address $link netns $init
link set dev $node master fabric
link set dev $node $cable
END
link set lo up
addr add $address/16 brd + dev eth0
link set eth0 up
END2
}

# What leaves each end of the node's link. The burst holds a packet of any size and what comes in the
# 4 ms that a timer may be late; the queue is that of a switch, so that many senders lose packets.
link_limit() {
    local limit=(root tbf rate "$rate" burst "$((65536 + rate / 8 / 250))" latency 20ms)
    [[ -n $rate ]] || return 0
    nsenter --net="$lab/fabric" tc qdisc add dev "$1" "${limit[@]}" \
        && nsenter --net="/proc/$2/ns/net" tc qdisc add dev eth0 "${limit[@]}"
}

node_boot() {
    local dir=$lab/nodes/$1 args=() item
    [[ -d $lab/stage ]] && args+=(-s "$lab/stage")
    for item in "${layers[@]}"; do args+=(-l "$item"); done
    for item in "${binds[@]}"; do args+=(-b "$item"); done
    rm -f "$dir/daemon"
    "$run" boot "${args[@]}" -o @confdir@ -o @statedir@ "$1" "$dir" \
        "$(readlink -f "${BASH_SOURCE[0]}")" -c "$name" start --no-wait "$1" || die "cannot boot $1"
    init_find "$1" && node_wire "$1" "$REPLY" || die "cannot connect $1 to the network"
    # The host's index of libraries does not know those of the stage.
    [[ ! -d $lab/stage ]] || node_enter "$1" /sbin/ldconfig || die "cannot index the libraries of $1"
}

# The kernel would remove the link too, but some time later.
node_halt() {
    "$run" halt "$lab/nodes/$1" || exit 1
    rm -f "$lab/nodes/$1/init" "$lab/nodes/$1/daemon"
    fabric_ip link delete dev "$1" 2>/dev/null
    return 0
}

node_enter() {
    local node=$1
    shift
    PATH=$path:$PATH "$run" enter "$lab/nodes/$node" "$@"
}
