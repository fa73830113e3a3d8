# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Commands of the master that take turns, run by run:
#
#     race_begin CASE BASE MIB TITLE [UNIT]
#     race_add "bpsh n0 true" bpsh n0 true
#     race_peer pdsh "pdsh" "${pdsh[@]}" -w n0 true      # a row without figures if pdsh is absent
#     race_resident "floor" bench-tlsping ask n0 7000    # started once, asked for its times
#     race_run "$(rounds 50 5)"

race_begin() {
    case_begin "$@"
    race_case=$1
    race_words=()
}

race_add() {
    race_words+=(-- "$@")
}

race_peer() {
    local name=$1
    shift
    if peer_need "$name"; then
        race_add "$@"
    else
        row_note "$race_case" "$1" "${peer_missing[$name]}"
    fi
}

race_resident() {
    race_words+=(++ "$@")
}

# What was timed before a command failed is kept.
race_run() {
    local status=0
    on master bench-time "$1" "${race_words[@]}" || status=1
    samples_take "$race_case"
    return "$status"
}
