#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Nodes: what the calls tell about them, their states, who may use them.
. "${0%/*}/lib.sh"
lab_up 3

on master sh -c \
    'useradd -M alice; useradd -M bob; groupadd crew; usermod -aG crew bob; useradd -M carol' \
    >/dev/null 2>&1
alice=$(on master id -u alice)
crew=$(on master sh -c 'getent group crew' | cut -d: -f3)
for node in master n0 n1; do
    on "$node" sh -c 'cat >/tmp/nodecalls; chmod 755 /tmp/nodecalls' <"$PROGS/nodecalls"
done

call() {
    on master /tmp/nodecalls "$@"
}

# as USER CALL...
as() {
    bplab exec -u "$1" master -- timeout "$ON_TIMEOUT" /tmp/nodecalls "${@:2}"
}

# becomes NODE STATE [SECONDS]: within that time the node is in the state.
becomes() {
    local end=$(( SECONDS + ${3:-20} ))
    until [[ $(on master bpstat -s "$1") == "$2" ]]; do
        (( SECONDS < end )) || return 1
        sleep 0.05
    done
}

logged() {
    local end=$(( SECONDS + 20 ))
    until bplab logs master | grep -qE "$1"; do
        (( SECONDS < end )) || return 1
        sleep 0.05
    done
}

# What the calls tell on the master.
is "numnodes" "$(call numnodes)" 3
is "currnode" "$(call currnode)" -1
is "nodestatus" "$(call status 0)" 3
is "nodestatus of the master" "$(call status -1)" 3
is "nodestatus of oneself" "$(call status -2)" 3
is "nodestatus of node 99" "$(call status 99)" "-1 EINVAL"
is "nodestatus of node -100" "$(call status -100)" "-1 EINVAL"
is "nodeinfo" "$(call info 1)" "1 up 0111 0 0 10.77.1.2"
is "nodeinfo of the master" "$(call info -1)" "-1 up 0111 0 0 10.77.0.1"
is "nodeinfo of node 3" "$(call info 3)" "-1 EINVAL"
is "nodelist" "$(call list)" "3
0 up 0111 0 0 10.77.1.1
1 up 0111 0 0 10.77.1.2
2 up 0111 0 0 10.77.1.3"
is "nodeaddr" "$(call nodeaddr 2)" "10.77.1.3:0 16"
is "nodeaddr of the master" "$(call nodeaddr -1)" "10.77.0.1:2223 16"
is "nodeaddr of node 3" "$(call nodeaddr 3)" "-1 EINVAL"
is "masteraddr" "$(call masteraddr)" "10.77.0.1:2223 16"
is "nodenumber" "$(call number 10.77.1.2)" 1
is "nodenumber of the master" "$(call number 10.77.0.1)" -1
is "nodenumber of a stranger" "$(call number 192.0.2.1)" NONE
is "getnodebyname: 2, n2, .2" "$(call byname 2) $(call byname n2) $(call byname .2)" "2 2 2"
is "getnodebyname: master, -1, self" "$(call byname master) $(call byname -1) $(call byname self)" \
    "-1 -1 -1"
is "getnodebyname: no node" \
    "$(call byname 3) $(call byname n2x) $(call byname localhost) $(call byname '')" \
    "NONE NONE NONE NONE"
is "access" "$(call access 0 1) $(call access 0 0) $(call access -1 1)" "0 0 0"
is "access to node 3" "$(call access 3 1)" "-1 EINVAL"
is "access of another kind" "$(call access 0 4)" "-1 EINVAL"
is "version" "$(call version)" "BPr $(on master masterd --version | cut -d ' ' -f 3)"
is "strerror" "$(for i in 300 301 302 303 304 -301 2; do call strerror $i; done)" \
    "Invalid node number
