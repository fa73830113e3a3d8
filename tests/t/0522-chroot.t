#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Processes that come to a node are given another root; and the file cache is emptied.
. "${0%/*}/lib.sh"
lab_up 2

on master sh -c 'cat >/tmp/nodecalls; chmod 755 /tmp/nodecalls' <"$PROGS/nodecalls"
on master useradd -M alice >/dev/null 2>&1

call() {
    on master /tmp/nodecalls "$@"
}

# A root with a shell and little else, and a mark in it.
on n0 sh -c '
    set -e
    mkdir -p /srv/new/tmp /srv/new/etc /srv/new/usr
    for dir in bin lib lib64; do
        mkdir "/srv/new/usr/$dir"
        ln -s "usr/$dir" "/srv/new/$dir"
    done
    for file in /bin/sh /bin/cat /bin/sleep /bin/ls $(
            ldd /bin/sh /bin/ls /bin/sleep | grep -o "/[^ ]*\.so[^ ]*" | sort -u); do
        mkdir -p "/srv/new${file%/*}"
        cp -L "$file" "/srv/new$file"
    done
    echo new >/srv/new/etc/mark
    echo old >/etc/mark' || bail "cannot make another root"

bpsh() {
    on master bpsh 0 "$@"
}

on master sh -c 'bpsh 0 sh -c "trap \"cat /etc/mark; exit 7\" USR1
    while :; do sleep 0.1; done" >/tmp/out; echo "exit $?" >>/tmp/out' &
job=$!
wait_for 20 sh -c "'$BPROC_BUILD/lab/bplab' -c $LAB exec master bpstat -p | grep -q 0\$"
# What it starts there has higher numbers.
pid=$(on master bpstat -p | awk 'NR == 2 { print $1 }')

is "a node has its own files" "$(bpsh cat /etc/mark)" old
ok "it is given another root" on master bpctl -S 0 -r /srv/new
is "which those see that come" "$(bpsh cat /etc/mark)" new
is "and it is all they see" "$(bpsh ls /srv 2>&1 | wc -l) $(bpsh ls /usr)" $'1 bin\nlib\nlib64'
is "with what the node has to give" "$(bpsh ls -d /dev/null /proc/self/stat)" \
    $'/dev/null\n/proc/self/stat'
is "a fork whose libraries are not there" "$(call rfork 0)" "-1 ENOEXEC"
on master bpctl -S 0 -s unavailable
is "goes there when they are sent, as to nodes that are not up" "$(call rfork 0)" "exited 7"
on master bpctl -S 0 -s up
is "they reach the node's daemon" "$(bpsh ls /run/bproc/bproc.sock)" /run/bproc/bproc.sock
on master kill -USR1 "$pid"
wait "$job"
is "those that were there keep their root" "$(on master cat /tmp/out)" $'old\nexit 7'

exits 1 "a folder that is not there" on master bpctl -S 0 --chroot /srv/none
is "is told" "$(cat "$TMP/out")" "0: No such file or directory"
exits 1 "a file" on master bpctl -S 0 -r /etc/mark
is "is told" "$(cat "$TMP/out")" "0: Not a directory"
is "what is no absolute path" "$(call chroot 0:srv/new)" "-1 EINVAL"
is "a path that is too long" "$(call chroot "0:/$(printf 'x%.0s' {1..90})")" "-1 ENOENT"
is "after all this the root is the same" "$(bpsh cat /etc/mark)" new
is "no such node" "$(call chroot 7:/srv/new)" "-1 EINVAL"
is "only root may" "$(bplab exec -u alice master -- /tmp/nodecalls chroot 0:/)" "-1 EPERM"
exits 1 "several nodes" on master bpctl -S 0,1 -r /srv/new
is "each has its own" "$(cat "$TMP/out")" "1: No such file or directory"
is "the other name of the call, back to the node's own" "$(call chroot 0:=/)" 0
is "which those see that come" "$(bpsh cat /etc/mark)" old
ok "and once more" on master bpctl -S 0 -r /srv/new
bplab daemon n0 restart
is "until the slave daemon is started anew" "$(bpsh cat /etc/mark)" old

# What comes of an image runs in the second space, as who takes it holds the number in the first.
on n0 sh -c 'cat >/tmp/dump; chmod 755 /tmp/dump' <"$PROGS/dump"
on n0 sh -c 'echo old >/mnt/mark; mkdir /srv/all; mount --rbind / /srv/all
    mount -t tmpfs none /srv/all/mnt; echo all >/srv/all/mnt/mark; ln -s all /srv/other'
second() {
    bpsh -n /tmp/dump undump /tmp/image 2>&1 | grep -v ^pid
}
is "a program in a file" "$(bpsh /tmp/dump execdump /tmp/image 7 /bin/cat /mnt/mark)" 0
is "begins in the second process space" "$(second)" old
ok "another root" on master bpctl -S 0 -r /srv/all
is "is that of processes there, too" "$(bpsh cat /mnt/mark) $(second)" "all all"
bplab daemon n0 restart
ok "and when that space begins later" on master bpctl -S 0 -r /srv/other
is "as well" "$(second)" all
bplab daemon n0 restart
ok "a root that is gone then" on master bpctl -S 0 -r /srv/other
on n0 rm /srv/other
is "is no reason to have the wrong one" "$(bpsh cat /mnt/mark) $(second)" "all -1 EAGAIN"
ok "which the log tells" wait_for 20 eval 'bplab logs n0 | grep -q "root to /srv/other for processes whose"'
is "until there is one" "$(call chroot 0:/) $(second)" "0 old"

cached() {
    on n0 sh -c 'ls /var/cache/bproc | wc -l'
}
on master bpctl -S 0 -s unavailable
call rfork 0 >/dev/null
between "files that came are in the cache" "$(cached)" 1 99
ok "it is emptied" on master bpctl -S 0 --cache-purge
is "wholly" "$(cached)" 0
is "and they come again" "$(call rfork 0)" "exited 7"
is "the calls" "$(call cachepurgeok 0) $(call cachepurgefail 0) $(cached)" "0 0 0"
is "only root may" "$(bplab exec -u alice master -- /tmp/nodecalls cachepurgeok 0) $(
    bplab exec -u alice master -- /tmp/nodecalls cachepurgefail 0)" "-1 EPERM -1 EPERM"
is "no such node" "$(call cachepurgeok 9) $(call cachepurgefail 9)" "-1 EINVAL -1 EINVAL"
done_testing
