#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What becomes of a benchmark's figures: samples to results, results to tables, plots and a verdict.
# Nothing is timed.
# shellcheck disable=SC2016,SC2034,SC2154,SC2317
. "${0%/*}/lib.sh"

bench=$BPROC_SOURCE/bench
type -P jq >/dev/null || skip_all "no jq"

# What bench/run has when it begins.
results_start() {
    here=$bench quick=true machine='{"cpu": "a cpu", "cores": 2, "memory_mib": 9, "kernel": "6",
        "criu": "4", "openssh": "9", "load": 0.1, "peers": {"pdsh": null}}'
    bplab() { echo 1.2.3; }
    . "$bench/case.bash"
    . "$bench/results.bash"
    mkdir -p "$work"
    case_files_make
}

# Samples as a run leaves them, made results of by the functions of bench/run.
results_make() {
    (
        work=$TMP/work earlier=null
        results_start
        case_begin quick-4 ours 0 "a case of times"
        case_place quick-4 nodes 4
        printf '%s\n' $'1000\tours\t0' $'3000\tours\t0' $'2000\tours\t7' $'10000\tpeer one\t0' \
            $'50\t  of it a part | a_part\t0' nonsense | samples_add quick-4
        row_note quick-4 "peer two" "not installed"
        promise quick-4 "peer one" '>=' 4
        promise quick-4 "peer one" '>=' 6
        promise quick-4 ours '<=' "3 ms"
        promise quick-4 "peer two" '>=' 1
        stable quick-4 "peer one" '>=' 1.5
        case_begin quick-8 ours 0 "the same with more"
        case_place quick-8 nodes 8
        sample quick-8 ours 3000
        case_begin rate ours 0 "a case where more is better" "commands/s"
        sample rate ours 300
        sample rate peer 100
        stable rate peer '>='
        case_begin floor limit 0 "a case where we are the row"
        sample floor limit 2000
        sample floor ours 3000
        ours floor ours
        sample floor peer 4000
        stable floor ours '<=' 2
        results_write "$1"
    )
}

# What a floor allows of promises: of a ratio with us as its base or its row, and of a median.
floor_make() {
    (
        work=$TMP/work earlier=$(jq '.machine.load = 0.4' "$TMP/results")
        results_start
        case_begin low ours 0 "a case with a floor"
        sample low ours 4000
        sample low "the least" 2000
        sample low peer 10000
        floor low "the least"
        promise low peer '>=' 4
        promise low peer '>=' 8
        promise low ours '<=' "1 ms"
        promise low "the least" '>=' 0.9
        case_begin rate ours 0 "a case where more is better" "commands/s"
        sample rate ours 300
        sample rate "the least" 600
        sample rate peer 100
        floor rate "the least"
        promise rate peer '>=' 5
        case_begin row one 0 "a case where we are the row"
        sample row one 2000
        sample row ours 3000
        sample row "the least" 2500
        floor row "the least"
        promise row ours '<=' 1.2
        results_write "$1"
    )
}

# What a race of three would run, one of them absent and one that does not start.
race_words_of() {
    (
        work=$TMP/race
        mkdir "$work"
        say() { :; }
        . "$bench/case.bash"
        . "$bench/race.bash"
        . "$bench/peer.bash"
        peer_program=([absent]=no-such-program [broken]=sh [there]=sh)
        peer_broken_start() { return 1; }
        race_begin race ours 0 "a race"
        race_add ours true
        race_peer absent "one" no-such-program
        race_peer broken "two" sh -c :
        race_peer there "three" sh -c :
        race_resident "four" cat
        race_once there "five" sh
        echo "${race_words[*]}"
        cat "$work/notes"
    )
}

# changed FILTER: the results, changed by jq, in $TMP/changed.
changed() {
    jq "$1" "$TMP/results" >"$TMP/changed"
}

of() {
    jq -c "$1" "$TMP/results"
}

is "a peer that is absent or does not start is left out of a race" "$(race_words_of)" \
    "-- ours true -- three sh -c : ++ four cat == five sh
race	one	not installed
race	two	does not start here"
ok "results are made of samples" results_make "$TMP/results"
is "a median is that of the samples, in ms" \
    "$(of '.cases[0].rows[0] | [.n, .median, .p10, .p90, .ratio]')" '[3,2,1.2,2.8,1]'
is "a ratio tells how many times longer a peer takes" "$(of '.cases[0].rows[1].ratio')" 5
is "where more is better it tells how many times less a peer does" "$(of '.cases[2].rows[1].ratio')" 3
is "a row of parts is known as one" "$(of '[.cases[0].rows[] | select(.detail) | .name]')" \
    '["of it a part | a_part"]'
is "a peer that is absent has a row without figures" "$(of '.cases[0].rows[3] | [.n, .note, .ratio]')" \
    '[0,"not installed",null]'
