#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A node makes its connection to the master anew, over another address, and nobody notices.
. "${0%/*}/lib.sh"
lab_up 2 --config-line "ip 0 10.77.2.1"

on master sh -c 'cat >/tmp/nodecalls; chmod 755 /tmp/nodecalls' <"$PROGS/nodecalls"
on master useradd -M alice >/dev/null 2>&1
on n0 ip addr add 10.77.2.1/16 dev eth0

# reconnect MASTER[:PORT[,LOCAL[:PORT]]]
reconnect() {
    on master bpctl -S 0 --reconnect "$1"
}

address() {
    on master bpstat -l 0 | awk 'END { print $2 }'
}

on master sh -c 'bpsh 0 sh -c "
        trap \"echo got it; exit 7\" USR1
        while :; do sleep 0.1; done" >/tmp/out; echo "exit $?" >>/tmp/out' &
job=$!
ok "a process runs there" wait_for 20 sh -c \
    "'$BPROC_BUILD/lab/bplab' -c $LAB exec master bpstat -p | grep -q 0\$"
# What it starts there has higher numbers.
pid=$(on master bpstat -p | awk 'NR == 2 { print $1 }')

is "the node is where it was configured first" "$(address)" 10.77.1.1
ok "it reconnects from another address" reconnect 10.77.0.1,10.77.2.1
is "there it is reached from then on" "$(address)" 10.77.2.1
is "its state is what it was" "$(on master bpstat -s 0)" up
is "its processes are there" "$(on master bpstat -p | awk 'NR == 2 { print $1 }')" "$pid"
is "new ones come" "$(on master bpsh 0 hostname)" n0
like "the log says so" "$(bplab logs master)" "node 0: connected anew from 10.77.2.1"
ok "to the same address and port, from a port" reconnect 10.77.0.1:2223,10.77.1.1:4711
like "which it has" "$(on n0 ss -tn)" "10.77.1.1:4711 +10.77.0.1:2223"
ok "and back" reconnect 10.77.0.1

exits 1 "a port where nobody listens" reconnect 10.77.0.1:9
is "is refused" "$(cat "$TMP/out")" "0: Connection refused"
exits 1 "an address that it has not got" reconnect 10.77.0.1,10.77.2.9
is "is refused" "$(cat "$TMP/out")" "0: Cannot assign requested address"
on n0 ip addr add 10.77.3.1/16 dev eth0
exits 1 "one that the configuration does not give it" reconnect 10.77.0.1,10.77.3.1
is "is refused" "$(cat "$TMP/out")" "0: Operation not permitted"
exits 1 "what is no address" reconnect master
is "is told" "$(cat "$TMP/out")" "bpctl: 'master' is no address; 10.0.0.1, 10.0.0.1:2223 are"
exits 1 "nor a port" reconnect 10.77.0.1:x
exits 1 "a node that is none" on master bpctl -S 5 --reconnect 10.77.0.1
exits 1 "the master" on master bpctl -M --reconnect 10.77.0.1
is "only root may" \
    "$(bplab exec -u alice master -- /tmp/nodecalls reconnect 10.77.0.1)" "-1 EPERM"
is "after all this it is connected" "$(on master bpsh 0 hostname) $(address)" "n0 10.77.1.1"

# Much goes over the link meanwhile, and none of it is lost or overtaken.
on master sh -c '
    for i in $(seq 40); do
        sh -c "bpsh 0 sh -c \"exit $i\"; echo \$?" >>/tmp/statuses &
        [ $((i % 8)) != 0 ] || wait
    done
    wait' &
load=$!
for (( i = 0; i < 10; i++ )); do
    reconnect 10.77.0.1,10.77.$(( 1 + i % 2 )).1 || break
done
is "ten times in a row" "$i" 10
ok "other work goes on" wait "$load"
is "every exit status arrives" "$(on master sort -n /tmp/statuses | md5sum)" "$(seq 40 | md5sum)"

# What was asked over the old connection is answered over the new one.
on n1 sh -c 'kill -STOP $(pgrep -x slaved)'
bplab exec n0 -- timeout 60 bptop -b -n 1 >"$TMP/top" 2>&1 &
top=$!
wait_for 20 on n0 sh -c 'for i in 1 2 3; do ps -o stat= -C bptop | grep -q ^S || exit; done'
ok "it reconnects while a call waits for another node" reconnect 10.77.0.1
ok "the call is answered" wait "$top"
on n1 sh -c 'kill -CONT $(pgrep -x slaved)'

on master kill -USR1 "$pid"
ok "the first process ends when it is told" wait "$job"
is "as it should" "$(on master cat /tmp/out)" $'got it\nexit 7'
done_testing
