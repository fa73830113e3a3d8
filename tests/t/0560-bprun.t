#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bprun, beorun, mpprun: a command where there is least to do. bpmap, beomap: where that is.
# shellcheck disable=SC2016  # the nodes' shells expand
. "${0%/*}/lib.sh"
lab_up 3

lab=$BPROC_BUILD/lab/bplab

# The shell on the master runs this.
here() {
    on master sh -c "$1"
}

bprun() {
    on master bprun "$@"
}

bpmap() {
    on master bpmap "$@"
}

# loads: what the nodes are said to have to do, each figure once.
loads() {
    on master bptop -b -n 1 -w all | awk '$1 ~ /^n[0-9]+$/ { print $4 }' | sort -u
}

one_load() {
    local before
    before=$(loads)
    map=$(bpmap "$@")
    [[ $before != *$'\n'* && $before == "$(loads)" ]]
}

# idle_map OPTION...: the map when no node has more to do than another. They show the load of this
# machine, but not all at the same moment.
idle_map() {
    wait_for 30 one_load "$@" || diag "loads differ: $(loads | xargs)" >&2
    echo "$map"
}

# Usage.
for name in bprun beorun mpprun bpmap beomap; do
    like "$name -h" "$(on master $name -h)" "^usage: bprun "
    like "$name --version" "$(on master $name --version)" "^$name \(bproc\) [0-9]"
done
is "options behind -h are ignored" "$(bprun -u --fish 2>&1 | head -1)" "$(bprun -h | head -1)"
exits 1 "an option that is none" bprun --fish true
exits 1 "a number that is none" bprun --np 0 true
is "is told" "$(head -1 "$TMP/out")" "bprun: '0' is no number of processes for --np (1 to 65536)"
exits 1 "two places" bprun --all-cpus --map 1 true
is "are told" "$(cat "$TMP/out")" "bprun: --all-cpus and --map exclude each other"
exits 1 "a map with what is no node" bprun --map 0:fish true
exits 1 "local and not" bprun --all-local --no-local true
exits 1 "no place" bprun --all-local --exclude -1 true
is "is told" "$(cat "$TMP/out")" "bprun: there is no node to run on"
exits 2 "no command" bprun --np 2
exits 2 "a command that is not on the PATH" bprun nosuchcommand
is "is told" "$(cat "$TMP/out")" "bprun: nosuchcommand: command not found"
for file in /no/such /tmp /etc/hostname /etc/hostname/x; do
    exits 2 "what is no program: $file" bprun --map 0:1 "$file"
done
on n0 sh -c 'cp /bin/true /usr/bin/onlythere'
exits 0 "unless it is one somewhere" bprun --map 0:1 /usr/bin/onlythere
exits 1 "no daemon" on master env BPROC_SOCKET=/nowhere bprun true
exits 1 "a map runs nothing" bpmap true

# Maps.
is "a list" "$(bpmap --map -1:2:1:1)" "-1:2:1:1"
is "with ranges" "$(bpmap --map n[0-1]:2)" "0:1:2"
is "in any of their forms" "$(on master beomap -map 2,0)" "2:0"
is "without some" "$(bpmap --map -1:0:1:2 --exclude 0:2 --no-local)" "1"
is "--all-nodes" "$(bpmap --all-nodes)" "0:1:2"
is "--all-nodes --exclude" "$(bpmap --all-nodes --exclude n[0-1])" "2"
cpus=$(nproc --all)
is "--all-cpus" "$(bpmap --all-cpus | tr : '\n' | sort | uniq -c | awk '{ print $2 "=" $1 }')" \
    "$(printf '%s=%s\n' 0 "$cpus" 1 "$cpus" 2 "$cpus")"
is "--allcpus --all-local" "$(bpmap --allcpus --all-local | tr : '\n' | wc -l)" "$cpus"
is "--np --all-local" "$(bpmap -np 3 -all-local)" "-1:-1:-1"
is "--np takes each of equal nodes in turn" "$(idle_map --np 3 --nolocal)" "0:1:2"
# Its load is measured at another moment than theirs.
like "and the master too" ":$(bpmap --np 4):" ":-1:"
is "one process without options" "$(bpmap | tr -d 0-9-)" ""
is "--dry-run" "$(bprun --np 2 --all-local --dry-run true)" "-1:-1"