is "promises are judged" "$(of '[.cases[0].promises[].met]')" '[true,false,true,null]'
is "a case has its place in a plot" "$(of '.cases[0].place')" '{"axis":"nodes","at":4}'

ok "bench/report makes tables of it" "$bench/report" "$TMP/results"
like "with a row for each" "$(cat "$TMP/out")" "peer one +\| +1 +\| +10 +\| +10 +\| +10 +\| +5 "
like "a bar in a row is none of the table" "$(cat "$TMP/out")" '– of it a part \\[|] a_part'
like "one that is absent says so" "$(cat "$TMP/out")" "peer two [^a-z]*not installed"
like "what was promised and kept" "$(cat "$TMP/out")" "peer one +\| +>= 4 +\| +5 +\| met"
like "what was not kept" "$(cat "$TMP/out")" "peer one +\| +>= 6 +\| +5 +\| not met"
like "how much of it in all" "$(cat "$TMP/out")" "2 met, 1 not met, 1 not measured"
exits 1 "bench/report refuses a file that is absent" "$bench/report" "$TMP/absent"

ok "a later run is added" floor_make "$TMP/low"
is "with the highest load of both" "$(jq .machine.load "$TMP/low")" 0.4
is "to the cases that it has not" "$(jq -c '[.cases[].name]' "$TMP/low")" \
    '["quick-4","quick-8","rate","floor","low","row"]'
is "in place of those that it has" "$(jq -c '.cases[2].rows | length' "$TMP/low")" 3
is "a floor allows what we would have with its figure" \
    "$(jq -c '[.cases[].promises[] | .allowed]' "$TMP/low")" '[null,null,null,null,6,5,5,2,null,1.25]'
ok "bench/report tells" "$bench/report" "$TMP/low"
like "what a floor allows" "$(cat "$TMP/out")" "peer +\| +>= 4 +\| +2.5 +\| not met, the floor allows 5 "
like "and how many promises it does not" "$(cat "$TMP/out")" \
    "2 met, 7 not met .the floor does not allow 3 of them., 1 not measured"

# What bench-time runs of two, one of them only once, when a run takes a third of a second.
raced() {
    "$BPROC_BUILD/bench/bench-time" "$@" -- each sleep 0.35 == once true >"$TMP/raced" &&
        cut -f 2 "$TMP/raced" | sort | uniq -c | tr -s ' \n' ' '
}

is "bench-time ends when its time is over, but has three rounds" "$(raced -s 1 9)" " 3 each 1 once "
is "with -c the first counts" "$(raced -c 1)" " 1 each 1 once "

echo no >"$TMP/no"
exits 1 "and one that is no JSON" "$bench/report" "$TMP/no"
changed '.version = 1'
exits 1 "and one of another version" "$bench/report" "$TMP/changed"
exits 2 "and wants one" "$bench/report"
is "BProc's rows are drawn as BProc's, whatever ratios refer to" \
    "$(jq -r --arg plot latency -f "$bench/plots.jq" "$TMP/results" | cut -f 1,5 | tail -n 3)" \
    $'limit\t1\nours\t1\npeer\t0'
changed '.cases |= map(select(.promises | length > 0) | .promises |= [first | .op = "<=" | .measured = 0])'
is "what is to be little and is nothing is drawn" \
    "$(jq -r --arg plot promises -f "$bench/plots.jq" "$TMP/changed" | cut -f 2 | tail -n 1)" 100
if type -P gnuplot >/dev/null; then
    ok "bench/report --output draws" "$bench/report" --output "$TMP/report" "$TMP/results"
    is "without a word" "$(cat "$TMP/out")" ""
    is "what there are figures for" "$(cd "$TMP/report" && echo *)" \
        "latency.svg promises.svg quick.svg report.md"
    like "a plot names its rows" "$(cat "$TMP/report/promises.svg")" "peer one, >= 4"
    like "one of lines too" "$(cat "$TMP/report/quick.svg")" ours
    ok "bench/report --output draws floors" "$bench/report" --output "$TMP/report" "$TMP/low"
    is "without a word" "$(cat "$TMP/out")" ""
else
    skip "bench/report --output draws" "no gnuplot"
fi

check=("$bench/check" --baseline "$TMP/baseline")
exits 2 "bench/check wants stored ratios" "${check[@]}" "$TMP/results"
ok "bench/check --update stores them" "${check[@]}" --update "$TMP/results"
ok "the same results are as stored" "${check[@]}" "$TMP/results"
like "all stable rows of them" "$(cat "$TMP/out")" "3 compared, 0 worse"
changed '.cases[0].rows[1].ratio = 3.7 | .cases[2].rows[1].ratio = 2.5 | .cases[3].rows[1].ratio = 2.9'
ok "what is a little worse passes" "${check[@]}" "$TMP/changed"
changed '.cases[2].rows[1].ratio = 2.3'
exits 1 "a ratio that became too small fails" "${check[@]}" "$TMP/changed"
like "and is named" "$(cat "$TMP/out")" "worse +rate, peer: 2.3, stored 3"
changed '.cases[0].rows[1].ratio = 3.6'
exits 1 "one that kept a promise and breaks it fails sooner" "${check[@]}" "$TMP/changed"
like "and is named with it" "$(cat "$TMP/out")" "worse +quick-4, peer one: 3.6, stored 5, promised >= 4"
is "its case is to be run again" "$("${check[@]}" --again "$TMP/changed")" quick
ok "of several runs the best counts" "${check[@]}" "$TMP/changed" "$TMP/results"
is "and nothing is to be run again" "$("${check[@]}" --again "$TMP/changed" "$TMP/results")" ""

