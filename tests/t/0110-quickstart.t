#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# quickstart: its options, a cluster at work, and the same cluster after nodes were lost.
. "${0%/*}/lib.sh"

exits 2 "nodes that are no number" "$BPROC_SOURCE/quickstart" --nodes x
like "with the value" "$(head -n 1 "$TMP/out")" "^quickstart: --nodes needs a number .*, not 'x'$"
exits 2 "no number at all" "$BPROC_SOURCE/quickstart" --nodes
like "in its own words" "$(head -n 1 "$TMP/out")" "^quickstart: --nodes needs a number"
exits 2 "no node" "$BPROC_SOURCE/quickstart" --nodes 0
exits 2 "more than a lab can have" "$BPROC_SOURCE/quickstart" --nodes 17
exits 2 "no folder" "$BPROC_SOURCE/quickstart" --build
exits 2 "no such option" "$BPROC_SOURCE/quickstart" --dance

need_root
need_criu

# Everything is installed and built already.
mkdir -p "$TMP/clone/scripts"
cp "$BPROC_SOURCE/quickstart" "$TMP/clone/"
for script in install-deps install-criu build; do
    ln -s /bin/true "$TMP/clone/scripts/$script"
done
export BPLAB_DIR=$TMP/labs
# shellcheck disable=SC2034  # lib.sh takes it down
LAB=lab
unset MAKEFLAGS MFLAGS
quickstart() {
    timeout 100 "$TMP/clone/quickstart" --build "$BPROC_BUILD" "$@"
}

ok "a cluster is started" quickstart --nodes 3
like "and works" "$(cat "$TMP/out")" "0-2 +up "
read -ra down <<<"$(sed -n 's/^  \(.*--down\) .*/\1/p' "$TMP/out")"
is "and says how it is ended" "${down[*]}" \
    "$TMP/clone/quickstart --build $(realpath "$BPROC_BUILD") --down"
bplab kill n1
bplab daemon n2 kill
ok "after nodes were lost it goes on" quickstart
like "says what it does about it" "$(cat "$TMP/out")" $'bplab start n1\nbplab daemon n2 start'
like "and works on all again" "$(cat "$TMP/out")" "counted on 3 nodes"
bplab cut n0
ok "a cable is plugged in again" quickstart
like "and all work" "$(cat "$TMP/out")" "0-2 +up "
ok "it ends the cluster so" timeout 100 "${down[@]}"
exits 1 "which is gone" bplab status
done_testing
