# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Processes with much memory, all of it copied.

large_size() {
    local mib=$1 count=$2 each=$3 name=large-$1 block
    case_begin "$name" rfork "$mib" "a process of $mib MiB, copied in full"
    case_place "$name" MiB "$mib"
    promise "$name" "criu dump to its page server, criu restore" '>=' 1.43
    promise "$name" "floor: read, encipher, decipher, touch" '>=' 0.667
    stable "$name" "criu dump to its page server, criu restore" '>=' 2
    stable "$name" "floor: read, encipher, decipher, touch" '>=' 2
    floor "$name" "floor: read, encipher, decipher, touch"
    case_begin "$name-parts" rfork 0 "the parts of its rfork"
    for (( block = 0; block < count; block++ )); do
        on master bench-process rfork 0 "$each" "$mib" || return
        samples_take "$name"
        parts_take "$work/out" | samples_add "$name-parts"
        on master criu-by-hand "$criu" "$each" "$mib" "$work/ssh/shared" n0 || return
        samples_take "$name"
        on master bench-floor "$each" "$mib" || return
        samples_take "$name"
    done
}

large_run() {
    local each
    each=$(rounds 3 1)
    large_size 16 "$(rounds 5 2)" "$each" && large_size 64 "$(rounds 3 2)" "$each" || return
    $quick || large_size 1024 3 1
}
