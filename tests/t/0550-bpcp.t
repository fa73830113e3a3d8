#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bpcp: files between machines, as rcp and scp copy them.
# shellcheck disable=SC2016,SC2088  # shells of the nodes expand
. "${0%/*}/lib.sh"
. "${0%/*}/copies.sh"
need_tool clush
lab_up 3 --disk-size 320m

lab=$BPROC_BUILD/lab/bplab

bpcp() {
    on master bpcp "$@"
}

# names NODE DIR: the same without times, modes of directories included.
names() {
    at "$1" "cd $2 && { find . -printf '%P|%y|%m\n' | sort; find . -type f -print0 | sort -z |
        xargs -0 sha256sum; } | sha256sum"
}

# Usage.
exits 0 "--help" bpcp --help
like "tells how" "$(cat "$TMP/out")" "^usage: bpcp "
like "--version" "$(bpcp --version)" "^bpcp \(bproc\) [0-9]"
exits 1 "no files" bpcp
exits 1 "no target" bpcp file
exits 1 "an option that is none" bpcp -Z a 0:b
exits 1 "nodes that are none" bpcp a fish:b
is "are told" "$(cat "$TMP/out")" "bpcp: 'fish' is no node"
exits 1 "no daemon" on master env BPROC_SOCKET=/nowhere bpcp a 0:b
is "is told" "$(cat "$TMP/out")" "bpcp: cannot list the nodes: BProc is not running here"
exits 1 "a set without nodes" bpcp /etc/passwd alldown:/tmp
is "is told" "$(cat "$TMP/out")" "bpcp: cannot copy 'alldown:/tmp': There is no such node now"

# One file.
here 'mkdir /w && chmod 1777 /w && cd /w && umask 022 && echo one >one && chmod 640 one'
at n0 'mkdir -p /w/dir'
ok "a file to a node" bpcp /w/one 0:/w/copy
is "is there, with its mode" "$(at n0 'stat -c %a /w/copy; cat /w/copy')" $'640\none'
ok "into a directory" bpcp /w/one n0:/w/dir
is "under its name" "$(at n0 'cat /w/dir/one')" one
ok "and from there" bpcp .0:/w/dir/one /w/two
is "under another" "$(here 'cat /w/two')" one
is "names count from the same directory there" "$(here 'cd /w && bpcp one 0:rel' && at n0 'cat /w/rel')" \
    one
exits 1 "which has to be there" here 'mkdir -p /w/no && cd /w/no && bpcp ../one 0:rel'
is "or it is told" "$(cat "$TMP/out")" \
    "bpcp: n0: cannot enter directory '/w/no': No such file or directory"
is "no name is the directory" "$(here 'cd /w && bpcp one 0:' && at n0 'cat /w/one')" one
ok "a user is accepted" bpcp /w/one alice@n0:/w/user
ok "the master by its name" bpcp 0:/w/user master:/w/user
exits 1 "several into what is no directory" bpcp /w/one /w/two 0:/w/copy
is "is told" "$(cat "$TMP/out")" "bpcp: n0: cannot copy to '/w/copy': Not a directory"
exits 1 "a directory without -r" bpcp /w 0:/w/dir
is "is told" "$(cat "$TMP/out")" "bpcp: cannot copy '/w': Is a directory, and without -r"
ok "a colon behind a slash is one" here 'cd /w && echo c >a:b && bpcp ./a:b 0:/w/dir'
is "also in the copy" "$(at n0 'cat /w/dir/a:b')" c
ok "without nodes it is cp" here 'cd /w && bpcp one three && cmp one three'
ok "which needs no daemon" here 'cd /w && BPROC_SOCKET=/nowhere bpcp -p one three'
is "standard input and output are left alone" \
    "$(here 'echo in | { bpcp /w/one 0:/w/copy; cat; }')" in

