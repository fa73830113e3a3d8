#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Garbage, oversized messages, lies and connections that do nothing, on every socket of the daemons:
# they live, say little, and everybody else's processes and calls go on.

. "${0%/*}/lib.sh"
. "${0%/*}/steady.sh"
need_tool socat

HOSTILE=$PROGS/hostile
MASTER=10.77.0.1 N0=10.77.1.1
TLS=/var/lib/bproc/tls

# A child of theirs has its parent's name at first.
daemon_pids() {
    local node
    for node in master n0 n1; do
        on $node ps -eo pid=,ppid=,comm= | awk '
            $3 ~ /^(masterd|slaved|bproc-(mover|space|receiver))$/ { name[$1] = $3; parent[$1] = $2 }
            END { for (pid in name) if (name[parent[pid]] != name[pid]) print pid }' | sort -n
    done
}

# In KiB.
masterd_memory() {
    on master sh -c 'grep ^RssAnon: /proc/$(pgrep -x masterd)/status' | awk '{ print $2 }'
}

log_size() {
    bplab logs master | wc -l
}

survived() {
    is "$1: all daemons live" "$(daemon_pids)" "$pids"
    goes_on "$1: a process goes on" "${child[0]}"
    ok "$1: commands run" on master bpsh 0,1 true
}

# attack NAME CMD...: one run of the program, which is to end by itself.
attack() {
    local name=$1 lines
    shift
    lines=$(log_size)
    ok "$name" "$@"
    survived "$name"
    between "$name: not much is logged" $(( $(log_size) - lines )) 0 120
}

on_as() {
    local user=$1 node=$2
    shift 2
    bplab exec -u "$user" "$node" -- timeout -k 5 "$ON_TIMEOUT" "$@"
}

# stall_start USER NODE COUNT [ADDR PORT]
stall_start() {
    local user=$1 node=$2
    shift 2
    rm -f "$TMP/hold"
    mkfifo "$TMP/hold"
    bplab exec -u "$user" "$node" -- timeout -k 5 100 "$HOSTILE" stall "$@" \
        <"$TMP/hold" >"$TMP/held" 2>&1 &
    stall=$!
    exec 8>"$TMP/hold"
    wait_for 20 grep -q held "$TMP/held" || diag "no connections: $(< "$TMP/held")"
}

stall_end() {
    exec 8>&-
    wait $stall
}

lab_up 3
steady_start 0 1
pids=$(daemon_pids)
on master bpsh 0,1,2 true
memory=$(masterd_memory)

attack "garbage on masterd's local socket" on_as nobody master "$HOSTILE" local
attack "the same from root" on master "$HOSTILE" local
attack "garbage on a slave's local socket" on_as nobody n0 "$HOSTILE" local
attack "no TLS at all on masterd's port" on n2 "$HOSTILE" raw $MASTER 2223
attack "no TLS at all on a data port" on n2 "$HOSTILE" raw $N0 2224
attack "garbage over TLS without a certificate" on n2 "$HOSTILE" tls $MASTER 2223 -
attack "garbage over TLS on a data port without a certificate" on n2 "$HOSTILE" tls $N0 2224 -
attack "the same with another node's certificate" on n2 "$HOSTILE" tls $N0 2224 $TLS
attack "the same with the master's certificate" on master "$HOSTILE" tls $N0 2224 $TLS

# A header alone tells of it.
on master sh -c 'printf "\200\0\0\030\0\0\0\143\0\0\0\001\0\0\0\001\0\0\0\001\0\0\0\0\0\0\0\0" >/tmp/header'
on master socat UNIX-LISTEN:/tmp/other,fork SYSTEM:'head -c 28 >/dev/null; cat /tmp/header' &
other=$!
ok "a daemon of another version listens" wait_for 20 on master test -S /tmp/other
is "and is known by that" "$(on master env BPROC_SOCKET=/tmp/other bpstat 2>&1)" \
    "bpstat: cannot list the nodes: Protocol not supported"
is "also when a command is to be started" "$(on master env BPROC_SOCKET=/tmp/other bpsh 0 true 2>&1)" \
    "0: Protocol not supported"
on master pkill socat
wait $other

bplab daemon n2 stop
attack "garbage over TLS with a node's certificate" on n2 "$HOSTILE" tls $MASTER 2223 $TLS
attack "a node that lies" on n2 "$HOSTILE" member $MASTER $TLS
bplab daemon n2 start
forks_work "after all that" 0 1 2
# shellcheck disable=SC2016
ok "masterd lists the two processes there are" wait_for 20 eval \
    '[[ $(on master bpstat -p | tail -n +2 | wc -l) == 2 ]]'
between "masterd's memory has not grown much, in KiB" $(( $(masterd_memory) - memory )) -100000 8192

stall_start nobody master 700
ok "a user with too many connections keeps nobody else out" on master bpsh 0 true
ok "no user either" on_as daemon master bpsh 0 true
stall_end
stall_start nobody n0 1200
is "nor on a node" "$(on n0 "$PROGS/nodecalls" currnode)" 0
is "no user either" "$(on_as daemon n0 "$PROGS/nodecalls" numnodes)" 3
stall_end
stall_start root n2 100 $MASTER 2223
ok "connections that say nothing keep no node out" bplab daemon n1 restart
ok "and no command" on master bpsh 0 true
stall_end
stall_start root n2 800 $N0 2224
ok "connections that say nothing to a data port keep no command out" on master bpsh 0 true
is "and no fork" "$(on master "$PROGS/onecall" rfork 0)" "exited 7"
# And the process's above; what has carried a command waits a moment for the master's last word.
ok "and make no more than some processes" wait_for 20 eval \
    '[ "$(on n0 pgrep -c bproc-arrival)" -le 257 ]'
stall_end

on master kill -s USR2 "${child[0]}"
says "a process that has seen it all ends as it should" 5 "${child[0]} exited 5"

done_testing
