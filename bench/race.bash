# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# Commands of the master that take turns, run by run:
#
#     race_begin CASE BASE MIB TITLE [UNIT]
#     race_add "bpsh n0 true" bpsh n0 true
#     race_peer pdsh "pdsh" "${pdsh[@]}" -w n0 true      # a row without figures if pdsh is absent
#     race_resident "TLS" bench-tlsping ask n0 7000      # started once, asked for its times
#     race_once clush "clush" "${clush[@]}" -c file      # such a peer takes so long that it runs once
#     race_run "$(rounds 50 5)"
#     race_run -c 3                                      # the first run counts, too: it takes seconds

RACE_SECONDS=30     # after so long no round begins, but there are three

race_begin() {
    case_begin "$@"
    race_case=$1
    race_words=()
}

race_add() {
    race_words+=(-- "$@")
}

# race_guest MARK PEER ROW COMMAND...
race_guest() {
    if peer_need "$2"; then
        race_words+=("$1" "${@:3}")
    else
        row_note "$race_case" "$3" "${peer_missing[$2]}"
    fi
}

race_peer() {
    race_guest '--' "$@"
}

race_once() {
    race_guest '==' "$@"
}

race_resident() {
    race_words+=(++ "$@")
}

# race_run [-c] ROUNDS: what was timed before a command failed is kept.
race_run() {
    local status=0
    on master bench-time -s "$RACE_SECONDS" "$@" "${race_words[@]}" || status=1
    samples_take "$race_case"
    return "$status"
}