# What is there already.
at n0 'cd /w && head -c 100000 /dev/urandom >long && chmod 600 long && ln -s long link'
ok "over a longer file, through a link" bpcp /w/one 0:/w/link
is "its mode stays, and so does the link" \
    "$(at n0 'cd /w && stat -c %a long && cat long && readlink link')" $'600\none\nlong'
at n0 'cd /w && ln long name'
at n1 'mkdir /w'
exits 1 "onto itself" bpcp 0:/w/long 0:/w/link
is "is told" "$(cat "$TMP/out")" "bpcp: n0: cannot copy to '/w/link': It is the file that is copied"
exits 1 "by its other name" bpcp 0:/w/long 0,1:/w/name
is "loses nothing" "$(at n0 'cat /w/long')" one
is "and another node gets it" "$(at n1 'cat /w/name; rm -r /w')" one
at n0 'mkdir -p /w/loop/in/deep && cp /w/long /w/loop'
exits 1 "a directory into itself" bpcp -r 0:/w/loop 0:/w/loop/in/deep
is "is told" "$(cat "$TMP/out")" \
    "bpcp: n0: cannot copy to '/w/loop/in/deep/loop': It is in the directory that is copied"
exits 1 "or to what is to be made there" bpcp -r 0:/w/loop 0:/w/loop/in/new
exits 1 "or onto itself" bpcp -r 0:/w/loop 0:/w
is "makes nothing there" "$(at n0 'cd /w/loop && find . | sort | xargs')" ". ./in ./in/deep ./long"
ok "beside itself is no error" bpcp -r 0:/w/loop 0:/w/looped
is "and makes a copy" "$(at n0 'cat /w/looped/long; rm -r /w/loop /w/looped')" one
at n0 'head -c 3000000 /dev/urandom >/w/holes'
here 'cd /w && truncate -s 1M holes && printf x | dd of=holes bs=1 seek=500000 conv=notrunc status=none &&
    truncate -s 64M holes'
ok "holes over data" bpcp /w/holes 0:/w/holes
is "are zeros" "$(at n0 'sha256sum </w/holes')" "$(here 'sha256sum </w/holes')"
between "and stay holes, in KiB" "$(at n0 'du -k /w/holes | cut -f1')" 4 64
ok "to a device" bpcp /w/one 0:/dev/null
ok "to a pipe" here 'bpsh 0 sh -c "rm -f /w/pipe; mkfifo /w/pipe; (cat </w/pipe >/w/piped) & " &&
    bpcp /w/holes /w/one 0:/w/dir && bpcp /w/one 0:/w/pipe'
ok "whose reader has it all" wait_for 20 at n0 'cmp /w/piped /w/one'
ok "a file of /proc, which says it is empty" bpcp 0:/proc/version /w/version
is "is not" "$(here 'cat /w/version')" "$(at n0 'cat /proc/version')"

# A tree with hard cases.
here 'umask 022; mkdir -p /w/tree/deep && cd /w/tree && echo a >"with blank" && echo b >"new
line" && echo c >"$(printf "caf\351 \303\251")" && echo d >-dash && : >empty && mkdir void &&
    echo e >"$(printf "x%.0s" $(seq 255))" && echo f >"q\"uo'"'"'te\\" && echo g >"*" &&
    ln -s "with blank" link && ln -s deep dirlink && ln -- -dash hard && truncate -s 32M sparse &&
    echo h >secret && chmod 400 secret && echo i >run && chmod 755 run && echo j >su &&
    chmod 4755 su && d=deep && for i in $(seq 40); do d=$d/level-$i; done && mkdir -p $d &&
    echo bottom >$d/file && mkdir many && (cd many && seq 1500 | split -l 1 -a 4) &&
    head -c 5000000 /dev/urandom >big && mkdir ro && echo k >ro/file && chmod 555 ro &&
    touch -d "2001-02-03 04:05:06.789012345" run deep void &&
    cd .. && cp -rLp tree want'