Node is down
Move to same node
Slave node died
Invalid process ID
Node is down
No such file or directory"
is "pidnode of a local process" "$(call pidnode 1)" NONE
is "proclist of nothing" "$(call proclist -4)" 0
"$BPROC_BUILD/lab/bplab" -c "$LAB" exec master -- bpsh 1 sleep 30 >/dev/null 2>&1 </dev/null &
sleeper=$!
wait_for 20 sh -c "[ \$($BPROC_BUILD/lab/bplab -c $LAB exec master -- bpstat -p | wc -l) = 2 ]"
pid=$(on master bpstat -p | sed -n 's/\t1$//p')
is "pidnode of a remote one" "$(call pidnode "$pid")" 1
is "proclist of all" "$(call proclist -4)" $'1\n'"$pid 1"
is "proclist of its node" "$(call proclist 1)" $'1\n'"$pid 1"
is "proclist of another" "$(call proclist 0)" 0
is "proclist of node 3" "$(call proclist 3)" "-1 EINVAL"

# The same on a node.
is "currnode on a node" "$(on n1 /tmp/nodecalls currnode)" 1
is "and of a process that was sent there" "$(on master bpsh 1 /tmp/nodecalls currnode)" 1
is "numnodes on a node" "$(on n1 /tmp/nodecalls numnodes)" 3
is "nodelist on a node" "$(on n1 /tmp/nodecalls list)" "$(call list)"
is "nodestatus of oneself on a node" "$(on n1 /tmp/nodecalls status -2)" 3
is "nodestatus of node 99 on a node" "$(on n1 /tmp/nodecalls status 99)" "-1 EINVAL"
is "masteraddr on a node" "$(on n1 /tmp/nodecalls masteraddr)" "10.77.0.1:2223 16"
is "getnodebyname: self, on a node" "$(on n1 /tmp/nodecalls byname self)" 1
is "access on a node" "$(on n1 /tmp/nodecalls access 0 1)" 0
is "pidnode on a node" "$(on n1 /tmp/nodecalls pidnode "$pid")" 1
is "proclist on a node" "$(on n1 /tmp/nodecalls proclist 1)" $'1\n'"$pid 1"
is "administration is for the master" "$(on n1 /tmp/nodecalls chmod 0 0100)" "-1 EOPNOTSUPP"
is "rfork to oneself" "$(on n1 /tmp/nodecalls rfork 1)" "exited 7"
is "rfork to another" "$(on n1 /tmp/nodecalls rfork 0)" "-1 EOPNOTSUPP"
kill "$sleeper"
wait "$sleeper"

# No daemon.
for words in numnodes "status 0" "info 0" list "nodeaddr 0" masteraddr "access 0 1" version \
        "proclist -4" "chmod 0 0" "chown 0 0" "chgrp 0 0" "setnodestatus 0 3" \
        "notifier 1" "rfork 0"; do
    # shellcheck disable=SC2086
    is "${words%% *} without a daemon" \
        "$(on master env BPROC_SOCKET=/nowhere /tmp/nodecalls $words)" "-1 EBUSY"
done
for words in currnode "pidnode 1" "number 10.0.0.1" "byname 0"; do
    # shellcheck disable=SC2086
    is "${words%% *} without a daemon" \
        "$(on master env BPROC_SOCKET=/nowhere /tmp/nodecalls $words)" "NONE EBUSY"
done

# node_up.
on master sh -c 'cat >/etc/bproc/node_up; chmod 755 /etc/bproc/node_up' <<'END'
#!/bin/sh
echo "setting up node $1"; echo "complaint" >&2
[ -t 0 ] || cat
touch /run/node_up.$1
for i in $(seq 2000); do test -e /run/go.$1 && break; sleep 0.05; done
exit $(cat /run/go.$1)
END
ok "slaved is started anew" bplab daemon --no-wait n0 restart
ok "while node_up runs the node is in boot" becomes 0 boot
wait_for 20 on master test -e /run/node_up.0
is "for its owner alone, which is root" "$(call info 0)" "0 boot 0100 0 0 10.77.1.1"
is "root may use it" "$(call rfork 0)" "exited 7"
is "nobody else may" "$(as alice rfork 0)" "-1 EPERM"
is "boot cannot be set by hand" "$(call setnodestatus 1 7)" "-1 EINVAL"
on master sh -c 'echo 0 >/run/go.0'
ok "when it has succeeded the node is up" becomes 0 up
is "for all" "$(call info 0)" "0 up 0111 0 0 10.77.1.1"
is "its output is in the node's log" "$(on master cat /var/log/bproc/node.0)" \
    $'setting up node 0\ncomplaint'
