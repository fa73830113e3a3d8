#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many nodes: two hundred simulated ones join at once, some are lost, some hang, all come back.
. "${0%/*}/lib.sh"
nodes=200
lab_up 1 --no-daemons
on master sh -c "printf 'nodes $nodes\ninterface lo\npingtimeout 4\n' >/etc/bproc/config
    bpctl ca init" >/dev/null
# shellcheck disable=SC2016
on master sh -c 'setsid masterd -d >/run/masterd.log 2>&1 </dev/null &'
wait_for 20 on master bpstat -s

# The swarm takes its commands from a pipe and answers each with a line.
coproc swarm { bplab exec master -- "$BPROC_BUILD/bench/bench-swarm" --nodes $nodes \
    --keys /run/keys --source 127.1.0.1 2>&1; }
swarm_pid=$!

# reply [COMMAND...]: what the swarm answers, in $answer.
reply() {
    (( $# == 0 )) || echo "$*" >&"${swarm[1]}"
    answer=
    IFS= read -r -t 40 answer <&"${swarm[0]}"
}

# count STATE: so many nodes are in it.
count() {
    on master bpstat -s | grep -cx "$1"
}

# become COUNT STATE
become() {
    (( $(count "$2") == $1 ))
}

masterd_kib() {
    # shellcheck disable=SC2016
    on master sh -c 'awk "/^RssAnon/ { print \$2 }" /proc/$(cat /run/bproc/masterd.pid)/status'
}

reply
is "the swarm is ready" "$answer" "ready $nodes"
before=$(masterd_kib)
reply start
reply wait $nodes 30
like "all of them join at once" "$answer" "^up $nodes after"
reply status
like "each one once" "$answer" "^up $nodes joins $nodes "
ok "masterd has them up" wait_for 20 become $nodes up
between "memory for a node, in KiB" "$(( ($(masterd_kib) - before) / nodes ))" 1 100

reply drop 50
ok "fifty that are lost are down" wait_for 10 become 50 down
is "the others are not" "$(count up)" 150
reply silence 20
ok "those that hang are lost within the ping timeout" wait_for 12 become 130 up
reply start
reply wait $nodes 30
like "all come back" "$answer" "^up $nodes after"
ok "to masterd, too" wait_for 20 become $nodes up
reply status
like "with the certificates that they have" "$answer" "^up $nodes joins $nodes "

# shellcheck disable=SC2016
on master sh -c 'kill $(cat /run/bproc/masterd.pid)
    while [ -e /proc/$(cat /run/bproc/masterd.pid) ]; do sleep 0.05; done
    setsid masterd -d >/run/masterd.log 2>&1 </dev/null &'
reply wait $nodes 30
like "after a restart of masterd they find it again" "$answer" "^up $nodes after"
ok "and are what they were" wait_for 20 become $nodes up

# They come, and are gone before masterd looks.
# shellcheck disable=SC2016
arrived() {
    (( $(on master grep -c ':08AF [0-9A-F:]* 01 ' /proc/net/tcp) >= nodes ))
}

strangers() {
    on master grep -c "did not become a node's link" /run/masterd.log
}

reply drop $nodes
ok "they go" wait_for 20 become $nodes down
before=$(strangers)
# shellcheck disable=SC2016
on master sh -c 'kill -STOP $(cat /run/bproc/masterd.pid)'
reply start
ok "they come while masterd hangs" wait_for 20 arrived
echo quit >&"${swarm[1]}"
ok "the swarm goes" wait $swarm_pid
# shellcheck disable=SC2016
on master sh -c 'kill -CONT $(cat /run/bproc/masterd.pid)'
ok "masterd answers" wait_for 20 become $nodes down
is "and has shaken hands with none of them" "$(strangers)" "$before"
done_testing