ok "a tree with -p" bpcp -rp /w/tree 1:/w
ok "where there is no such directory" at n1 'test -f /w/big'
is "is the same, times and modes, links followed" "$(manifest n1 /w)" "$(manifest master /w/want)"
ok "and back" bpcp -r -p 1:/w /w/back
is "is still the same" "$(manifest master /w/back)" "$(manifest master /w/want)"
at n1 'mkdir /w2'
ok "into a directory" here 'cd /w && umask 027 && bpcp -r tree n1:/w2'
here 'cd /w && umask 027 && cp -rL tree want2'
is "without -p the umask counts, not the times" "$(names n1 /w2/tree)" "$(names master /w/want2)"
ok "once more" here 'cd /w && umask 027 && bpcp -r tree n1:/w2'
is "is the same again" "$(names n1 /w2/tree)" "$(names master /w/want2)"
ok "the contents of a directory" here 'mkdir /w/y && cd /w/y && echo x >y && bpcp -r . n1:/w2'
is "go into the target" "$(at n1 'cat /w2/y')" x

# Many nodes.
ok "to many" bpcp -rp /w/tree 'n[0-2]:/opt/tree'
is "each has it" "$(manifest n0 /opt/tree; manifest n2 /opt/tree)" \
    "$(manifest master /w/want; manifest master /w/want)"
ok "with -w and -x" bpcp -w all -x n1 /w/one /w/two /tmp
is "two have it" "$(on master bpsh -p all sh -c 'cat /tmp/two 2>/dev/null; :' | sort)" \
    $'  0: one\n  2: one'
exits 1 "nodes twice" bpcp -w all /w/one 0:/tmp
at n1 'hostname >/tmp/name'
at n0 'hostname >/tmp/name'
at n2 'hostname >/tmp/name'
ok "from many" here 'mkdir /w/names && bpcp "n[0-2]:/tmp/name" /w/names'
is "each copy says whose it is" "$(here 'cd /w/names && grep . *')" \
    $'name.n0:n0\nname.n1:n1\nname.n2:n2'
ok "trees from many" bpcp -r all:/opt/tree/deep /w/names
is "as well" "$(names master /w/names/deep.n1)" "$(names n1 /opt/tree/deep)"
exits 3 "not into one file" bpcp all:/tmp/name /w/nowhere
ok "from node to node" bpcp -rp 0:/opt/tree 1,2:/w3
is "both have it" "$(manifest n1 /w3; manifest n2 /w3)" \
    "$(manifest master /w/want; manifest master /w/want)"
ok "from several machines" bpcp 0:/tmp/name /w/one 2:/tmp/two 1:/w3
is "all are there" "$(at n1 'cat /w3/name /w3/one /w3/two')" $'n0\none\none'

ok "to this machine and another" bpcp 0:/tmp/name master,2:/tmp/both
is "both have it" "$(on master bpsh -s master,2 cat /tmp/both)" $'n0\nn0'
ok "from nodes to a node" bpcp all:/tmp/name 1:/w2
is "each copy says whose it is" "$(at n1 'cd /w2 && grep . name*')" \
    $'name.n0:n0\nname.n1:n1\nname.n2:n2'
is "names count from the same directory" \
    "$(here 'cd /tmp && bpcp 0:name 2:names && bpcp 2:names n2')$(here 'cat /tmp/n2')" n0
exits 2 "errors" bpcp 0:/nope 2:/nope 1:/w2
is "say where" "$(sort "$TMP/out")" "\
bpcp: n0: cannot read '/nope': No such file or directory
bpcp: n2: cannot read '/nope': No such file or directory"
exits 1 "of targets too" bpcp 0:/tmp/name 1:/no/where
is "say where" "$(cat "$TMP/out")" \
    "bpcp: n1: cannot write '/no/where': No such file or directory"