on master sh -c 'echo 3 >/run/go.1; echo 0 >/run/go.2'
bplab daemon --no-wait n1 restart
ok "when it has failed the node is in error" becomes 1 error
ok "which the log says with the status" logged "node 1: boot -> error \(node_up exited with 3\)"
is "the node is for its owner" "$(call info 1)" "1 error 0100 0 0 10.77.1.2"
is "bpsh -a leaves it out" "$(on master bpsh -a hostname | sort)" $'n0\nn2'
is "root may use it to put it right" "$(call rfork 1)" "exited 7"
is "others may not" "$(as alice rfork 1)" "-1 EPERM"
on master chmod 644 /etc/bproc/node_up
bplab daemon --no-wait n1 restart
ok "node_up that cannot be executed is an error too" logged \
    "node 1: boot -> error \(node_up exited with 255\)"
on master sh -c 'chmod 755 /etc/bproc/node_up; rm /run/go.* /run/node_up.*'
bplab daemon --no-wait n1 restart
ok "a node that goes while node_up runs" becomes 1 boot
wait_for 20 on master test -e /run/node_up.1
bplab daemon n1 stop
ok "is down" becomes 1 down
ok "and the script has ended" wait_for 5 on master sh -c '! pgrep -f "[n]ode_up 1"'
on master rm /etc/bproc/node_up
bplab daemon n1 start

# States set by hand.
ok "the nodes are up" becomes 1 up
is "root sets a state" "$(call setnodestatus 0 1)" 0
is "which the node then has" "$(on master bpstat -s 0)" unavailable
is "under the other name of the call as well" "$(call nodesetstatus 0 3) $(call status 0)" "0 3"
is "an unavailable node" "$(call setnodestatus 0 1)" 0
is "is for root" "$(call rfork 0)" "exited 7"
is "not for others" "$(as alice rfork 0)" "-1 EPERM"
for state in error up; do
    ok "$state is set" on master bpctl -S 0 -s $state
    is "and shown" "$(on master bpstat -s 0)" "$state"
done
is "no state" "$(call setnodestatus 0 8) $(call setnodestatus 0 -1)" "-1 EINVAL -1 EINVAL"
is "no node" "$(call setnodestatus 3 3)" "-1 EINVAL"
is "only root may" "$(as alice setnodestatus 0 1)" "-1 EPERM"
ok "down" on master bpctl -S 2 -s down
ok "disconnects the node" logged "node 2: up -> down \(set down by the administrator"
ok "is not let in again" wait_for 20 sh -c \
    "'$BPROC_BUILD/lab/bplab' -c $LAB logs n2 | grep -q 'node 2 was set down'"
is "and stays down" "$(on master bpstat -s 2)" down
is "up cannot be set for one that is not there" "$(call setnodestatus 2 1)" "-1 EINVAL"
is "but ends this" "$(call setnodestatus 2 3)" 0
ok "then it comes back" becomes 2 up
on master bpctl -S 2 -s down
bplab daemon n2 restart
ok "and so it does when its slave daemon is started anew" becomes 2 up

# Permissions.
is "mode" "$(call chmod 0 0110)" 0
is "owner" "$(call chown 0 "$alice")" 0
is "group" "$(call chgrp 0 "$crew")" 0
is "are shown" "$(call info 0)" "0 up 0110 $alice $crew 10.77.1.1"
is "the owner may go there" "$(as alice rfork 0)" "exited 7"
is "a member of the group may" "$(as bob rfork 0)" "exited 7"
is "another may not" "$(as carol rfork 0)" "-1 EPERM"
is "root may" "$(call rfork 0)" "exited 7"
is "access tells beforehand" "$(as alice access 0 1) $(as bob access 0 1) $(as carol access 0 1)" \
    "0 0 -1 EPERM"