# The node that has something to do is not the next one.
here 'bpsh -n 0 sleep 300 >/dev/null 2>&1 & bpsh -n 0 sleep 300 >/dev/null 2>&1 &'
ok "two processes on n0" wait_for 20 sh -c "[ \$($lab -c $LAB exec master bpstat -p | wc -l) = 3 ]"
is "the others come first" "$(idle_map --np 2 --no-local)" "1:2"
here 'kill $(pgrep -x sleep)'
# Figures are a second old at most.
is_idle_again() {
    [[ $(bpmap --np 2 --no-local) == 0:1 ]]
}
ok "and not when it has none again" wait_for 20 is_idle_again

# What may be used.
on master bpctl -S 1 -s unavailable
is "a node that is not up is left out" "$(bpmap --all-nodes) $(idle_map --np 2 --no-local)" "0:2 0:2"
on master bpctl -S 1 -s up
on master bpctl -S 2 -m 100
is "one that the user may not use too" "$(bplab exec -u nobody master -- bpmap --all-nodes)" "0:1"
on master bpctl -S 2 -m 111

# The environment stands in for options, which come first.
is "NP" "$(here 'NP=3 ALL_LOCAL=1 bpmap')" "-1:-1:-1"
is "--np" "$(here 'NP=3 ALL_LOCAL=1 bpmap --np 2')" "-1:-1"
is "NO_LOCAL" "$(NP=3 NO_LOCAL=1 idle_map)" "0:1:2"
is "--all-local" "$(here 'NP=3 NO_LOCAL=1 bpmap --all-local')" "-1:-1:-1"
is "0 is no" "$(here 'ALL_NODES=1 ALL_CPUS=0 bpmap')" "0:1:2"
is "BEOWULF_JOB_MAP" "$(here 'BEOWULF_JOB_MAP=-1:1:1 bpmap')" "-1:1:1"
is "--map" "$(here 'BEOWULF_JOB_MAP=-1:1:1 bpmap --map 2')" "2"
is "EXCLUDE" "$(here 'EXCLUDE=1 bpmap --all-nodes; EXCLUDE=1 bpmap --all-nodes --exclude 0')" \
    $'0:2\n1:2'
exits 1 "two that exclude each other" here 'NP=2 BEOWULF_JOB_MAP=1 bpmap'
is "are told" "$(cat "$TMP/out")" "bpmap: NP and BEOWULF_JOB_MAP exclude each other"

# Processes.
is "a process for each entry" "$(bprun --map 2:-1:0 hostname | sort | tr '\n' ' ')" "master n0 n2 "
is "-p" "$(bprun -p --map 2:-1:0 hostname | sort)" $'  0: n0\n  2: n2\n -1: master'
is "who they are" "$(bprun --map 1:0:1 sh -c \
    'echo $BPROC_RANK $BPROC_NODE $BPROC_NTASKS $BPROC_NNODES $BPROC_NODELIST' | sort)" "\
0 1 3 2 n[0-1]
1 0 3 2 n[0-1]
2 1 3 2 n[0-1]"
is "options behind the command are its own" "$(bprun --map 0 echo --np 2)" "--np 2"
is "input goes to each" "$(echo hello | bprun --map 0:1 tr a-z A-Z | sort | uniq -c | xargs)" \
    "2 HELLO"
is "not with -n" "$(echo hello | bprun -n --map 0:1 wc -c | xargs)" "0 0"
exits 5 "the highest status" bprun --map 0:1:2 sh -c 'exit $(( BPROC_RANK == 1 ? 5 : 3 ))'
exits 255 "a death by signal" bprun --map 0:1 sh -c 'kill -9 $$'
exits 0 "a node that is none" bprun --map 0:7 true
like "is told" "$(cat "$TMP/out")" "^7: Invalid node number"

is "output that cannot be written" "$(here 'bprun --map 0 seq 100000 2>&1 >/dev/full; echo $?')" \
    $'bprun: cannot write stdout: No space left on device\n1'

# At once, so that all meet, or one after the other: who finds the folder there is not alone.
meet='touch /tmp/met.$BPROC_RANK; i=0
    until [ $(ls /tmp/met.* | wc -l) = 4 ]; do i=$((i + 1)); [ $i -lt 800 ] || exit; sleep 0.05; done; echo met'
alone='mkdir /run/alone 2>/dev/null || { echo crowd; exit; }; sleep 0.3; rmdir /run/alone'
is "beorun starts all at once" "$(on master beorun --np 4 --all-local sh -c "$meet")" \
    $'met\nmet\nmet\nmet'
is "mpprun one after the other" "$(on master mpprun --np 4 --all-local sh -c "$alone; echo done")" \
    $'done\ndone\ndone\ndone'
is "mpprun gives each the whole input" \
    "$(echo hello | on master mpprun -p --map 0:1:0 cat | xargs)" "0: hello 1: hello 0: hello"
done_testing
