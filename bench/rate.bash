# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2016,SC2154
#
# Many short commands on one node, one after another and 64 at a time. Whoever is slow gets fewer of
# them; what counts is how many there are in a second.

rate_floor="floor: a program here, true there"
rate_door=/run/bench-tls-many

# A list of $1 lines for the command, which starts something for each.
rate_feed='count=$1; shift; seq "$count" | "$@" >/dev/null'

# rate_add COUNT ROW COMMAND..., rate_peer PEER COUNT ROW COMMAND...
rate_add() {
    rate_count[$2]=$1
    race_add "$2" sh -c "$rate_feed" sh "$1" "${@:3}"
}

rate_peer() {
    rate_count[$3]=$2
    race_peer "$1" "$3" sh -c "$rate_feed" sh "$2" "${@:4}"
}

# Times to commands per second.
rate_convert() {
    local row
    for row in "${!rate_count[@]}"; do
        printf '%s\t%s\n' "$row" "${rate_count[$row]}"
    done | awk -F '\t' -v OFS='\t' '
        NR == FNR { count[$1] = $2; next }
        { print count[$2] * 1000000 / $1, $2, 0 }' - "$work/out"
}

# rate_case CASE TITLE JOBS MANY SOME FEW
rate_case() {
    local name=$1 jobs=$3 many=$4 some=$5 few=$6
    local -A rate_count=()
    race_begin "$name" "bpsh" 0 "$2" "commands/s"
    rate_add "$many" "bpsh" xargs -I '{}' -P "$jobs" bpsh n0 true
    rate_add "$some" "ssh, shared connection" \
        xargs -I '{}' -P "$jobs" "${ssh_shared[@]}" n0 true
    rate_peer parallel "$few" "parallel over ssh" \
        "${parallel_fresh[@]}" -j "$jobs" -N 0 -S "$jobs/n0" true
    rate_peer parallel "$some" "parallel over ssh, shared connection" \
        "${parallel_shared[@]}" -j "$jobs" -N 0 -S "$jobs/n0" true
    rate_peer parallel "$some" "parallel with bpsh" "${parallel[@]}" -j "$jobs" -N 0 bpsh n0 true
    rate_peer tls "$many" "$rate_floor" xargs -I '{}' -P "$jobs" bench-knock "$rate_door" 1
    floor "$name" "$rate_floor"
    promise "$name" "parallel over ssh" '>=' 20
    promise "$name" "parallel over ssh, shared connection" '>=' 5
    stable "$name" "parallel over ssh" '>='
    stable "$name" "parallel over ssh, shared connection" '>='
    stable "$name" "$rate_floor" '>='
    on master bench-time -c -s "$RACE_SECONDS" "$(rounds 3 1)" "${race_words[@]}" || return
    rate_convert | samples_add "$name"
}

rate_run() {
    ! peer_need tls || peer_tls_stand "$rate_door" 8 n0 || return
    rate_case rate-1 "short commands, one after another" 1 \
        "$(rounds 1000 100)" "$(rounds 200 50)" "$(rounds 50 10)" &&
        rate_case rate-64 "short commands, 64 at a time" 64 \
            "$(rounds 1000 200)" "$(rounds 500 200)" "$(rounds 200 100)"
}
