#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bpstat: its forms, orders and exit status.
. "${0%/*}/lib.sh"
need_tool script ps
lab_up 4

lab=$BPROC_BUILD/lab/bplab

bpstat() {
    on master bpstat "$@"
}

# lines N: bpstat -U on the master has written so many.
lines() {
    on master sh -c "[ \$(wc -l </run/update) -ge $1 ]"
}

ok "--help" bpstat --help
like "prints the usage to stdout" "$(bpstat -h 2>/dev/null)" "^usage: bpstat "
like "--version" "$(bpstat --version)" "^bpstat \(bproc\) [0-9]"
is "-V, -v" "$(bpstat -V) $(bpstat -v)" "$(bpstat --version) $(bpstat --version)"
exits 1 "an option that is none" bpstat -Z
exits 1 "a node that is none" bpstat 0,4
is "is told" "$(cat "$TMP/out")" "bpstat: 4: Invalid node number"
exits 1 "what is no node" bpstat fish
is "is told" "$(cat "$TMP/out")" "bpstat: 'fish' is no node"
for option in -c -l -p -U "-A n0"; do
    # shellcheck disable=SC2086
    exits 1 "$option without a daemon" on master env BPROC_SOCKET=/nowhere bpstat $option
    like "is told" "$(cat "$TMP/out")" "^bpstat: .*: BProc is not running here$"
done

# Forms, with nodes in several states.
bplab daemon n3 stop
on master bpctl -S 1 -s unavailable -S 2 -u nobody -g 54321 -m 110
is "compact, by state" "$(bpstat)" "\
Node(s)     Status       Mode       User       Group
3           down         ---------- root       root
1           unavailable  ---x--x--x root       root
0           up           ---x--x--x root       root
2           up           ---x--x--- nobody     #54321"
on master bpctl -S 1 -s up -S 2 -u root -g root -m 111
is "nodes that are alike make one line" "$(bpstat -c)" "\
Node(s)     Status       Mode       User       Group
3           down         ---------- root       root
0-2         up           ---x--x--x root       root"
is "also when they do not follow one another" "$(bpstat --compact 0,2,3)" "\
Node(s)     Status       Mode       User       Group
3           down         ---------- root       root
0,2         up           ---x--x--x root       root"
is "-l" "$(bpstat -l | tr '\t' '@')" "\
Node Address         Status       Mode          User       Group
   0 10.77.1.1       up           ---x--x--x@root       root
   1 10.77.1.2       up           ---x--x--x@root       root
   2 10.77.1.3       up           ---x--x--x@root       root
   3 10.77.1.4       down         ----------@root       root"
is "--long of some" "$(bpstat --long 1,alldown | cut -c1-26)" "\
Node Address         Statu
   1 10.77.1.2       up   
   3 10.77.1.4       down "
is "-l of the master" "$(bpstat -l master | tail -n 1 | tr '\t' '@')" \
    "  -1 10.77.0.1       up           ---x--x--x@root       root"
is "-a" "$(bpstat -a 0-1)" $'10.77.1.1\n10.77.1.2'
is "-s" "$(bpstat -s)" $'up\nup\nup\ndown'
is "-n" "$(bpstat -n allup)" $'0\n1\n2'
is "-t" "$(bpstat -t) $(bpstat -t allup) $(bpstat -t alldown) $(bpstat -t allerror)" "4 3 1 0"
is "the long names" \
    "$(bpstat --address 0) $(bpstat --status 0) $(bpstat --number 0) $(bpstat --total 0)" \
    "10.77.1.1 up 0 1"
is "no nodes" "$(bpstat allerror)" "Node(s)     Status       Mode       User       Group"
is "several specifications" "$(bpstat -n 2 0,1)" $'0\n1\n2'

# Orders.
is "by number" "$(bpstat -n 3,1,2 | tr '\n' ' ')" "1 2 3 "
is "as given" "$(bpstat -O -n 3,1,2 | tr '\n' ' ') $(bpstat --keep-order -n 2 1 | tr '\n' ' ')" \
    "3 1 2  2 1 "
is "-R" "$(bpstat -R -n | tr '\n' ' ')" "3 2 1 0 "
is "by state" "$(bpstat -S -n | tr '\n' ' ')" "3 0 1 2 "
is "-R -S" "$(bpstat -R -S -s | tr '\n' ' ')" "up up up down "
is "compact by number" "$(bpstat -N | cut -c1-16 | tail -n +2)" \
    $'0-2         up  \n3           down'
is "compact, the other way round" "$(bpstat -R | cut -c1-16 | tail -n +2)" \
    $'0-2         up  \n3           down'

# Names, processes, changes.
is "-A of a host name" "$(bpstat -A n1)" 1
is "of an address" "$(bpstat -A 10.77.1.3) $(bpstat -A 10.77.0.1)" "2 -1"
is "of the master" "$(bpstat -A master)" -1
exits 1 "of no node" bpstat -A 192.0.2.1
is "is told" "$(cat "$TMP/out")" "bpstat: 192.0.2.1: no node has that name or address"
is "no processes" "$(bpstat -p)" $'PID\tNode'
"$lab" -c "$LAB" exec master -- bpsh -N 0-1 sleep 60 &
sleepers=$!
wait_for 5 sh -c "[ \$($lab -c $LAB exec master bpstat -p | wc -l) = 3 ]"
is "processes and their nodes" "$(bpstat -p | tail -n +2 | cut -f2 | sort)" $'0\n1'
pid=$(bpstat -p 1 | tail -n 1 | cut -f1)
is "those of a node" "$(bpstat -p 1)" $'PID\tNode\n'"$pid"$'\t1'
like "whose name on the master is that of the command" "$(on master ps -o args= "$pid")" "^sleep 60"
is "none of an empty list" "$(bpstat -p allerror)" ""
is "-P puts the node in front of ps's lines" \
    "$(on master sh -c "ps -o pid,args -p 1,$pid | bpstat -P" | sed 's/ [^ ]*bplab-run.*/ init/')" \
    "$(printf 'NODE\t    PID COMMAND\n\t      1 init\n1\t%7d sleep 60' "$pid")"
is "wherever the column is" \
    "$(on master sh -c "ps -o user,pid,args -p $pid | bpstat -P | tail -n 1 | cut -c1-6")" \
    $'1\troot'
exits 1 "what is not from ps" on master sh -c 'echo fish | bpstat -P'
is "is told" "$(cat "$TMP/out")" "bpstat: cannot find a column PID in the first line of stdin"
kill "$sleepers"
wait "$sleepers" 2>/dev/null
on master sh -c 'setsid bpstat -U -s 0 >/run/update 2>&1 & echo $! >/run/update.pid'
wait_for 5 lines 1
on master bpctl -S 0 -s unavailable
ok "-U shows changes" wait_for 5 lines 2
is "as they are" "$(on master cat /run/update)" $'up\nunavailable'
bplab daemon master stop
ok "and ends with the daemon" wait_for 5 lines 3
is "with a word on it" "$(on master tail -n 1 /run/update)" \
    "bpstat: cannot watch the nodes: the daemon went away"
bplab daemon master start
wait_for 10 sh -c "[ \$($lab -c $LAB exec master bpstat -t allnotdown) = 3 ]"
is "on a node it tells the same" "$(on n1 bpstat -l)" "$(bpstat -l)"
exits 1 "a full disk" on master sh -c 'bpstat >/dev/full'
is "is told" "$(cat "$TMP/out")" "bpstat: cannot write stdout: No space left on device"
done_testing
