#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bpstat: its forms, orders and exit status.
. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"
need_tool script ps jq
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
for option in -c -l -p -U "-A n0" --json "--json -p" --prometheus --hostfile --hosts --nodeset --groups; do
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
is "is told" "$(cat "$TMP/out")" "bpstat: cannot find node 192.0.2.1: no node has that name or address"
is "no processes" "$(bpstat -p)" $'PID\tNode'
"$lab" -c "$LAB" exec master -- bpsh -N 0-1 sleep 60 &
sleepers=$!
wait_for 20 sh -c "[ \$($lab -c $LAB exec master bpstat -p | wc -l) = 3 ]"
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
ok "which end with their bpsh" wait_for 20 nobody_is_there
on master sh -c 'setsid bpstat -U -s 0 >/run/update 2>&1 & echo $! >/run/update.pid'
wait_for 20 lines 1
on master bpctl -S 0 -s unavailable
ok "-U shows changes" wait_for 20 lines 2
is "as they are" "$(on master cat /run/update)" $'up\nunavailable'
on master bpctl -S 0 -s up
ok "each of them" wait_for 20 lines 3

# For old scripts: the header, the second word of the line of one node, names.
is "a script finds the state of a node" "$(bpstat 0 | awk '!/^Node/ { print $2 }')" up
is "and of the one that is down" "$(bpstat n3 | awk '!/^Node/ { print $2 }')" down
is "a script finds the nodes in use" "$(bpstat -n allup | xargs)" "0 1 2"
is "nodes by their old names" "$(bpstat -n -- n1 .2 -1 0-1 | xargs)" "-1 0 1 1 2"
is "errors are no nodes" "$(bpstat -t allerror)" 0

# For other programs.
is "--nodeset" "$(bpstat --nodeset) $(bpstat --nodeset 2,0,1,1) $(bpstat --nodeset -a 1)" \
    "n[0-3] n[0-2] n[0-3]"
is "of nodes in a state" "$(bpstat --nodeset up; bpstat --nodeset down; bpstat --nodeset error)" \
    $'n[0-2]\nn3'
is "--hosts" "$(bpstat --hosts)" \
    $'10.77.0.1\tmaster n-1\n10.77.1.1\tn0\n10.77.1.2\tn1\n10.77.1.3\tn2\n10.77.1.4\tn3'
is "of one" "$(bpstat --hosts 2)" $'10.77.1.3\tn2'
cpus=$(on master nproc --all)
is "--hostfile is of those that are up" "$(bpstat --hostfile)" \
    "$(printf "n%d slots=$cpus\n" 0 1 2)"
is "in Hydra's form" "$(bpstat --hostfile=hydra 1 2)" "$(printf "n%d:$cpus\n" 1 2)"
is "a node that does not answer is there without a number" "$(bpstat --hostfile=ompi 0 3)" \
    "$(printf "n0 slots=$cpus\nn3")"
exits 1 "another form" bpstat --hostfile=fish
is "is told" "$(cat "$TMP/out")" "bpstat: --hostfile: 'fish' is not ompi or hydra"
before=$(date +%s)
bpstat --json >"$TMP/json"
after=$(date +%s)
is "--json: version, sets" "$(jq -c '.version, .nodes, .nodeset' "$TMP/json" | xargs)" \
    "1 [0,1,2,3] n[0-3]"
is "states" "$(jq -r '.states[] | .state + " " + .nodeset' "$TMP/json" | xargs)" \
    "down n3 up n[0-2]"
is "nodes" "$(jq -c '.node_info[1] | [.node, .name, .state, .address, .mode, .user, .gid]' \
    "$TMP/json")" '[1,"n1","up","10.77.1.2","0111","root",0]'
# time(2) is some ms behind the clock that date reads.
between "time" "$(jq .time "$TMP/json")" "$(( before - 1 ))" "$after"
is "it obeys orders" "$(bpstat --json -R 0 2 | jq -c .nodes)" "[2,0]"
is "processes: none" "$(bpstat --json -p | jq -c .processes)" "[]"

# metric NAME: its value.
metric() {
    bpstat --prometheus | awk -v name="$1" '$1 == name { print $2 }'
}

is "--prometheus: nodes" "$(metric 'bproc_nodes{state="up"}') $(metric 'bproc_nodes{state="down"}')" \
    "3 1"
moved=$(metric 'bproc_migrations_total{result="ok"}')
is "its histogram is whole" "$(metric 'bproc_migration_seconds_bucket{le="+Inf"}')" "$moved"
on master bpsh 0-2 true
is "migrations are counted" "$(metric 'bproc_migrations_total{result="ok"}')" $(( moved + 3 ))

