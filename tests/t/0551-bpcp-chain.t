#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bpcp to many nodes: from each to the next, and what becomes of those behind one that fails.
# shellcheck disable=SC2016  # shells of the nodes expand
. "${0%/*}/lib.sh"
. "${0%/*}/copies.sh"
lab_up 4 --disk-size 200m --rate 100mbit

SIZE=20000000

# sums NODES FILE: nodes with the right copy.
sums() {
    here "bpsh -p $1 sha256sum $2 2>/dev/null" | sort | awk -v sum="$sum" '
        $2 == sum { sub(":", "", $1); printf "%s ", $1 }'
}

# copy_begin TARGET: a copy in the background, which has begun to arrive at the last node and does not
# go on before copy_end.
copy_begin() {
    local target=$1
    here 'sent=/sys/class/net/eth0/statistics/tx_bytes; before=$(cat $sent)
        { bpcp /w/large '"$target"' 2>&1; echo $?; } >/w/said &
        until [ $(( $(cat $sent) - before )) -gt '$(( SIZE / 2 ))' ]; do sleep 0.01; done
        pkill -STOP -x bpcp; : >/run/held; wait' &
    copy=$!
    wait_for 20 on master test -e /run/held || fail "a copy is held"
    wait_for 20 at n3 "[ \$(stat -c %s ${target#*:}) -gt 1000000 ]" || fail "it begins to arrive"
}

# copy_end NAME WANT: what it has had to say, and its status.
copy_end() {
    here 'rm /run/held; pkill -CONT -x bpcp'
    wait "$copy"
    is "$1" "$(here 'cat /w/said')" "$2"
}

# sent COMMAND: per cent of the large file that the master sends meanwhile.
sent() {
    here 'cd /sys/class/net/eth0/statistics && before=$(cat tx_bytes) && { '"$1"'; } >&2 &&
        echo $(( ($(cat tx_bytes) - before) * 100 / '$SIZE' ))'
}

here "mkdir /w && head -c $SIZE /dev/urandom >/w/large"
sum=$(here 'sha256sum </w/large')
sum=${sum%% *}

here 'umask 022; mkdir -p /w/tree/many/empty /w/tree/ro && cd /w/tree && cp /w/large big &&
    (cd many && seq 3000 | split -l 1 -a 4) && truncate -s 50M sparse && echo run >run &&
    chmod 4751 run && echo ro >ro/file && chmod 555 ro &&
    touch -d "2001-02-03 04:05:06.789" run many'
# What runs there goes to each node once, from the master: a megabyte that is none of the files.
here 'bpcp /etc/hostname all:/tmp/first'
between "per cent of its files that the master sends of a tree" \
    "$(sent 'bpcp -rp /w/tree all:/opt/tree')" 100 130
want=$(manifest master /w/tree)
is "each node has it, with modes and times" \
    "$(for node in n0 n1 n2 n3; do manifest $node /opt/tree; done | sort | uniq -c)" \
    "      4 $want"
here 'bpsh all rm -r /opt/tree; rm -r /w/tree'
between "a file beside a small one to three nodes and the master itself" \
    "$(sent 'bpcp /w/large /etc/hostname master,0,2-3:/opt')" 100 130
is "all have it" "$(sums all /opt/large)$(here 'bpsh -p all cat /opt/hostname 2>/dev/null' |
    sort | tr '\n' ' ')$(here 'cmp /w/large /opt/large && cat /opt/hostname')" \
    "0 2 3   0: master   2: master   3: master master"
between "per cent that the master sends of a copy between nodes" \
    "$(sent 'bpcp 0:/opt/large 1-3:/opt/again')" 0 3
is "each has it" "$(sums 1-3 /opt/again)" "1 2 3 "
here 'bpsh all rm -f /opt/large /opt/again /opt/hostname; rm /opt/large'

