#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bptop: what nodes and processes use, as text, as JSON and on a terminal; bproc_usage().
. "${0%/*}/lib.sh"
need_tool script jq
lab_up 3

lab=$BPROC_BUILD/lab/bplab

bptop() {
    on master bptop "$@"
}

# usage_of NODE: what the call tells on the master.
usage_of() {
    on master "$PROGS/usage" "$1"
}

# listed FILTER: so many processes, counted by jq's filter.
listed() {
    bptop --json -n 1 | jq "[.processes[] | select($1)] | length"
}

is_listed() {
    [[ $(listed "$1") != 0 ]]
}

# Options.
ok "--help" bptop --help
like "prints the usage" "$(bptop -h)" "^usage: bptop "
like "--version" "$(bptop -V)" "^bptop \(bproc\) [0-9]"
exits 1 "an option that is none" bptop -Z
exits 1 "an argument" bptop -b 0
is "is told" "$(cat "$TMP/out")" "bptop: unexpected argument '0'"
exits 1 "a delay that is none" bptop -b -d 0
is "is told" "$(cat "$TMP/out")" "bptop: '0' is no delay: 0.1 to 86400 seconds"
exits 1 "a field that is none" bptop -b -o fish
is "is told" "$(cat "$TMP/out")" \
    "bptop: 'fish' is no field to sort by: cpu, mem, time, pid, node, user, command"
exits 1 "no number of looks" bptop -b -n 0
exits 1 "what is no node" bptop -b -n 1 -w fish
is "is told" "$(cat "$TMP/out")" "bptop: 'fish' is no node"
exits 1 "a node that is not there" bptop -b -n 1 -w 0,99
is "is told" "$(cat "$TMP/out")" "bptop: 99: Invalid node number"
exits 1 "no such user" bptop -b -n 1 -u fish
is "is told" "$(cat "$TMP/out")" "bptop: there is no user fish"
ok "a number that no user has" bptop -b -n 1 -u 4711
is "nodes fit into 80 columns" "$(bptop -b -n 1 | awk '/^$/ { exit } 0; NR > 1 && length > 80' |
    wc -l) $(bptop -b -n 1 | awk '/^NODE/ { print length }')" "0 80"
exits 1 "no terminal" bptop
is "is told" "$(cat "$TMP/out")" "bptop: this is no terminal: -b prints text"
exits 1 "no daemon" on master env BPROC_SOCKET=/nowhere bptop -b -n 1
is "is told" "$(cat "$TMP/out")" "bptop: cannot look at the nodes: BProc is not running here"
exits 1 "a full disk" on master sh -c 'bptop -b -n 1 >/dev/full'

# The call.
is "bproc_usage() of the master" "$(usage_of -1)" "node -1 processes 0 listed 0"
is "of a node without processes" "$(usage_of 2)" "node 2 processes 0 listed 0"
is "of all" "$(usage_of -4 | cut -d ' ' -f 2 | tr '\n' ' ')" "-1 0 1 2 "
is "of a node that is none" "$(usage_of 3) $(usage_of 99)" "-1 EINVAL -1 EINVAL"
is "of what stands for no node" "$(usage_of -3)" "-1 EINVAL"
is "without a daemon" "$(on master env BPROC_SOCKET=/nowhere "$PROGS/usage" 0)" "-1 EBUSY"
is "on a node, of itself" "$(on n1 "$PROGS/usage" -2)" "node 1 processes 0 listed 0"
is "on a node, of another" "$(on n1 "$PROGS/usage" 2)" "node 2 processes 0 listed 0"

# Processes, and what they have started there.
on master sh -c 'useradd -M alice'
"$lab" -c "$LAB" exec master -- bpsh -N 0 nice -n 7 sh -c 'sleep 600 & sleep 601; :' &
first=$!
"$lab" -c "$LAB" exec -u alice master -- bpsh -N 1 timeout 300 sh -c 'while :; do :; done' 2>/dev/null &
second=$!
for command in "sleep 600" "sleep 601"; do
    ok "processes come in sight" wait_for 20 is_listed ".command == \"$command\" and .node == 0"
done
ok "a user's, too" wait_for 20 is_listed '.user == "alice" and .node == 1'
is "with children, and no helpers of ours" \
    "$(bptop -b -p -n 1 -w n0 -o command | awk '$1 ~ /^[0-9]+$/ { print $4, $10, $11 }')" \
    $'7 sh -c\n7 sleep 600\n7 sleep 601' ||
    diag "$(bptop -b -n 1)"
pid=$(on master bpstat -p 1 | sed -n 2p | cut -f 1)
is "under the number that the master knows" \
    "$(bptop --json -n 1 | jq -r ".processes[] | select(.pid == $pid) | .node, .user" | xargs)" \
    "1 alice"