# nightly RUN...: what bench/nightly makes of runs with these results, one after another.
nightly() {
    local folder=$TMP/nightly
    rm -rf "$folder"
    mkdir "$folder"
    cp "$bench/nightly" "$bench/check" "$bench/check.jq" "$folder/"
    cp "$TMP/baseline" "$folder/baseline.json"
    printf '%s\n' "$@" >"$folder/runs"
    cat >"$folder/run" <<'END'
#!/bin/bash
cd "${0%/*}" && echo "${*:4}" >>asked && cp "$(head -n 1 runs)" "$3" && sed -i 1d runs
END
    chmod +x "$folder/run"
    "$folder/nightly" "$folder/results"
}

ok "bench/nightly is content with one run as stored" nightly "$TMP/results"
is "of all cases" "$(cat "$TMP/nightly/asked")" ""
ok "and with a second one" nightly "$TMP/changed" "$TMP/results"
is "of those that were worse" "$(cat "$TMP/nightly/asked")" $'\nquick'
exits 1 "but not with three that are worse" nightly "$TMP/changed" "$TMP/changed" "$TMP/changed"
exits 1 "nor with a run that fails" nightly "$TMP/none"

changed 'del(.cases[0].rows[1].stable) | .cases[0].rows[1].ratio = 3.7'
ok "one that only a promise is about may be less good" "${check[@]}" "$TMP/changed"
changed 'del(.cases[0].rows[1].stable) | .cases[0].rows[1].ratio = 3.6'
exits 1 "but has to keep it" "${check[@]}" "$TMP/changed"
changed '.cases[3].rows[1].ratio = 3.1'
exits 1 "one that became too large fails where less was wanted" "${check[@]}" "$TMP/changed"
changed '.cases[0].rows[1].ratio = 50 | .cases[3].rows[1].ratio = 0.1'
ok "what is better passes" "${check[@]}" "$TMP/changed"
like "and is named" "$(grep -c '^better' "$TMP/out")" '^2$'
changed '.cases[0].rows[2].ratio = 0.001'
ok "a row that is not stable is not looked at" "${check[@]}" "$TMP/changed"
changed 'del(.cases[0])'
ok "a case that was not run passes" "${check[@]}" "$TMP/changed"
like "but is named" "$(cat "$TMP/out")" "not measured +quick-4, peer one"
changed '.cases = []'
exits 2 "nothing to compare does not pass" "${check[@]}" "$TMP/changed"
changed '.machine.load = 7'
ok "figures of a busy machine are compared" "${check[@]}" "$TMP/changed"
like "but it is said" "$(cat "$TMP/out")" "busy machine .load 7"
changed '.quick = false'
exits 2 "a full run is not compared with a quick one" "${check[@]}" "$TMP/changed"
changed '.cases |= [.[2] | .rows[1].ratio = 9]'
ok "bench/check --update with one case" "${check[@]}" --update "$TMP/changed"
is "changes that one alone" "$(jq -c '[.rows[].ratio]' "$TMP/baseline")" '[5,1.5,9]'
changed '.machine.load = 3 | .cases |= [.[2]]'
"${check[@]}" --update "$TMP/changed" >/dev/null
"${check[@]}" --update "$TMP/results" >/dev/null
is "a file of new ratios has their load" "$(jq .machine.load "$TMP/baseline")" 0.1
"${check[@]}" --update "$TMP/changed" >/dev/null
is "one with older ones the highest" "$(jq .machine.load "$TMP/baseline")" 3
exits 2 "bench/check --update takes one run" "${check[@]}" --update "$TMP/changed" "$TMP/results"
ok "what the source comes with can be read" jq -e '.version == 1 and .quick' "$bench/baseline.json"

is "what bench/ has is in its list" "$(cd "$BPROC_SOURCE" && git ls-files bench 2>/dev/null |
    while read -r file; do grep -qF "$file" bench/local.mk || echo "$file"; done)" bench/local.mk

if type -P shellcheck >/dev/null; then
    cd "$BPROC_SOURCE" || bail "cannot enter $BPROC_SOURCE"
    ok "shellcheck has no complaint" \
        shellcheck -x bench/run bench/report bench/check bench/nightly bench/*.bash bench/criu-by-hand
else
    skip "shellcheck has no complaint" "no shellcheck"
fi
done_testing
