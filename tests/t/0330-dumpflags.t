#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which mapped files travel with a process, and the node's cache of those that did. Node 1's disk
# gets full, node 2 has no file at all but its own.

. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"

prog=$BPROC_BUILD/tests/progs/dumpflags
cache=/var/cache/bproc
need_tool readelf
lab_up 3 --bare 2 --config-line "cachesize 16M" --disk-size 64m
ON_TIMEOUT=30

# Files that the master alone has: random ones of 5 MB, and a copy of the program.
on master bash -c "mkdir /srv/own && cd /srv/own && cp '$prog' program &&
    for i in 1 2 3 4 5 6; do head -c 5000000 /dev/urandom >file\$i; done"

own=/srv/own/program

run() {
    on master "$prog" "$@" 2>&1
}

# refused NAME REGEX: the daemon's log has such a line, the last one about a failure.
refused() {
    like "$1" "$(bplab logs master | grep ' failed: ' | tail -n 1)" "$2"
}

received() {
    on n0 cat /sys/class/net/eth0/statistics/rx_bytes
}

cached() {
    on "$1" bash -c "cd $cache && find . -type f ! -name 'incoming-*' -printf '%s\n'" |
        awk '{ sum += $1 } END { print sum + 0 }'
}

# ---- what is sent ----

is "by default a node that is up is expected to have the libraries" "$(run 0 default)" ok
is "executable and others are sent" "$(on master "$own" 0 default /srv/own/file1)" ok
before=$(received)
is "the second time" "$(on master "$own" 0 default /srv/own/file1)" ok
between "nothing of them is sent" "$(( $(received) - before ))" 1 1000000
hash=$(on master sha256sum /srv/own/file1)
is "files in the cache are named by their content" \
    "$(on n0 sha256sum "$cache/${hash%% *}")" "${hash%% *}  $cache/${hash%% *}"
is "a file in no other node's cache is sent to that one" \
    "$(on master "$own" 1 default /srv/own/file1)" ok
is "two that need the same new file at once both get it" \
    "$(on master bash -c "for i in 1 2; do $own 0 xo /srv/own/file2 & done; wait")" $'ok\nok'

# ---- what is not sent must be there ----

is "an executable that is neither sent nor there" "$(on master "$own" 0 lo)" ENOEXEC
refused "is named" "cannot use $own: No such file"
is "a file that is neither sent nor there" "$(run 0 xl /srv/own/file1)" ENOEXEC
refused "is named, too" "cannot use /srv/own/file1: No such file"
is "a file mapped shared for writing has to be there" "$(run -s 0 xlo /srv/own/file1)" EOPNOTSUPP
refused "and is named" "srv/own/file1.*No such file"

on n0 bash -c "mkdir /srv/own && cp '$prog' $own && echo >>$own"
is "an executable of another length" "$(on master "$own" 0 -)" ENOEXEC
refused "is told by it" "cannot use $own: it is [0-9]+ bytes long here"

# One hexadecimal digit of the build id, which is behind the 16 bytes of its note's head.
id=$(readelf -n "$prog" | sed -n 's/.*Build ID: //p')
at=$(readelf -SW "$prog" | sed -n 's/.* \.note\.gnu\.build-id *NOTE *[0-9a-f]* *\([0-9a-f]*\) .*/\1/p')
at=$(( 0x$at + 16 ))
on n0 bash -c "cp '$prog' $own && printf '\\x$(printf %02x $(( 0x${id:0:2} ^ 1 )))' |
    dd of=$own bs=1 seek=$at conv=notrunc status=none"
is "an executable of another build" "$(on master "$own" 0 -)" ENOEXEC
refused "is told by its build id" "cannot use $own: its build id differs"
on n0 cp "$prog" "$own"
is "one that is the same" "$(on master "$own" 0 -)" ok

# ---- other libraries on the node ----

libc=$(ldd "$prog" | sed -n 's/.*libc\.so\.6 => \([^ ]*\).*/\1/p')
on n0 bash -c "cp $libc /srv/own/libc && echo >>/srv/own/libc && mv /srv/own/libc $libc"
is "a node with another libc" "$(run 0 default)" ENOEXEC
refused "is not used with its own" "cannot use .*libc\.so\.6: it is [0-9]+ bytes long here"
is "but with ours, sent" "$(run 0 xlo)" ok
ok "and its own programs run with its own" on n0 ls /
is "a node without any file" "$(run 2 default)" ENOEXEC
is "runs a process with all that it needs" "$(run 2 xlo)" ok
is "and once more" "$(run 2 xlo)" ok

