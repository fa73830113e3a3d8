# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# A small process: rfork, its parts, what one machine does, and CRIU by hand. In blocks that take
# turns, so that none of them has the machine's best minute for itself.

small_run() {
    local block
    case_begin small "rfork+wait" 0 "a small process"
    case_begin small-parts rfork 0 "the parts of its rfork"
    for (( block = 0; block < 5; block++ )); do
        on master bench-process rfork 0 "$(rounds 20 4)" 0 || return
        samples_take small
        parts_take "$work/out" | samples_add small-parts
        on master criu-by-hand "$criu" "$(rounds 10 2)" 0 || return
        samples_take small
        on master bench-criufloor "$criu" "$(rounds 10 2)" 1 || return
        samples_take small
    done
    ours small rfork
    floor small "floor: criu dump + restore, loaded before"
    promise small "criu dump + restore by hand" '>=' 0.8
    promise small "rfork+wait" '<=' "20 ms"
    stable small "criu dump + restore by hand" '>='
    stable small "floor: criu dump + restore, loaded before" '>='
}
