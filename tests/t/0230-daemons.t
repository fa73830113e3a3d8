#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# masterd and slaved as daemons: to the background and back, syslog, the service manager, the end.
. "${0%/*}/lib.sh"
need_tool socat
lab_up 1 --no-daemons
lab=$BPROC_BUILD/lab/bplab

# background NODE LOG CMD...: leaves CMD running there, its output in LOG.
background() {
    local node=$1 log=$2
    shift 2
    # shellcheck disable=SC2016
    on "$node" sh -c 'log=$1; shift; setsid "$@" >$log 2>&1 </dev/null &' sh "$log" "$@"
}

# collect NODE SOCKET FILE: what is sent to the datagram socket there goes to the file.
collect() {
    background "$1" /run/socat.log socat -u "UNIX-RECV:$2,mode=666" "OPEN:$3,creat,append"
    wait_for 20 on "$1" test -S "$2"
}

node_is() {
    wait_for 20 sh -c "[ \"\$($lab -c $LAB exec master bpstat -s 0)\" = $1 ]"
}

# closed_times: how often the master lost the node by the end of the connection, not by its silence.
closed_times() {
    on master grep -oE 'up -> down \([^;]* by (the )?peer;' /run/syslog | wc -l
}

is_closed_again() {
    (( $(closed_times) > closed ))
}

# The start: mistakes are told to whoever makes them, the rest goes to syslog.
for node in master n0; do
    collect $node /dev/log /run/syslog
    collect $node /run/notify /run/notified
done
exits 1 "masterd without an authority" on master masterd
like "is told at the terminal" "$(cat "$TMP/out")" "masterd: cannot .*bpctl ca init"
on master bpctl ca init >/dev/null
exits 1 "masterd with an interface that is not there" on master sh -c \
    'sed s/eth0/eth9/ /etc/bproc/config >/run/config; masterd -c /run/config'
like "is told at the terminal" "$(cat "$TMP/out")" "masterd: interface eth9 has no IPv4 address"
exits 1 "masterd as somebody else" bplab exec -u nobody master masterd
is "is told at the terminal" "$(sed 's/^<.>//' "$TMP/out")" "masterd: only root can run masterd"
is "masterd goes to the background without a word" "$(on master masterd 2>&1; echo $?)" 0
is "and answers when it has" "$(on master bpstat -s)" down
ok "it writes to syslog" wait_for 20 on master grep -qE '<30>.*masterd\[[0-9]+\]: ready: release' \
    /run/syslog
is "it has let go of its terminal" \
    "$(on master sh -c 'pid=$(cat /run/bproc/masterd.pid); ps -o tty= -p $pid; ps -o pid= -s $pid |
        grep -cw $pid')" $'?\n1'
is "and of its folder" "$(on master sh -c 'readlink /proc/$(cat /run/bproc/masterd.pid)/cwd')" /
exits 1 "a second masterd" on master masterd
like "is refused at the terminal" "$(cat "$TMP/out")" \
    "masterd: another masterd holds /run/bproc/masterd.pid"
exits 1 "in the foreground too" on master masterd -d
is "the first goes on" "$(on master bpstat -s)" down
exits 1 "masterd -c of no file" on master masterd -c /nowhere

# slaved.
read -ra command <<<"$(on master bpctl token create --node 0)"
exits 1 "slaved with a wrong token" on n0 slaved --join "${command[2]}" --token fish --ca-hash \
    "${command[6]}"
like "is told at the terminal" "$(cat "$TMP/out")" "the master refuses: unknown token"
is "slaved returns when it is ready" "$(on n0 slaved "${command[@]:1}" >/dev/null 2>&1; echo $?)" 0
ok "and the node comes up" node_is up
ok "it writes to syslog" wait_for 20 on n0 grep -qE '<30>.*slaved\[[0-9]+\]: ' /run/syslog
ok "it runs commands" on master bpsh 0 true
exits 1 "a second slaved" on n0 slaved
like "is refused at the terminal" "$(cat "$TMP/out")" "slaved: .*another slaved runs here"
is "the first goes on" "$(on master bpstat -s)" up
on n0 sh -c 'kill $(cat /run/bproc/slaved.pid)'
wait_for 20 on n0 sh -c '! pgrep -x slaved'
is "-l chooses the facility" \
    "$(on n0 slaved -l local3 >/dev/null 2>&1; echo $?)" 0
