# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Processes of growing size whose child runs before its memory is there.

lazy_size() {
    local mib=$1 rounds=$2 name=lazy-$1
    case_begin "$name" "first instruction" 0 "a process of $mib MiB whose child runs at once"
    case_place "$name" MiB "$mib"
    promise "$name" "rfork, without the kernel's fork" '<=' "60 ms"
    promise "$name" "first instruction" '<=' "120 ms"
    floor "$name" "floor: the kernel's fork"
    on master bench-lazy 0 "$rounds" "$mib" || return
    samples_take "$name"
    promise "$name-whole" "every page, out of turn" '<=' 2
    case_begin "$name-whole" "copied in full" "$mib" "the child of a process of $mib MiB has all of it"
    grep -E 'out of turn|in full' "$work/out" | samples_add "$name-whole"
}

lazy_run() {
    lazy_size 64 "$(rounds 10 2)" && lazy_size 256 "$(rounds 5 1)" || return
    $quick || { lazy_size 1024 3 && lazy_size 4096 2; }
}
