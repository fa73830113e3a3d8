#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bpctl about nodes; `bpctl ca` and `bpctl token` are tried in 0210-join.t.
. "${0%/*}/lib.sh"
lab_up 3
on master useradd -M alice >/dev/null 2>&1

bpctl() {
    on master bpctl "$@"
}

as_alice() {
    bplab exec -u alice master -- timeout "$ON_TIMEOUT" bpctl "$@"
}

# node N: its line of bpstat without the address.
node() {
    on master bpstat -l "$1" | tail -n 1 | awk '{ print $3, $4, $5, $6 }'
}

ok "--help" bpctl --help
like "prints the usage to stdout" "$(bpctl -h 2>/dev/null)" "^usage: bpctl "
like "--version" "$(bpctl --version)" "^bpctl \(bproc\) [0-9]"
is "-V, -v" "$(bpctl -V) $(bpctl -v)" "$(bpctl --version) $(bpctl --version)"
exits 1 "nothing to do" bpctl
like "is told" "$(cat "$TMP/out")" "bpctl: nothing to do"
exits 1 "nodes, but nothing to do" bpctl -S 0
exits 1 "something to do, but no nodes" bpctl -s up
like "is told" "$(cat "$TMP/out")" "bpctl: no nodes chosen; -S or -M must stand before"
exits 1 "nodes behind what is to be done" bpctl -s up -S 0
exits 1 "no such option" bpctl -Z
exits 1 "no such command" bpctl dance
like "is told" "$(cat "$TMP/out")" "bpctl: 'dance' is no command of bpctl"
exits 1 "nodes that are none" bpctl -S fish -s up
is "are told" "$(cat "$TMP/out")" "bpctl: 'fish' is no node"
exits 1 "no such state" bpctl -S 0 -s fine
like "is told with those that are" "$(cat "$TMP/out")" \
    "bpctl: 'fine' is no state to set; these are: up down"
exits 1 "a state that is the daemon's" bpctl -S 0 -s boot
for mode in 777 8 x -1 1111 0200 ""; do
    exits 1 "mode '$mode'" bpctl -S 0 -m "$mode"
done
like "is told" "$(cat "$TMP/out")" "bpctl: '' is no mode"
on master sh -c 'printf "nodes 2\niprange 10.0.0.1 10.0.0.2\nnodegroup @a 0,1\n" >/tmp/good
    echo "criu \"/a b/criu\"" >>/tmp/good; echo "haltcommand \"sh -c '\''echo  a'\''\"" >>/tmp/good
    printf "nodes 2\nipp 1\n" >/tmp/bad; printf "nodes 1\niprange 10.0.0.1 10.0.0.2\n" >/tmp/few'
ok "a configuration" bpctl config check /tmp/good
is "is good" "$(cat "$TMP/out")" "/tmp/good: good"
like "is shown with defaults" "$(bpctl config show /tmp/good | tr '\n' ' ')" \
    "^nodes 2 iprange 0 10.0.0.1 10.0.0.2 nodegroup @a .0,1. bprocport 2223 .*logdir /"
on master sh -c 'bpctl config show /tmp/good >/tmp/shown'
is "in its own form" "$(bpctl config show /tmp/shown)" "$(bpctl config show /tmp/good)"
is "and as JSON" "$(bpctl config show --json /tmp/good | python3 -c '
import json, sys
conf = json.load(sys.stdin)
print(conf["version"], conf["nodes"], conf["addresses"][0]["last"], conf["nodegroups"]["a"])')" \
    "1 2 10.0.0.2 0,1"
exits 1 "an answer that cannot be written" on master sh -c 'bpctl config check /tmp/good >/dev/full'
exits 1 "a token, too" on master sh -c 'bpctl token create >/dev/full'
is "is told" "$(cat "$TMP/out")" "bpctl: cannot write stdout: No space left on device"
exits 1 "a mistake" bpctl config check /tmp/bad
like "is told with its line" "$(cat "$TMP/out")" "^/tmp/bad:2: unknown keyword"
exits 1 "one of the whole" bpctl config check /tmp/few
like "is told without" "$(cat "$TMP/out")" "^/tmp/few: an address is given to node 1"
exits 1 "a file that is not there" bpctl config show /tmp/none
is "is told" "$(cat "$TMP/out")" "bpctl: cannot read /tmp/none: No such file or directory"
exits 1 "another verb" bpctl config dance
ok "that of the daemons" bpctl config check
exits 1 "no such user" bpctl -S 0 -u nosuchuser
is "is told" "$(cat "$TMP/out")" "bpctl: 'nosuchuser' is no user"
exits 1 "no such group" bpctl -S 0 -g nosuchgroup
is "is told" "$(cat "$TMP/out")" "bpctl: 'nosuchgroup' is no group"
exits 1 "no daemon" on master env BPROC_SOCKET=/nowhere bpctl -S 0 -s up
is "is told" "$(cat "$TMP/out")" "bpctl: cannot list the nodes: BProc is not running here"
is "none of this has changed a node" "$(on master bpstat | tail -n 1)" \
    "0-2         up           ---x--x--x root       root"

