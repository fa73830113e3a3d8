# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# A command on a node. Most of a new ssh connection is two waits of 40 ms for acknowledgements that
# the other end's kernel puts off; the second case takes these out, as an administrator can.

shell_race() {
    race_begin "$1" "bpsh n0 true" 0 "$2"
    race_add "bpsh n0 true" bpsh n0 true
    race_peer ssh "ssh, new connection" "${ssh_fresh[@]}" n0 true
    race_peer ssh "ssh, shared connection" "${ssh_shared[@]}" n0 true
    race_peer pdsh "pdsh" "${pdsh_fresh[@]}" -w n0 true
    race_peer pdsh "pdsh, shared connection" "${pdsh_shared[@]}" -w n0 true
    race_peer clush "clush" "${clush_fresh[@]}" -w n0 true
    race_peer clush "clush, shared connection" "${clush_shared[@]}" -w n0 true
}

shell_case() {
    shell_race shell "a command on a node"
    race_peer slurm "srun" "${srun[@]}" -w n0 true
    race_peer slurm "srun within salloc" "${srun_in[@]}" -N 1 -w n0 true
    race_peer hydra "MPICH hydra on one host" "${hydra[@]}" -n 1 true
    ! peer_need tls || race_resident "fork+exec of true behind a TLS round trip" \
        "${tls_ping[@]}" n0 7000 run
    ! peer_need tls || race_resident "a TLS round trip" "${tls_ping[@]}" n0 7000
    race_add "true here" true
    race_peer tls "floor: a program here, true there" "${tls_knock[@]}" 1
    floor shell "floor: a program here, true there"
    promise shell "ssh, new connection" '>=' 40
    promise shell "ssh, shared connection" '>=' 6
    promise shell "pdsh" '>=' 40
    promise shell "clush" '>=' 60
    promise shell "srun" '>=' 20
    promise shell "MPICH hydra on one host" '>=' 1
    promise shell "fork+exec of true behind a TLS round trip" '>=' 0.4
    stable shell "ssh, new connection" '>='
    stable shell "ssh, shared connection" '>='
    stable shell "clush" '>='
    stable shell "MPICH hydra on one host" '>='
    stable shell "true here" '>='
    stable shell "floor: a program here, true there" '>='
    race_run "$(rounds 50 10)"
}

# quickack NODE 0|1: whether its kernel acknowledges every segment at once.
quickack() {
    # shellcheck disable=SC2016
    on "$1" sh -c 'route=$(ip route show dev eth0 scope link | sed "s/ quickack.*//")
        ip route replace $route dev eth0 scope link quickack "$1"' sh "$2"
}

shell_run() {
    local status=0
    shell_case || return
    quickack master 1 && quickack n0 1 || return
    shell_race shell-quickack "the same, with acknowledgements that are not put off"
    race_run "$(rounds 30 5)" || status=1
    quickack master 0 && quickack n0 0 && return "$status"
}