# ---- the cache is limited ----

# holds NODE FILE: a process on node 0 has the file mapped until released, then goes to that node.
holds() {
    rm -f "$TMP/go"
    mkfifo "$TMP/go"
    on master "$prog" -w -o "$1" 0 xlo "$2" <"$TMP/go" >"$TMP/held" 2>&1 &
    holder=$!
    exec 4>"$TMP/go"
    ok "a process holds a file of the cache" wait_for 20 on n0 pgrep -f '[d]umpflags -w'
}

# released NAME: then it has come there.
released() {
    exec 4>&-
    wait "$holder"
    is "$1" "$(cat "$TMP/held")" ok
}

is "a process may have more than that mapped" \
    "$(run 0 xlo /srv/own/file1 /srv/own/file2 /srv/own/file3 /srv/own/file4)" ok
holds -1 /srv/own/file1
# CRIU takes a mapping by its file's mount, but where there are overlays, as in a lab, by the name.
mount_is_known() {
    # shellcheck disable=SC2016
    on n0 bash -c 'pid=$(pgrep -o -f "[d]umpflags -w")
        map=$(awk -v file="$1" "\$6 == file { print \$1; exit }" "/proc/$pid/maps")
        exec 3<"/proc/$pid/map_files/$map"
        grep -q "^$(awk "/^mnt_id/ { print \$2 }" /proc/self/fdinfo/3) " "/proc/$pid/mountinfo"' \
        bash "$cache/${hash%% *}"
}
ok "by a mount of the process's" mount_is_known
for i in 3 4 5 6; do
    is "file $i is sent" "$(run 0 xlo /srv/own/file$i)" ok
done
between "the cache keeps its limit of 16 MiB" "$(cached n0)" 5000000 $(( 16 << 20 ))
ok "the file used least recently is there, as it is mapped" on n0 test -e "$cache/${hash%% *}"
ok "another one went" on n0 test ! -e "$cache/$(on master sha256sum /srv/own/file3 | cut -d' ' -f1)"
is "what comes need not make room for itself" \
    "$(on master bash -c "'$prog' 0 xlo /srv/own/file[2-5]")" ok
released "the process that has it mapped can go home"
for i in 3 5 6; do
    is "file $i is sent again" "$(run 0 xlo /srv/own/file$i)" ok
done
ok "then the file can go, too" on n0 test ! -e "$cache/${hash%% *}"
holds 1 /srv/own/file6
on master bpctl -S 0 --cache-purge
released "a process whose node's cache was emptied can go to another node"
# It has come there before it is gone here.
purged() {
    on master bpctl -S 0 --cache-purge && [[ $(cached n0) == 0 ]]
}
ok "when nobody needs it nothing is left" wait_for 20 purged

# ---- what comes at the same time ----

for i in 1 2 3; do
    on master "$prog" -w -o -1 0 xlo /srv/own/file6 <<<"" >"$TMP/many$i" 2>&1 &
done
wait
is "processes that brought one file together can all go on" "$(cat "$TMP"/many?)" $'ok\nok\nok'
on master bash -c "cat /srv/own/file[1-4] >/srv/own/large"
is "a file larger than the cache" "$(run 0 xlo /srv/own/large)" ENOSPC
refused "is refused by name" "cannot take in /srv/own/large: No space left"
is "and the next fork works" "$(run 0 xlo /srv/own/file1)" ok

# ---- a full disk ----

on n1 bash -c "cat /dev/zero >/srv/fill" 2>/dev/null
is "a node whose disk is full" "$(run 1 xlo /srv/own/file5)" ENOSPC
refused "says so" "node 1: cannot take in /srv/own/file5: No space left"
is "and keeps no part of the file" "$(on n1 bash -c "ls $cache | grep -c incoming")" 0
is "what it has in its cache can still be used" "$(on master "$own" 1 default /srv/own/file1)" ok
on n1 rm /srv/fill
is "when there is room again the fork works" "$(run 1 xlo /srv/own/file5)" ok

# ---- a root with links of its own ----

bplab daemon n2 stop
wait_for 20 node_is 2 down || bail "node 2 does not go down"
on n2 sh -c 'rm -rf /srv/bare/var/cache && mkdir /srv/bare/other && ln -s /other /srv/bare/var/cache'
bplab daemon n2 start
wait_for 20 node_is 2 up || bail "node 2 does not come up"
is "a root in which the cache's folder is a link" "$(run 2 xlo /srv/own/file1)" ok
ok "which leads on in the root, and not on the node" on n2 test ! -e /other -a -d /srv/bare/other/bproc

done_testing