usage_of 0 >"$TMP/usage"
is "the call tells the same" "$(grep -c ' nice 7 threads 1: sleep 60[01]$' "$TMP/usage")" 2
is "-u" "$(bptop -b -p -n 1 -u alice | awk '$1 ~ /^[0-9]+$/ { print $3 }' | sort -u)" alice
is "-w" "$(bptop -b -p -n 1 -w 'n[1-2]' | awk '$1 ~ /^[0-9]+$/ { print $2 }' | sort -u)" n1
like "and the first line counts those alone" "$(bptop -b -p -n 1 -w 'n[1-2]')" \
    "^[0-9:]+, 2 of 2 nodes up, [12] processes, "
like "with -u that user's" "$(bptop -b -p -n 1 -u alice -w 'n0')" ", 1 of 1 nodes up, 0 processes, "
sleep_until_busy() {
    (( $(bptop --json -n 2 -d 1 | tail -n 1 |
        jq '[.processes[] | select(.user == "alice") | .cpu_percent] | max | floor') > 10 ))
}
ok "a loop is busy" wait_for 20 sleep_until_busy
is "and comes first" "$(bptop -b -p -n 1 | awk '$1 ~ /^[0-9]+$/ { print $3; exit }')" alice
is "-r puts it last" "$(bptop -b -p -n 1 -r | awk '$1 ~ /^[0-9]+$/ { user = $3 } END { print user }')" \
    alice
bptop -b -n 2 -d 0.5 >"$TMP/batch"
is "-n counts the looks" "$(grep -c ', 3 of 3 nodes up, ' "$TMP/batch")" 2
is "nodes have a line each" "$(awk '/^NODE/ { on = 1 } on && $2 == "up" { print $1 }' "$TMP/batch" |
    head -n 4 | xargs)" "master n0 n1 n2"
is "JSON names the nodes twice" "$(bptop --json -n 1 -w n0,n2 | jq -c '.version, .nodes, .nodeset')" \
    $'1\n[0,2]\n"n[0,2]"'
is "on a node, of one that is none" "$(on n1 "$PROGS/usage" 99)" "-1 EINVAL"
like "on a node bptop tells the same" "$(on n2 bptop -b -n 1)" " n0 +root +7 S "
bplab daemon n2 stop
is "a node that is down has told nothing" \
    "$(bptop -b -n 1 | awk '$1 == "n2" { print $2, $3, $11 }')" "down - -"

# On a terminal. What is typed goes through a pipe; what is shown stays in a file.
mkfifo "$TMP/keys"
exec 3<>"$TMP/keys"
export LAB lab TERM=xterm TTY_FILE=$TMP/tty
script -qec 'stty rows 30 cols 100; tty >$TTY_FILE; before=$(stty -g)
    $lab -c $LAB exec -t master -- bptop -d 0.5; echo status $?
    [ "$(stty -g)" = "$before" ] && echo same terminal' /dev/null \
    <"$TMP/keys" >"$TMP/screen" 2>&1 &
terminal=$!

# shows TEXT: the screen has shown it since shown was set.
shown=0
shows() {
    tail -c +$(( shown + 1 )) "$TMP/screen" | grep -qE -e "$1"
}

# keys TEXT: typed, then ^L, as only what differs is drawn otherwise. What is looked for from then on
# has to come after it.
keys() {
    shown=$(stat -c %s "$TMP/screen")
    printf '%b\f' "$1" >&3
}