# KiB that went, by the log and by the counter; the news of a short command's may come after its end.
logged() {
    bplab logs master | sed -n 's/.* rexec pid .*, \([0-9.]*\) KiB$/\1/p' |
        awk '{ sum += $1 } END { printf "%.0f %d", sum, NR }'
}
counted() {
    metric bproc_migration_bytes_total | awk '{ printf "%.0f", $1 / 1024 }'
}
# Each of the lines rounds to a tenth.
sums_agree() {
    local sum lines bytes
    read -r sum lines < <(logged) || :
    bytes=$(counted)
    (( lines == $1 && bytes > 0 && bytes - sum <= 4 && sum - bytes <= 4 ))
}
for (( i = 0; i < 20; i++ )); do
    on master bpsh 0 true
done
ok "what short commands take is counted and said" wait_for 20 sums_agree $(( moved + 23 ))
# A command that ended while its carrier could not run was restored in no time, but not all were.
parts_are_there() {
    bplab logs master | grep ' rexec pid .* ms (' |
        awk '/\(begin [0-9.]* ghost/ { bad = 1 } !/restore 0\.0 / { good = 1 }
            END { exit bad || !good }'
}
ok "with all its parts" parts_are_there
is "those that fail, too" "$(on master bpsh 0 /nowhere/fish 2>/dev/null
    metric 'bproc_migrations_total{result="failed"}')" 1
bpctl() {
    on master bpctl "$@"
}
bpctl -S 2 -m 0
as_nobody bpsh 2 true 2>/dev/null
bpctl -S 2 -m 0111
is "what is refused is no failure" "$(on master bpsh -1,3 true 2>/dev/null
    metric 'bproc_migrations_total{result="failed"}')" 1
is "so are the CPUs of nodes" "$(metric 'bproc_node_cpus{node="2"}')" "$cpus"
is "each line is one that Prometheus reads" "$(bpstat --prometheus | grep -vE \
    '^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+(\{[a-z]+="[^"]*"\})? -?[0-9.]+(e[+-][0-9]+)?)$')" ""
is "each metric has a type, once" "$(bpstat --prometheus | awk '$2 == "TYPE" { print $3 }' |
    sort | uniq -d)" ""
is "--color" "$(bpstat --color always -s 0,3 | cat -v | xargs)" '^[[32mup^[[0m ^[[31mdown^[[0m'
is "none in a pipe" "$(bpstat -s 0 | cat -v)" up

# Groups, which ClusterShell asks for.
on master sh -c "printf 'nodegroup @front 0-1\nnodegroup @back 2,3\n' >>/etc/bproc/config
    kill -HUP \$(cat /run/bproc/masterd.pid)"
groups_are_there() {
    [[ $(bpstat --groups | head -n 1) == front ]]
}
ok "--groups" wait_for 20 groups_are_there
is "names groups and states" "$(bpstat --groups | xargs)" "front back down up"
is "those that a node is in" "$(bpstat --groups 3 | xargs) $(bpstat --groups 0-1 | xargs)" \
    "back down front up"
is "those that nodes share" "$(bpstat --groups 1,2 | xargs)" up
is "--nodeset of a group" "$(bpstat --nodeset @back) $(bpstat --nodeset front)" "n[2-3] n[0-1]"
if type -P nodeset >/dev/null; then
    on master sh -c 'mkdir -p /etc/clustershell/groups.conf.d
        cat >/etc/clustershell/groups.conf.d/bproc.conf' \
        <"$BPROC_SOURCE/etc/clustershell-groups.conf"
    is "ClusterShell knows the nodes that are up" "$(on master nodeset -f @bproc:up)" "n[0-2]"
    is "groups" "$(on master nodeset -f @bproc:back)" "n[2-3]"
    is "all nodes" "$(on master nodeset -s bproc -f -a)" "n[0-3]"
    is "and which groups there are" "$(on master nodeset -s bproc -l | xargs)" \
        "@bproc:back @bproc:down @bproc:front @bproc:up"
else
    skip "ClusterShell" "no nodeset here"
fi

# -L and -U on a terminal: the keys do nothing, the end of the daemon ends it.
on master sh -c 'setsid bpstat -L -U -p >/run/locked 2>&1 & echo $! >/run/locked.pid'
locked() {
    on master sh -c "[ \$(grep -c ^PID /run/locked) -ge $1 ]"
}
ok "-U -p shows processes" wait_for 20 locked 1
ok "again and again" wait_for 20 locked 2
on master sh -c 'kill -INT $(cat /run/locked.pid); kill -TSTP $(cat /run/locked.pid)'
shown=$(on master grep -c ^PID /run/locked)
ok "-L ignores the keys" wait_for 20 locked $(( shown + 2 ))
bplab daemon master stop
ok "and ends with the daemon" wait_for 20 lines 4
is "with a word on it" "$(on master tail -n 1 /run/update)" \
    "bpstat: cannot watch the nodes: the daemon went away"
bplab daemon master start
wait_for 20 sh -c "[ \$($lab -c $LAB exec master bpstat -t allup) = 3 ]"
is "on a node it tells the same" "$(on n1 bpstat -l)" "$(bpstat -l)"
exits 1 "a full disk" on master sh -c 'bpstat >/dev/full'
is "is told" "$(cat "$TMP/out")" "bpstat: cannot write stdout: No space left on device"
done_testing