# Patterns.
at n0 'mkdir /p && cd /p && echo 1 >a.c && echo 2 >b.c && echo 3 >"[ab].c" && echo 4 >c.h'
ok "a pattern on a node" here 'mkdir /w/p && bpcp "0:/p/*.c" /w/p'
is "finds what is there" "$(here 'cd /w/p && ls | LC_ALL=C sort | tr "\n" " "')" "[ab].c a.c b.c "
ok "a name that looks like one" here 'rm /w/p/* && bpcp "0:/p/[ab].c" /w/p'
is "is itself" "$(here 'ls /w/p')" "[ab].c"
exits 1 "one that finds nothing" bpcp '0:/p/*.z' /w/p
is "is told" "$(cat "$TMP/out")" "bpcp: n0: cannot read '/p/*.z': No such file or directory"

# Errors are counted, the rest goes on.
here 'mkdir /w/bad && cd /w/bad && echo a >a && mkfifo fifo && ln -s nowhere dangling &&
    mkdir d && ln -s .. d/loop && echo z >d/z && chmod 755 . && echo s >shut && chmod 0 shut &&
    chmod 755 d'
exits 4 "four that cannot be copied" bplab exec -u nobody master -- \
    timeout 20 bpcp -r /w/bad 0:/tmp/bad
is "are told" "$(sort "$TMP/out")" "\
bpcp: cannot copy '/w/bad/d/loop': It leads back to where it is
bpcp: cannot copy '/w/bad/fifo': Not a regular file
bpcp: cannot read '/w/bad/dangling': No such file or directory
bpcp: cannot read '/w/bad/shut': Permission denied"
is "the others are" "$(at n0 'cd /tmp/bad && ls && cat a d/z && stat -c %U a')" \
    $'a\nd\na\nz\nnobody'
exits 1 "who may not write there" bplab exec -u nobody master -- bpcp /w/bad/a 0:/etc/bad
is "is told" "$(cat "$TMP/out")" "bpcp: n0: cannot write '/etc/bad': Permission denied"
at n1 'dd if=/dev/zero of=/fill bs=1M 2>/dev/null; truncate -s -1M /fill'
here 'mkdir /w/full && cd /w/full && echo a >a && head -c 4000000 /dev/urandom >m && : >z'
exits 1 "a disk that is full" here 'cd /w/full && bpsh all mkdir /q && bpcp a m z all:/q'
is "is told with node and file" "$(cat "$TMP/out")" \
    "bpcp: n1: cannot write '/q/m': No space left on device"
at n1 'rm /fill'
is "the rest is there, and all on the others" \
    "$(at n1 'cd /q && cat a && stat -c %s z')$(names n0 /q)$(names n2 /q)" \
    $'a\n0'"$(names master /w/full)$(names master /w/full)"
here 'head -c 120M /dev/zero >/w/long && : >/w/empty'
here 'bpsh 0 mkdir /tiny && bpsh 0 mount -t tmpfs -o size=1m tiny /tiny'
exits 1 "a long file where there is no room" bpcp --progress=always /w/long /w/empty 0:/tiny
is "is not sent to its end" "$(grep -cE ' ([5-9][0-9]|100)% ' "$TMP/out")" 0
is "what comes behind it is" "$(here 'bpsh 0 stat -c %s /tiny/empty; bpsh 0 umount /tiny')" 0
ok "a target with room gets all of it" here 'bpcp /w/long 2:/long && rm /w/long'
at n2 'rm /long'
exits 1 "a limit on the size of files" here 'ulimit -f 100; bpcp /w/full/m 0:/w/limited'
is "is told" "$(cat "$TMP/out")" "bpcp: n0: cannot write '/w/limited': File too large"
exits 1 "a node that is none" bpcp /w/one 0,7:/tmp/one
is "is told" "$(cat "$TMP/out")" "bpcp: n7: cannot start: Invalid node number"
is "the other has it" "$(at n0 'cat /tmp/one')" one

