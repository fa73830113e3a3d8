# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# A command on a node. Most of a new ssh connection is two waits of 40 ms for acknowledgements that
# the other end's kernel puts off; the second case takes these out, as an administrator can.

shell_time() {
    case_begin "$1" "bpsh n0 true" 0 "$2"
    on master bench-time "$(rounds 100 10)" \
        -- "bpsh n0 true" bpsh n0 true \
        -- "ssh n0 true, new connection" ssh -F "$work/ssh/fresh" n0 true \
        -- "ssh n0 true, shared connection" ssh -F "$work/ssh/shared" n0 true \
        -- "true here" true || return
    samples_take "$1"
}

# quickack NODE 0|1: whether its kernel acknowledges every segment at once.
quickack() {
    # shellcheck disable=SC2016
    on "$1" sh -c 'route=$(ip route show dev eth0 scope link | sed "s/ quickack.*//")
        ip route replace $route dev eth0 scope link quickack "$1"' sh "$2"
}

shell_run() {
    shell_time shell "a command on a node" || return
    quickack master 1 && quickack n0 1 || return
    shell_time shell-quickack "the same, with acknowledgements that are not put off" || return
    quickack master 0 && quickack n0 0
}