ok "a state" bpctl -S 0 -s unavailable
is "is set" "$(node 0)" "unavailable ---x--x--x root root"
ok "the long way" bpctl --slave 0 --state error
is "as well" "$(node 0)" "error ---x--x--x root root"
ok "several nodes" bpctl -S 0-1,2 -s unavailable
is "get it" "$(on master bpstat -t allunavailable)" 3
ok "those in a state" bpctl -S allunavailable -s up
is "too" "$(on master bpstat -t allup)" 3
ok "options act in their order" bpctl -S 0 -s error -S 1 -s unavailable -m 100
is "on the nodes chosen last" "$(node 0), $(node 1)" \
    "error ---x--x--x root root, unavailable ---x------ root root"
ok "owner, group and mode" bpctl -S 0 -s up -u alice -g alice -m 110
is "are set" "$(node 0)" "up ---x--x--- alice alice"
ok "by number and long name" bpctl --slave 0 --user 4711 --group 4712 --mode 0001
is "as well" "$(node 0)" "up ---------x #4711 #4712"
exits 1 "a node that is none" bpctl -S 0,7 -s unavailable
is "is told" "$(cat "$TMP/out")" "7: Invalid node number"
is "and the others are done" "$(node 0)" "unavailable ---------x #4711 #4712"
bplab daemon n2 stop
wait_for 20 sh -c "[ \"\$($BPROC_BUILD/lab/bplab -c $LAB exec master bpstat -s 2)\" = down ]"
exits 1 "a down node" bpctl -S 2,0 -s up
is "is told" "$(cat "$TMP/out")" "2: Node is down"
is "and the others are done" "$(on master bpstat -s 0)" up
exits 1 "the permissions of a down node" bpctl -S 2 -m 111
exits 1 "the master has none" bpctl -M -m 100
is "and is told" "$(cat "$TMP/out")" "-1: cannot set the mode of the master: anybody may use it"
for option in '-s up' '-u root' '-g root' -R -P '-r /tmp' --cache-purge '--reconnect 10.77.0.1'; do
    # shellcheck disable=SC2086 # the words of an option
    exits 1 "the master cannot be asked for $option" bpctl -M $option
    like "with a reason" "$(cat "$TMP/out")" "^-1: cannot [a-z ]+ the master: "
done
ok "but for what is without effect" bpctl -M --cache-purge-fail
on master bpctl -S 0 -u alice -g root -m 111 -S 1 -s up
exits 1 "a user who may not" as_alice -S 0 -s unavailable
is "is told" "$(cat "$TMP/out")" "0: Operation not permitted"
exits 1 "of one node he may, of the other not" as_alice -S 0,1 -m 100
is "which is told" "$(cat "$TMP/out")" "1: Operation not permitted"
is "the first is done" "$(node 0), $(node 1)" "up ---x------ alice root, up ---x------ root root"
exits 1 "power by a user" as_alice -S 0 -R
is "is told" "$(cat "$TMP/out")" "0: Operation not permitted"
exits 1 "of the master" bpctl -M -H
is "is told" "$(cat "$TMP/out")" "-1: cannot halt the master: only nodes are halted"
exits 1 "a down node and one that is none" bpctl -S 7,2 -P
is "are told in their order" "$(cat "$TMP/out")" $'7: Invalid node number\n2: Node is down'
exits 1 "administration on a node" on n0 bpctl -S 0 -s unavailable
is "is told, and what to do" "$(cat "$TMP/out")" \
    "0: BProc did not start this process on the node: do it on the master"
ok "reboots at once" bpctl -S 0,1 -f -R
# The first may be back before anybody looks.
is "have gone together" "$(bplab logs master | grep -cE 'node [01]: up -> reboot')" 2
ok "and come back" wait_for 20 sh -c \
    "[ \"\$($BPROC_BUILD/lab/bplab -c $LAB exec master bpstat -t allup)\" = 2 ]"
ok "the long way, without waiting" bpctl --slave 1 --no-wait --pwroff
like "is the state" "$(on master bpstat -s 1)" "^(pwroff|halt)"
is "all in the log, with who it was" \
    "$(bplab logs master | grep -cE 'node 0: permissions are now uid .*\(set by uid ')" 10
done_testing