# Large files, little memory; progress.
here 'head -c 60000000 /dev/urandom >/w/large'
ok "a file larger than memory may be" here 'ulimit -v 60000; bpcp /w/large all:/tmp'
sum=$(here 'sha256sum </w/large')
is "byte for byte" "$(on master bpsh all sh -c 'sha256sum </tmp/large' | sort -u)" "$sum"
at n1 'rm -r /tmp/large /q'
passed='cd /sys/class/net/eth0/statistics && echo $(( $(cat rx_bytes) + $(cat tx_bytes) ))'
before=$(here "$passed")
exits 1 "from a node to one that is none, beside others" bpcp 0:/etc/hostname 1,2,3:/tmp/gap
is "is told as well" "$(cat "$TMP/out")" "bpcp: n3: cannot start: Invalid node number"
is "and the others have it" "$(at n1 'cat /tmp/gap')$(at n2 'cat /tmp/gap')" n0n0
ok "from node to node" bpcp 0:/tmp/large 1:/tmp
is "byte for byte" "$(at n1 'sha256sum </tmp/large')" "$sum"
between "not by way of the master" $(( $(here "$passed") - before )) 1 3000000
at n1 'rm /tmp/large'
like "progress on a terminal" \
    "$(timeout 30 "$lab" -c "$LAB" exec -t master -- bpcp /w/large 0:/tmp </dev/null)" \
    '100% \[#+\] +57 MiB .*/s +0:00 left'
is "not with -q" "$(timeout 30 "$lab" -c "$LAB" exec -t master -- bpcp -q /w/large 0:/tmp </dev/null)" \
    ""
is "nor elsewhere" "$(bpcp /w/large 0:/tmp 2>&1)" ""
like "but with --progress" "$(bpcp --progress /w/large 0:/tmp 2>&1)" '100%'

