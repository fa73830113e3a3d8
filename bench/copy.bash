# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# One file from the master to eight nodes, each on a link of 1 Gbit/s, as the master is itself.

copy_lab=(8 --rate 1gbit)

copy_file() {
    # Nothing that compresses: that would be no measure of links.
    # shellcheck disable=SC2016
    on master sh -c 'mkdir -p /srv/copy && head -c "$1" /dev/urandom >/srv/copy/file' sh "$1" &&
        on master bpsh -a mkdir -p /srv/copy
}

# The least that each node does with the file: a server on port 7005.
copy_floor() {
    local i
    peer_need tls || return 0
    for (( i = 0; i < 8; i++ )); do
        # shellcheck disable=SC2016
        on "n$i" sh -c 'bench-copyfloor serve "$1" 7005 </dev/null >/dev/null 2>&1 &' sh \
            "$work/tls.pem" || return
    done
}

copy_race() {
    local floor="floor: TLS, file, TLS on each"
    race_begin copy "bpcp to eight" "$1" "$1 MiB from the master to eight nodes at 1 Gbit/s"
    race_add "bpcp to eight" bpcp /srv/copy/file 'n[0-7]:/srv/copy/file'
    race_add "bpcp to one" bpcp /srv/copy/file n0:/srv/copy/file
    race_peer scp "scp to one" "${scp_fresh[@]}" /srv/copy/file n0:/srv/copy/file
    race_once clush "clush -c to eight" "${clush_fresh[@]}" -w 'n[0-7]' -c /srv/copy/file
    race_peer tls "$floor" bench-copyfloor send 7005 /srv/copy/file /srv/copy/file n{0..7}
    promise copy "scp to one" '>=' 0.77
    promise copy "clush -c to eight" '>=' 5
    stable copy "scp to one" '>='
    stable copy "clush -c to eight" '>='
    floor copy "$floor"
    race_run -c "$(rounds 3 2)"
}

# Per cent of the file that leave the master on their way to the eight.
copy_sent() {
    # shellcheck disable=SC2016
    on master sh -c 'cd /sys/class/net/eth0/statistics && before=$(cat tx_bytes) &&
        bpcp /srv/copy/file "n[0-7]:/srv/copy/file" &&
        echo $(( ($(cat tx_bytes) - before) * 100 / $1 ))' sh "$1" || return
    case_begin copy-sent "bpcp to eight" 0 "what the master sends of a copy to eight nodes" %
    sample copy-sent "bpcp to eight" "$(<"$work/out")"
    promise copy-sent "bpcp to eight" '<=' "130 %"
}

copy_run() {
    local mib status=0
    mib=$(rounds 1024 128)
    copy_file $(( mib << 20 )) && copy_floor || return
    # This comes first: whoever writes first has the nodes' kernels find memory for the file.
    copy_sent $(( mib << 20 )) || status=1
    copy_race "$mib" && return "$status"
}