# One in the middle fails.
copy_begin all:/tmp/killed
bplab kill n1
copy_end "a node that dies is told" $'bpcp: n1: Killed, the node is down\n1'
is "those behind it have the copy" "$(sums 0,2,3 /tmp/killed)" "0 2 3 "
bplab start n1
copy_begin all:/tmp/cut
bplab cut n2
copy_end "so is one that is not reached any more" $'bpcp: n2: Killed, the node is down\n1'
is "those behind it have the copy" "$(sums 0,1,3 /tmp/cut)" "0 1 3 "
bplab heal n2
wait_for 20 on master sh -c '[ $(bpstat -s 2) = up ]'
here 'bpsh 0,1,3 rm -f /tmp/killed /tmp/cut'
at n2 'rm -f /tmp/killed /tmp/cut'
copy_begin all:/tmp/unlinked
ok "a link from node to node is ended" at n1 "pkill -f '^bproc-copy link'"
copy_end "nodes that lose each other" 0
is "have it all the same" "$(sums all /tmp/unlinked)" "0 1 2 3 "
here 'bpsh all rm /tmp/unlinked'
here 'bpsh all mkdir /small; bpsh 1 mount -t tmpfs -o size=4m small /small'
between "with a disk that is full, per cent that the master sends" \
    "$(sent 'bpcp /w/large all:/small >/w/said 2>&1; echo $? >>/w/said')" 100 130
is "it is told" "$(here 'cat /w/said')" \
    $'bpcp: n1: cannot write \'/small/large\': No space left on device\n1'
is "those behind it have the copy" "$(sums all /small/large)" "0 2 3 "
here 'bpsh 1 umount /small; bpsh all rm -rf /small'
here 'bpsh all mkdir -m 777 /open; bpsh 0 chmod 755 /open; bpsh 2 rmdir /open'
exits 2 "where one may not write, and one has no such folder" bplab exec -u nobody master -- \
    timeout 30 bpcp /w/large all:/open/file
is "is told" "$(sort "$TMP/out")" "\
bpcp: n0: cannot write '/open/file': Permission denied
bpcp: n2: cannot write '/open/file': No such file or directory"
is "the others have the copy" "$(sums 1,3 /open/file)" "1 3 "
exits 3 "a folder that is nowhere" on master bpcp /w/large /etc/hostname 0,1,3:/opt/no
here 'bpsh 1,3 rm -r /open'

# A target that waits holds up the others, but not for good.
here 'bpsh 1 mkfifo /tmp/slow; bpsh 0,2,3 rm -f /tmp/slow'
here 'bpcp /w/large all:/tmp/slow >/w/said 2>&1; echo $? >>/w/said' &
copy=$!
ok "a copy that waits for a reader" wait_for 20 at n1 'pgrep -f "^bproc-copy target"'
is "is byte for byte what it reads" \
    "$(at n1 'sha256sum </tmp/slow' | cut -d ' ' -f 1)" "$sum"
copy_end "comes to its end" 0
is "and the others have it" "$(sums 0,2,3 /tmp/slow)" "0 2 3 "

# What is cut short.
here 'bpcp /w/large all:/tmp/short & echo $! >/w/pid; wait' >"$TMP/short" 2>&1 &
wait_for 20 at n3 '[ $(stat -c %s /tmp/short) -gt 1000000 ]'
here 'kill $(cat /w/pid)'
wait
ok "nothing is left of a copy that is ended" wait_for 20 here '[ $(bpstat -p | wc -l) = 1 ]'
here 'bpcp /w/large all:/tmp/shot & echo $! >/w/pid; wait' >"$TMP/short" 2>&1 &
wait_for 20 at n3 '[ $(stat -c %s /tmp/shot) -gt 1000000 ]'
here 'kill -9 $(cat /w/pid)'
wait
ok "nor of one that is killed" wait_for 20 here '[ $(bpstat -p | wc -l) = 1 ]'
done_testing
