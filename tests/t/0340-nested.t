#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Forks and executions that begin on a node: onto other nodes, to the master, onto itself.

. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"

nested=$PROGS/nested
lab_up 3

cases "three levels" on master "$nested" chain 0 1 2
cases "three levels of a user" as_nobody "$nested" chain 0 1 2
cases "onto itself" on master "$nested" chain 0 0 1
cases "by way of the master" on master "$nested" chain 0 -1 1
cases "signals" on master "$nested" signals 0 1
cases "signals of a user" as_nobody "$nested" signals 0 1
cases "signals on the master" on master "$nested" signals 0 -1
cases "a parent that ends" on master "$nested" orphan 0 1
cases "programs" on master "$nested" exec 0 1
cases "programs on the master" on master "$nested" exec 0 -1
cases "streams" on master "$nested" streams 0 1 20
cases "files in no folder" on master "$PROGS/kinds" 0 1
cases "a user's, to the master" as_nobody "$PROGS/kinds" 0 -1
cases "an unknown node" on master "$nested" refuse 0 99
is "bpsh runs on nodes, too" "$(on master bpsh 0 bpsh 1 bpsh 2 hostname)" n2
is "its status comes all the way" "$(on master bpsh 0 bpsh 1 sh -c 'exit 9'; echo $?)" 9
is "and what it writes is there before" \
    "$(on master bpsh 0 sh -c 'for i in 1 2 3; do bpsh 1 echo $i; done; echo end' | tr '\n' ' ')" "1 2 3 end "
is "input goes all the way" "$(on master sh -c 'echo hello | bpsh 0 bpsh 1 cat')" hello

# A login on a node is no process of BProc's.
is "bpsh of a shell that BProc did not start says what to do" "$(on n0 bpsh 1 true 2>&1)" \
    "1: BProc did not start this process on the node: do it on the master"
ok "the log says whose it is" wait_for 20 eval 'bplab logs n0 | grep -qE \
    "BProc did not start process [0-9]+: on a node only what bpsh or the like has started"'
is "in one that it has, what is the master's is said to be" \
    "$(on master bpsh 0 bpctl -S 1 -s error 2>&1)" "1: only the master can do this"

# A user's programs on a node are the user's on the next one.
on master bpctl -S 1 -m 0100
cases "a node closed to the user" as_nobody "$nested" refuse 0 1
on master bpctl -S 1 -m 0111

# All of it is known on the master, and its ghosts are children of one another.
on master sh -c "$nested lost 0 2 >/run/lost.out 2>&1 &"
wait_for 20 on master grep -q 'lost ready' /run/lost.out
is "both processes are listed" "$(on master bpstat -p | tail -n +2 | awk '{print $2}' | sort | tr '\n' ' ')" "0 2 "
# shellcheck disable=SC2016
ok "the ghost of the one is the child of the other's" wait_for 20 on master sh -c \
    'set -- $(bpstat -p | tail -n +2 | sort -k2 | cut -f1); [ "$(ps -o ppid= -p "$2" | tr -d " ")" = "$1" ]'

# masterd can be away meanwhile.
bplab daemon master kill
bplab daemon master start >/dev/null 2>&1
ok "a restart of masterd loses neither" wait_for 20 eval '[[ $(on master bpstat -p | wc -l) == 3 ]]'
bplab kill n2
cases "the loss of the child's node" eval 'wait_for 20 on master grep -q "^1\\.\\." /run/lost.out; on master cat /run/lost.out'
ok "nothing is left of it" wait_for 20 eval '[[ $(on master bpstat -p | wc -l) == 1 ]]'
cases "a node that is down" on master "$nested" refuse 0 2
bplab start n2 >/dev/null 2>&1
ok "it comes back" wait_for 20 node_is 2 up

# The parent's node goes: the child's process is nobody's, but it is known.
on master sh -c "$nested lost 0 1 >/run/gone.out 2>&1 &"
wait_for 20 on master grep -q 'lost ready' /run/gone.out
bplab kill n0
ok "the parent is gone with its node" wait_for 20 node_is 0 down
ok "its child is still known" eval '[[ $(on master bpstat -p | tail -n +2 | cut -f2) == 1 ]]'
# shellcheck disable=SC2016
on master sh -c 'kill -9 $(bpstat -p | tail -n +2 | cut -f1)'
ok "and can be killed" wait_for 20 eval '[[ $(on master bpstat -p | wc -l) == 1 ]]'
bplab start n0 >/dev/null 2>&1
ok "that one comes back, too" wait_for 20 node_is 0 up
cases "and all works again" on master "$nested" chain 0 1 2
ok "nothing is left on the nodes" wait_for 20 on n1 sh -c '! pgrep "bproc-(ghost|carrier|arrival)"'

done_testing