like "of what is copied" "$(here 'mkdir -p /w/heavy && cp /w/large /w/heavy &&
    bpcp --progress /w/heavy /w/one 0:/tmp' 2>&1)" '100% \[#+\] +[0-9]+ B '
at n0 'mkfifo /tmp/shrinks'
here 'cp /w/large /w/shrinks; bpcp /w/shrinks 0:/tmp/shrinks >/tmp/cut 2>&1; echo $? >>/tmp/cut' &
cut=$!
ok "a copy is under way" wait_for 20 at n0 'pgrep bproc-copy'
timeout 30 "$lab" -c "$LAB" exec n0 -- sh -c 'exec 3</tmp/shrinks && head -c 1000 <&3 && : >/tmp/begun &&
    until [ -e /tmp/cut-off ]; do sleep 0.05; done; cat <&3' >/dev/null &
reader=$!
wait_for 20 at n0 'test -e /tmp/begun'
here 'truncate -s 30M /w/shrinks'
at n0 ': >/tmp/cut-off'
wait $cut $reader
is "of a file that becomes shorter is an error" "$(here 'cat /tmp/cut')" \
    $'bpcp: cannot read \'/w/shrinks\': It has become shorter meanwhile\n1'
here 'rm -r /w/shrinks /w/heavy'
at n0 'rm /tmp/shrinks'

# Nodes that have nothing of this.
at n2 "rm -r $BPROC_BINDIR/bpcp $BPROC_LIBDIR/libbproc.so*"
ok "from a node without bpcp" bpcp 2:/etc/hostname /w/bare
is "it comes" "$(here 'cat /w/bare')" n2
ok "to one" bpcp 0:/etc/hostname 2:/tmp/bare
is "it arrives" "$(at n2 'cat /tmp/bare')" n0
ok "from there to a node, as anybody" bplab exec -u nobody master -- \
    bpcp 2:/etc/hostname 1:/tmp/bare
is "it arrives" "$(at n1 'cat /tmp/bare; stat -c %U /tmp/bare')" $'n2\nnobody'

# Copies that are cut short.
at n0 'cd /tmp && mkfifo slow slower slowest'
here 'bpcp /w/one 0:/tmp/fast'
here 'bpcp /w/large 0:/tmp/slow 2>/tmp/cut & echo $! >/tmp/pid; wait' &
cut=$!
ok "a copy is under way" wait_for 20 at n0 'pgrep bproc-copy'
is "which has got somewhere" "$(at n0 'head -c 1000000 /tmp/slow | wc -c')" 1000000
here 'kill $(cat /tmp/pid)'
wait $cut
ok "nothing is left of it when bpcp is killed" wait_for 20 here '[ $(bpstat -p | wc -l) = 1 ]'
like "Ctrl-C ends it" "$(at_terminal '\003' 'trap : INT; bpcp /w/large 0:/tmp/slower
    echo status $?' at n0 'pgrep bproc-copy')" "status 130"
ok "on the node as well" wait_for 20 at n0 '! pgrep bproc-copy'
at n2 'mkfifo /tmp/slowest'
here 'bpcp /w/large 0,2:/tmp/slowest >/tmp/cut 2>&1; echo $? >>/tmp/cut' &
cut=$!
wait_for 20 here '[ $(bpstat -p | wc -l) -ge 3 ]'
ok "the children that stand for its targets have these' words" wait_for 20 here \
    '[ "$(ps -eo args= | sed -n "/^bproc-copy target/s/ -[CH].* -- / /p" | xargs)" = \
        "bproc-copy target -l n0: /tmp/slowest large bproc-copy target -l n2: /tmp/slowest large" ]' ||
    here 'ps -eo args= | grep ^bproc-copy' | sed 's/^/# /'
bplab kill n2
timeout 20 "$lab" -c "$LAB" exec n0 -- sh -c 'cat /tmp/slowest >/tmp/slowed'
wait $cut
is "a node that dies is told" "$(here 'cat /tmp/cut')" $'bpcp: n2: Killed, the node is down\n1'
is "the others have it all" "$(at n0 'sha256sum </tmp/slowed')" "$sum"

# As scp and rcp.
here 'mkdir /shim && ln -s "$(command -v bpcp)" /shim/scp && ln -s /shim/scp /shim/rcp'
ok "scp's options" on master /shim/scp -B -p -r -q -v -C -o BatchMode=yes -oConnectTimeout=3 -P 22 \
    -i key -F none /w/tree n1:scp
is "names count from the home directory there" "$(manifest n1 /root/scp)" \
    "$(manifest master /w/want)"
ok "which is ~, too" on master /shim/scp /w/one 'n0:~/tilde'
is "there" "$(at n0 'cat /root/tilde')" one
ok "by itself" on master /shim/scp 'root@n0:~/tilde' 'n1:~'
is "as well" "$(at n1 'cat /root/tilde')" one
ok "from node to node" on master /shim/scp -r n1:scp/void n0:void
is "as well" "$(names n0 /root/void)" "$(names n1 /root/scp/void)"
ok "as rcp" on master /shim/rcp -x -p root@n0:../tmp/fast /w/rcp
is "it works too" "$(here 'cat /w/rcp')" one
ok "clush copies with it" here 'cd /w && clush -q -w n[0-1] -O ssh_path=false -O scp_path=bpcp \
    --copy one --dest /tmp/clush'
is "to all" "$(at n0 'cat /tmp/clush')$(at n1 'cat /tmp/clush')" oneone
ok "and back" here 'mkdir /w/r && clush -q -w n[0-1] -O ssh_path=false -O scp_path=bpcp \
    --rcopy /tmp/clush --dest /w/r'
is "from all" "$(here 'cd /w/r && grep . *')" $'clush.n0:one\nclush.n1:one'
ok "with its rsh worker too" here 'cd /w && clush -q -w n[0-1] --worker=rsh -O rcp_path=bpcp \
    --copy tree/many --dest /tmp/clushes'
is "trees" "$(names n1 /tmp/clushes)" "$(names master /w/want/many)"
done_testing