node_is up
on n0 sh -c 'kill -9 $(cat /run/bproc/slaved.pid)'
# The master hears of it before the kernel has done with it.
wait_for 20 on n0 sh -c '! pgrep -x slaved'
node_is down
on n0 slaved -l local3 >/dev/null 2>&1
ok "after a kill it starts again" node_is up
exits 1 "a facility that is none" on n0 slaved -l moon

# The end.
background master /run/sleep.log bpsh -N 0 sleep 60
wait_for 20 sh -c "[ \$($lab -c $LAB exec master bpstat -p | wc -l) = 2 ]"
closed=$(closed_times)
on n0 sh -c 'kill $(cat /run/bproc/slaved.pid)'
ok "SIGTERM ends slaved" wait_for 20 on n0 sh -c '! pgrep -x slaved'
ok "with its processes" wait_for 20 on n0 sh -c '! pgrep -x sleep'
ok "and its helpers" wait_for 20 on n0 sh -c '! pgrep bproc-'
ok "the master sees it" node_is down
ok "at once, as it has not waited for an answer" wait_for 20 is_closed_again
ok "and the ghost is gone" wait_for 20 on master sh -c '! pgrep "^(sleep|bpsh)$"'
fails "its socket does not answer" on n0 bpstat
on master sh -c 'kill $(cat /run/bproc/masterd.pid)'
ok "SIGTERM ends masterd" wait_for 20 on master sh -c '! pgrep -x masterd'
ok "and its helpers" wait_for 20 on master sh -c '! pgrep bproc-'
ok "with a line on it" wait_for 20 on master grep -qE 'masterd\[[0-9]+\]: ending on signal 15' /run/syslog

# Under a service manager.
background master /run/masterd.log env NOTIFY_SOCKET=/run/notify masterd -d
ok "masterd tells the service manager that it is ready" wait_for 20 on master grep -q READY=1 \
    /run/notified
is "then it answers" "$(on master bpstat -t)" 1
like "and how it is" "$(on master cat /run/notified)" "STATUS=1 nodes configured"
on master sh -c 'kill -HUP $(cat /run/bproc/masterd.pid)'
ok "a reload is told" wait_for 20 on master grep -q RELOADING=1 /run/notified
like "with its time" "$(on master cat /run/notified)" "MONOTONIC_USEC=[0-9]+"
# What ends after the slaved whose helper it was has its port for that long.
# shellcheck disable=SC2016
on n0 sh -c 'socat TCP-LISTEN:2224,reuseaddr /dev/null >/dev/null 2>&1 </dev/null & echo $! >/run/holder'
wait_for 20 on n0 sh -c 'ss -tln | grep -q :2224'
background n0 /run/slaved.log env NOTIFY_SOCKET=/run/notify slaved -d
ok "slaved waits for its port" wait_for 20 on n0 grep -q "port 2224 is taken" /run/slaved.log
# shellcheck disable=SC2016
on n0 sh -c 'kill $(cat /run/holder)'
ok "and tells the service manager, too" wait_for 20 on n0 grep -q READY=1 /run/notified
node_is up
is "processes do not inherit its socket" "$(on master bpsh 0 printenv NOTIFY_SOCKET)" ""
on n0 sh -c 'kill $(cat /run/bproc/slaved.pid)'
on master sh -c 'kill $(cat /run/bproc/masterd.pid)'
ok "the end of masterd is told" wait_for 20 on master grep -q STOPPING=1 /run/notified
like "lines for the journal have their priority" "$(on master cat /run/masterd.log)" "^<6>masterd: "
done_testing