ok "a terminal shows nodes" wait_for 20 shows 'NODE   STATE'
ok "and processes" wait_for 20 shows 'PID NODE   USER'
ok "in colours" shows $'\e\\[32m'
keys h
ok "h shows the keys" wait_for 20 shows 'look again now'
keys h
keys 'wn1\n'
ok "w chooses nodes" wait_for 20 shows 'nodes n1; every'
keys 'wfish\n'
ok "or says what is wrong" wait_for 20 shows "'fish' is no node"
keys 'ufish\n'
ok "a user must be one" wait_for 20 shows 'there is no user fish'
keys 'ualice\n'
ok "u chooses a user" wait_for 20 shows 'user alice'
keys N
ok "letters sort" wait_for 20 shows 'pid; '
keys '\e[H'
keys k
ok "k asks for a signal" wait_for 20 shows "signal for process $pid on node 1"
keys 'nonsense\n'
ok "that must be one" wait_for 20 shows "'nonsense' is no signal"
keys 'kTERM\n'
ok "and for a confirmation" wait_for 20 shows "send signal 15 to process $pid on node 1"
keys 'n\n'
is "without which nothing is sent" "$(on master bpstat -p 1 | sed -n 2p)" "$pid"$'\t1'
keys 'kkill\ny\n'
ok "with it the signal goes" wait_for 20 shows "sent SIGKILL to process $pid on node 1"
wait "$second" 2>/dev/null
# The ghost's end is not that of its process, which the master hears of a little later.
is_gone() {
    ! on master bpstat -p 1 | grep -qw "^$pid"
}
ok "and the process is gone" wait_for 20 is_gone
"$lab" -c "$LAB" exec -u alice master -- bpsh -N 1 sleep 602 2>/dev/null &
second=$!
ok "another process" wait_for 20 shows "sleep 602"
pid=$(on master bpstat -p 1 | sed -n 2p | cut -f 1)
keys 'k\n'
ok "is asked for" wait_for 20 shows "send signal 15 to process $pid on node 1"
on master kill -9 "$pid"
wait "$second" 2>/dev/null
wait_for 20 is_gone
first_there() {
    on master bpstat -p 1 | sed -n 2p | cut -f 1
}
# Has the next process that goes to the node take the number, unless somebody forks at that moment.
number_taken() {
    on master sh -c "echo $((pid - 2)) >/proc/sys/kernel/ns_last_pid
        bpsh -N 1 sleep 603 >/dev/null 2>&1 & :"
    wait_for 20 eval '[[ $(first_there) ]]'
    [[ $(first_there) == "$pid" ]] && return
    on master pkill -x -f 'sleep 603'
    wait_for 20 eval '[[ ! $(first_there) ]]'
    return 1
}
if number_taken || number_taken || number_taken || number_taken; then
    keys 'y\n'
    ok "its number is another's now, which it does not hit" wait_for 20 \
        shows "cannot signal process $pid on node 1: the master does not know it"
    ok "and which runs on" wait_for 20 on n1 pkill -x -f 'sleep 603'
else
    keys 'n\n'
    skip "its number is another's now" "the number went to somebody else"
fi
keys 'u\n'
ok "an empty answer shows all users" wait_for 20 shows 'nodes n1; every'
# size ROWS COLUMNS: the window becomes.
size() {
    stty rows "$1" cols "$2" <"$(cat "$TMP/tty")"
}
for rows in 1 2 5 60; do
    size $rows $(( rows * 4 ))
    keys hh
done
keys ''
ok "a large window is filled" wait_for 20 shows $'\e\\[60(;1H|d)'
size 7 30
keys ''
ok "a small one has what fits" wait_for 20 shows $'\e\\[7(;1H|d).*by pid'
keys q
ok "q ends it" wait_for 20 shows 'status 0'
ok "with the terminal as before" wait_for 20 shows 'same terminal'
wait "$terminal"
exec 3>&-
is "BPROC_COLOR, NO_COLOR" \
    "$(on master env NO_COLOR=1 bptop -b -n 1 | grep -c $'\e') $(on master env NO_COLOR=1 \
        bptop --color always -b -n 1 | grep -c $'\e')" "0 2"

# A signal gives the terminal back as well.
script -qec '$lab -c $LAB exec master -- sh -c "before=\$(stty -g); timeout -s TERM 1 bptop
    echo status \$?; [ \"\$(stty -g)\" = \"\$before\" ] && echo same terminal"' /dev/null \
    </dev/null >"$TMP/screen" 2>&1
like "a signal ends it and leaves the terminal as before" "$(cat "$TMP/screen")" "same terminal"

# Names that are made to be misread.
on n0 sh -c 'cp /usr/bin/bash "/tmp/x) Z 1 ("'
"$lab" -c "$LAB" exec master -- bpsh -N 0 "/tmp/x) Z 1 (" -c 'sleep 777; :' $'7\e[31m7' &
third=$!
is_named() {
    is_listed '.command | startswith("/tmp/x) Z 1 (")'
}
ok "a name with a bracket" wait_for 20 is_named
like "is read as one, and shown without control characters" \
    "$(bptop -b -p -n 1 | grep -F '/tmp/x')" ' [RSD] .* /tmp/x\) Z 1 \( -c sleep 777; : 7\?\[31m7$'

# A node that does not answer keeps the others waiting for two seconds, and no longer.
on n0 sh -c 'kill -STOP $(pidof bproc-usage)'
is_silent() {
    [[ -z $(usage_of 0) ]]
}
bptop -b -n 1 >/dev/null
SECONDS=0
is "a node that does not answer does not hold up the others" "$(usage_of 1 | head -n 1 | cut -c 1-6)" \
    "node 1"
between "in time" "$SECONDS" 0 5
ok "its last word is forgotten" wait_for 20 is_silent
on n0 sh -c 'kill -CONT $(pidof bproc-usage)'
is_back() {
    [[ -n $(usage_of 0) ]]
}
ok "when it answers again it is back" wait_for 20 is_back

# A helper that was killed is there again when it is needed.
on n0 sh -c 'kill -9 $(pidof bproc-usage)'
ok "the node's helper comes back" wait_for 20 is_listed '.command == "sleep 601"'
kill "$first" "$third"
wait "$first" "$third" 2>/dev/null
done_testing
