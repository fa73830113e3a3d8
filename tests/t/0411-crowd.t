#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many forks at once: each child is the right one, and nothing is left of them.

. "${0%/*}/lib.sh"
. "${0%/*}/load.sh"

PROCESSES=20 EACH=10

storm_start() {
    mkfifo "$TMP/word"
    bplab exec master -- timeout -k 5 400 "$LOAD" storm $PROCESSES $EACH 3 \
        <"$TMP/word" >"$TMP/storm" 2>&1 &
    storm=$!
    exec 9>"$TMP/word"
}

storm_is_up() {
    grep -qx up "$TMP/storm" || ! kill -0 $storm
}

load_begin
storm_start
wait_for 300 storm_is_up
is "200 children of 20 processes run at the same time" \
    "$(on master bpstat -p | tail -n +2 | wc -l)" $(( PROCESSES * EACH ))
echo >&9
exec 9>&-
wait $storm
is "each ends as it was told" "$?: $(< "$TMP/storm")" "0: up"
footprints_take after
footprints_compare "200 at once"

done_testing
