# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# What goes to a node when the same program is forked onto it again. Each round is another user's,
# whose pages the node has not had.

# KiB that masterd says the last two transfers took.
repeat_sent() {
    bplab logs master | sed -n 's/.* rfork pid .*, \([0-9.]*\) \([KM]\)iB$/\1 \2/p' | tail -n 2 |
        awk '{ print $2 == "M" ? $1 * 1024 : $1 }'
}

repeat_size() {
    local name=repeat-$1 round sent
    case_begin "$name" "the first time" 0 "what is sent of a process of $1 MiB that forks twice" KiB
    promise "$name" "the second time" '<=' 0.2
    stable "$name" "the second time" '<='
    for (( round = 0; round < 3; round++ )); do
        on master setpriv --reuid="$(( 7000 + round ))" --clear-groups \
            bench-process rfork 0 1 "$1" same || return
        readarray -t sent < <(repeat_sent)
        sample "$name" "the first time" "${sent[0]}"
        sample "$name" "the second time" "${sent[1]}"
    done
}

# A process of zeros beside one of words, each forked once.
repeat_zeros() {
    local mib=64 name=repeat-zeros round kind sent
    case_begin "$name" words 0 "what is sent of a process of $mib MiB" KiB
    promise "$name" zeros '<=' 0.2
    stable "$name" zeros '<=' 2
    for (( round = 0; round < 3; round++ )); do
        for kind in words zeros; do
            on master setpriv --reuid="$(( 7100 + round ))" --clear-groups \
                bench-process rfork 0 0 "$mib" $kind || return
            sent=$(repeat_sent | tail -n 1)
            sample "$name" $kind "$sent"
        done
    done
}

repeat_run() {
    repeat_size 1 && repeat_size 16 && repeat_zeros
}
