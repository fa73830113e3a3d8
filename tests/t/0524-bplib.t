#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The library list: what is expected on nodes, and what is sent.
. "${0%/*}/lib.sh"
lab_up 2

on master sh -c 'cat >/tmp/nodecalls; chmod 755 /tmp/nodecalls' <"$PROGS/nodecalls"
on master useradd -M alice >/dev/null 2>&1

bplib() {
    on master bplib "$@"
}

# sent: how many files a fork sends to a node that has none yet.
sent() {
    on master bpctl -S 0 --cache-purge
    on master /tmp/nodecalls rfork 0 >/dev/null
    on n0 sh -c 'ls /var/cache/bproc | wc -l'
}

ok "--help" bplib --help
like "--version" "$(bplib -V)" "^bplib \(bproc\) [0-9]"
exits 1 "nothing to do" bplib
exits 1 "nothing to add" bplib -a
exits 1 "too much" bplib -l x
is "at first" "$(bplib -l)" $'*.so\n*.so.*'
is "as JSON" "$(bplib --json -l)" '{"version":1,"libraries":["*.so","*.so.*"]}'
is "the executable alone is sent" "$(sent)" 1
ok "an empty list" bplib -c
is "has nothing in it" "$(bplib -l)" ""
between "everything is sent" "$(sent)" 3 20
ok "one library" bplib -a "$(on master sh -c 'ldd /tmp/nodecalls' | awk '/libc.so/ { print $3 }')"
like "by the file that the link leads to" "$(bplib -l)" "^/usr/lib.*/libc[.-]"
ok "patterns, from standard input and not" sh -c \
    "printf '*/ld-linux*\n\n*/one\n' |
        '$BPROC_BUILD/lab/bplab' -c $LAB exec master bplib -a - '/opt/*'"
is "are there" "$(bplib -l | tail -n +2)" $'*/ld-linux*\n*/one\n/opt/*'
ok "what is there already" bplib -a '/opt/*'
is "is not there twice" "$(bplib -l | wc -l)" 4
between "the rest is sent" "$(sent)" 2 18
ok "deleted" bplib -d '*/one' '/opt/*'
is "are gone" "$(bplib -l | tail -n +2)" '*/ld-linux*'
exits 1 "what is not there" bplib -d /none '*/ld-linux*'
is "is told" "$(cat "$TMP/out")" "/none: not in the library list"
is "and the others are deleted" "$(bplib -l | wc -l)" 1
exits 1 "what is no path" bplib -a libc.so.6 /lib/x
is "is told" "$(cat "$TMP/out")" "libc.so.6: Invalid argument"
bplab daemon master restart
is "the list outlives the daemon" "$(bplib -l | tail -n +2)" /lib/x
wait_for 20 sh -c "[ \"\$('$BPROC_BUILD/lab/bplab' -c $LAB exec master bpstat -t allup)\" = 2 ]"
is "a node knows it" "$(on n0 bplib -l)" "$(bplib -l)"
exits 1 "but cannot change it" on n0 bplib -c
exits 1 "only root can" bplab exec -u alice master -- bplib -a /lib/y
is "is told" "$(cat "$TMP/out")" "/lib/y: Operation not permitted"
bplib -c
for (( i = 0; i < 257; i++ )); do echo "/lib/$i"; done >"$TMP/many"
exits 1 "too many" bplab exec master -- bplib -a - <"$TMP/many"
is "are told" "$(cat "$TMP/out")" "/lib/256: No space left on device"
done_testing