is "and on a node" \
    "$(on n1 sh -c "useradd -u $alice alice; useradd -u $((alice + 500)) other" >/dev/null 2>&1
    bplab exec -u alice n1 /tmp/nodecalls access 0 1
    bplab exec -u other n1 /tmp/nodecalls access 0 1)" \
    $'0\n-1 EPERM'
is "the owner changes the mode" "$(as alice chmod 0 0001)" 0
is "and then is kept out himself" "$(as alice rfork 0)" "-1 EPERM"
is "while others are not" "$(as carol rfork 0)" "exited 7"
is "the group is not, either" "$(as bob rfork 0)" "-1 EPERM"
is "the owner cannot give it away" "$(as alice chown 0 0)" "-1 EPERM"
is "nor to a group he is not in" "$(as alice chgrp 0 0)" "-1 EPERM"
is "but to one he is in" "$(as alice chgrp 0 "$(on master id -g alice)")" 0
is "another changes nothing" \
    "$(as carol chmod 0 0111) $(as carol chgrp 0 "$(on master id -g carol)")" \
    "-1 EPERM -1 EPERM"
is "only x bits exist" "$(call chmod 0 0755) $(call chmod 0 -1)" "-1 EINVAL -1 EINVAL"
is "no negative owner, no negative group" "$(call chown 0 -1) $(call chgrp 0 -1)" \
    "-1 EINVAL -1 EINVAL"
is "of no node" "$(call chmod 3 0111) $(call chown 3 0) $(call chgrp 3 0)" \
    "-1 EINVAL -1 EINVAL -1 EINVAL"
bplab daemon n0 stop
ok "a node that stops is down" becomes 0 down
is "and belongs to root" "$(call list | sed -n 2p)" "0 down 0000 0 0 10.77.1.1"
is "nobody changes that" "$(call chmod 0 0111) $(call setnodestatus 0 3)" "-1 EINVAL -1 EINVAL"
is "nodeinfo of a down node" "$(call info 0)" "-1 EINVAL"
is "nodestatus of a down node" "$(call status 0)" 0
is "rfork to a down node" "$(call rfork 0)" "-1 BE_NODEDOWN"
is "rfork to node 3" "$(call rfork 3)" "-1 BE_INVALIDNODE"
is "rfork to node -100" "$(call rfork -100)" "-1 BE_INVALIDNODE"
bplab daemon n0 start
ok "when it is back" becomes 0 up
is "it has the permissions that were set" "$(call info 0)" \
    "0 up 0001 $alice $(on master id -g alice) 10.77.1.1"
ok "a state is set" on master bpctl -S 1 -s unavailable
bplab daemon master restart
ok "when masterd is back the node has that state" becomes 1 unavailable
ok "and the other ones" eval 'becomes 0 up && becomes 2 up'
is "its permissions" "$(call info 0)" "0 up 0001 $alice $(on master id -g alice) 10.77.1.1"

# The notifier.
on master sh -c '/tmp/nodecalls notifier 20 >/run/notifier &'
wait_for 20 on master grep -q ready /run/notifier
is "the notifier is silent" "$(on master cat /run/notifier)" ready
on master bpctl -S 1 -s up
ok "until a state changes" wait_for 20 on master grep -q changed /run/notifier
count=$(on master grep -c changed /run/notifier)
on master bpctl -S 0 -m 111
ok "or permissions do" wait_for 20 on master sh -c "[ \$(grep -c changed /run/notifier) -gt $count ]"
count=$(on master grep -c changed /run/notifier)
on master sh -c 'kill -HUP $(cat /run/bproc/masterd.pid)'
ok "or the configuration" wait_for 20 on master sh -c \
    "[ \$(grep -c changed /run/notifier) -gt $count ]"
bplab daemon master stop
ok "its end is that of the daemon" wait_for 20 on master grep -q gone /run/notifier
is "then there is none" "$(call notifier 1)" "-1 EBUSY"
done_testing
