# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Many bytes through the standard output and the standard input of a command on a node, into and out
# of pipes.

# One nc serves one connection, so another follows at once; who comes too early tries again.
stream_serve() {
    # shellcheck disable=SC2016
    peer_need nc && on n0 sh -c 'exec </dev/null >/dev/null 2>&1
        (while :; do head -c "$1" /dev/zero | nc -lN 7001; done) &
        (while :; do nc -l 7002 | cat; done) &' sh "$1"
}

# The least that one can do: a connection gets the bytes from port 7003, the sink from port 7004.
stream_floor() {
    # shellcheck disable=SC2016
    peer_need tls && on n0 sh -c 'exec </dev/null >/dev/null 2>&1
        bench-streamfloor give "$1" 7003 head -c "$2" /dev/zero &
        bench-streamfloor take "$1" 7004 sh -c "cat >/dev/null" &' sh "$work/tls.pem" "$1"
}

stream_promise() {
    promise "$1" "ssh, shared connection" '>=' 2
    promise "$1" "nc, in clear" '>=' 0.5
    promise "$1" "floor: pipe, TLS, pipe" '>=' 0.83
    floor "$1" "floor: pipe, TLS, pipe"
    stable "$1" "ssh, shared connection" '>='
    stable "$1" "nc, in clear" '>='
}

stream_out() {
    local source="head -c $(( $1 << 20 )) /dev/zero" sink="cat >/dev/null"
    race_begin stream "bpsh" "$1" "$1 MiB from the standard output of a node"
    race_add "bpsh" sh -c "bpsh n0 $source | $sink"
    race_add "ssh, shared connection" sh -c "${ssh_shared[*]} n0 $source | $sink"
    race_peer nc "nc, in clear" sh -c "until nc n0 7001 </dev/null; do :; done | $sink"
    race_peer tls "floor: pipe, TLS, pipe" sh -c \
        "until bench-streamfloor fetch n0 7003; do :; done | $sink"
    race_add "pipe here" sh -c "$source | $sink"
    stream_promise stream
    race_run "$(rounds 10 3)"
}

stream_in() {
    local source="head -c $(( $1 << 20 )) /dev/zero"
    race_begin stream-in "bpsh" "$1" "$1 MiB into the standard input of a node"
    race_add "bpsh" sh -c "$source | bpsh n0 sh -c 'cat >/dev/null'"
    race_add "ssh, shared connection" sh -c "$source | ${ssh_shared[*]} n0 'cat >/dev/null'"
    race_peer nc "nc, in clear" sh -c "until $source | nc -N n0 7002; do :; done"
    race_peer tls "floor: pipe, TLS, pipe" sh -c \
        "until $source | bench-streamfloor send n0 7004; do :; done"
    race_add "pipe here" sh -c "$source | cat >/dev/null"
    stream_promise stream-in
    race_run "$(rounds 10 3)"
}

stream_run() {
    local mib status=0
    mib=$(rounds 1024 256)
    stream_serve $(( mib << 20 ))
    stream_floor $(( mib << 20 ))
    stream_out "$mib" || status=1
    stream_in "$mib" && return "$status"
}
