#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A process leaves the process space: it runs on, and nobody knows it any more.
. "${0%/*}/lib.sh"
lab_up 2

on master sh -c 'cat >/tmp/detach; chmod 755 /tmp/detach; mkdir -m 777 /tmp/here' <"$PROGS/detach"
on n1 mkdir -m 777 /tmp/there
on master useradd -M alice >/dev/null 2>&1

# there FILE: soon it is on the node.
there() {
    wait_for 20 on n1 test -e "/tmp/there/$1"
}

# alive PID: how many processes of the node have that number in their space.
alive() {
    on n1 sh -c "for dir in /proc/[0-9]*; do
        awk '/^NSpid:/ { print \$NF }' \$dir/status; done" 2>/dev/null | grep -cx "$1"
}

known() {
    on master bpstat -p | tail -n +2
}

on master sh -c '/tmp/detach remote 1 /tmp/there >>/tmp/out; echo over >>/tmp/out' &
job=$!
ok "a process on a node leaves the space" there alive
ok "its parent has its exit status" wait_for 20 on master grep -q over /tmp/out
is "which is that of the call" "$(on master head -n 1 /tmp/out)" "exited 3"
is "the master knows it no more" "$(known)" ""
read -r pid child < <(on n1 cat /tmp/there/alive)
is "it has the number that it had" "$(alive "$pid")" 1
# Long enough for a census, which would tell of it.
sleep 1
is "a child that it makes is not known, either" "$(known)" ""
is "though it is there" "$(alive "$child")" 1
is "others come and go" "$(on master bpsh 1 sh -c 'exit 0' && on master bpsh 1 hostname)" n1
bplab daemon master restart
ok "and masterd is started anew" wait_for 20 sh -c \
    "[ \"\$('$BPROC_BUILD/lab/bplab' -c $LAB exec master bpstat -t allup)\" = 2 ]"
is "it does not come back by that" "$(known)" ""
is "it runs on" "$(alive "$pid")" 1
on n1 touch /tmp/there/go
ok "until it ends" there over
is "which is no news" "$(known)$(bplab logs master | grep -c "process $pid ")" 0
wait "$job"
# Nobody waits for who carries that.
ok "what it wrote arrives" wait_for 20 on master grep -q here /tmp/out
is "behind the rest" "$(on master cat /tmp/out)" $'exited 3\nover\nstill here'

on master sh -c 'rm /tmp/out; /tmp/detach local /tmp/here >>/tmp/out; echo over >>/tmp/out' &
ok "a process of the master" wait_for 20 on master test -e /tmp/here/alive
ok "has exited" wait_for 20 on master grep -q over /tmp/out
is "to its parent" "$(on master head -n 2 /tmp/out)" $'exited 3\nover'
on master touch /tmp/here/go
ok "and lives on" wait_for 20 on master test -e /tmp/here/over
wait
like "users may not" "$(bplab exec -u alice master -- timeout 20 /tmp/detach local /tmp/here)" \
    "^-1 EPERM"
like "nor on nodes" "$(on n1 useradd -M -u "$(on master id -u alice)" alice >/dev/null 2>&1
    bplab exec -u alice master -- timeout 20 /tmp/detach remote 1 /tmp/there)" "^-1 EPERM"
bplab daemon master stop
like "without a daemon" "$(on master /tmp/detach local /tmp/here)" "^-1 ENOSYS"
done_testing
