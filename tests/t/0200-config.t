#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The configuration of masterd: what -n says about mistakes, and reloads.
. "${0%/*}/lib.sh"

masterd=$BPROC_BUILD/masterd/masterd

# says NAME REGEX LINE...: a file of these lines is refused with a message like REGEX.
says() {
    local name=$1 want=$2 got status=0
    shift 2
    printf '%s\n' "$@" >"$TMP/config"
    got=$("$masterd" -n -c "$TMP/config" 2>&1) || status=$?
    got=${got//"$TMP/"/}
    if (( status != 1 )); then
        fail "$name" "exit status $status, not 1" "$got"
    else
        like "$name" "$got" "$want"
    fi
}

# takes NAME LINE...: a file of these lines is fine.
takes() {
    local name=$1
    shift
    printf '%s\n' "$@" >"$TMP/config"
    ok "$name" "$masterd" -n -c "$TMP/config"
}

takes "the least that is needed" "nodes 3"
is "is taken without a word" "$(cat "$TMP/out")" ""
takes "every keyword" "nodes 8" "ip 10.0.0.1 10.1.0.1" "ip 3 10.0.0.4" "iprange 10.0.0.5 10.0.0.7" \
    "interface eth0" "bprocport 2223" "dataport 2224" "pingtimeout 30" "orphantimeout 600" \
    "logfacility local3" "io direct" "cachesize 512M" "cachedir /var/cache/bproc" \
    "criu /usr/sbin/criu" "nodeup /etc/bproc/node_up" "nodegroup @fast 0-3"
takes "comments, blank lines and tabs" "# all" "" $'nodes\t3 # three' "   "
takes "addresses alone" "iprange 10.0.0.1 10.0.0.5"
takes "keywords of older clusters" "nodes 2" "bootmodule e1000" "kernelcommandline quiet" \
    "libraries /lib" "masterorder 0-5 10.0.0.1 10.0.0.2" "nodename n%N 10.0.0.0" \
    "host 00:11:22:33:44:55 10.0.0.9 switch" "prestage_libs /lib" "pxefileserver 10.0.0.1"
like "are warned about once" "$(cat "$TMP/out")" "warning: $TMP/config:2: .bootmodule"
is "and not each time" "$(grep -c warning "$TMP/out")" 1
ok "the example that is installed" "$masterd" -n -c "$BPROC_SOURCE/etc/config.example"

says "a misspelt keyword gets the nearest" \
    "config:2: unknown keyword .pingtimout', is .pingtimeout' meant" \
    "nodes 3" "pingtimout 5"
says "a word like no keyword" "config:1: unknown keyword .xyzzyplugh'$" "xyzzyplugh 3" "nodes 3"
says "a count that is none" "config:1: nodes: .many' is not a number" "nodes many"
says "a negative count" "config:1: nodes: .-3' is not a number" "nodes -3"
says "too large a count" "config:1: nodes: .99999999999999999999' is not a number" \
    "nodes 99999999999999999999"
says "no argument" "config:1: nodes: 0 arguments, not at least 1" "nodes"
says "too many arguments" "config:2: bprocport: 2 arguments, not at most 1" "nodes 3" \
    "bprocport 1 2"
says "what may stand once stands twice" "config:2: nodes: given twice" "nodes 3" "nodes 4"
says "a port beyond 65535" "config:2: bprocport: .65536' is not a number from 1 to 65535" \
    "nodes 3" "bprocport 65536"
says "a bad address" "config:2: ip: .10.0.0.256' is not an address" "nodes 3" "ip 0 10.0.0.256"
says "a node number without an address" "config:2: ip: no address after the node number" "nodes 3" \
    "ip 0"
says "an address for two nodes" "config:3: ip: an address is given to two nodes" "nodes 3" \
    "ip 0 10.0.0.1" "ip 1 10.0.0.1"
says "a backward range" "config:2: iprange: .* is no range" "nodes 9" "iprange 10.0.0.9 10.0.0.1"
says "half a range" "config:2: iprange: " "nodes 9" "iprange 10.0.0.9"
says "more addresses than nodes" "an address is given to node 2, but there are only 2 nodes" \
    "nodes 2" "iprange 10.0.0.1 10.0.0.3"
says "an unknown facility" "config:2: logfacility: there is no syslog facility .moon'" "nodes 3" \
    "logfacility moon"
says "another way of io" "config:2: io: .udp' is neither" "nodes 3" "io udp"
says "a size without sense" "config:2: cachesize: .1X' is not a size" "nodes 3" "cachesize 1X"
says "a relative path" "config:2: nodeup: .node_up' is not an absolute path" "nodes 3" \
    "nodeup node_up"
says "a group without @" "config:2: nodegroup: .fast' does not start with @" "nodes 3" \
    "nodegroup fast 0-3"
says "a group that is its own part" "^config:2: nodegroup: cannot take .@a': '@a' contains itself" \
    "nodes 3" \
    "nodegroup @a 0,!@a"
says "groups in a circle" "^config:3: nodegroup: cannot take .@b': '@a' contains itself" "nodes 3" \
    "nodegroup @a 0,@b" "nodegroup @b 1&@a"
says "a group of one that there is not" \
    "^config:2: nodegroup: cannot take .@a': '@c' is no group of nodes" "nodes 3" "nodegroup @a 0,-@c"
says "a group with a bracket that stays open" \
    "^config:2: nodegroup: cannot take .@a': 'n.0-' is no node" "nodes 3" "nodegroup @a n[0-"
says "a group of what is no node" "^config:2: nodegroup: cannot take .@a': 'foo' is no node" \
    "nodes 3" "nodegroup @a 0,foo"
says "a group of a node that there is not" \
    "^config:3: nodegroup: cannot take .@a': there is no node 77" \
    "nodes 3" "nodegroup @b 2" "nodegroup @a @b,77"
says "one that addresses do not give" "^config:2: nodegroup: cannot take .@a': there is no node 2" \
    "iprange 10.0.0.1 10.0.0.2" "nodegroup @a n[1,2]"
takes "groups of whatever may be named" "nodes 3" "nodegroup @a 0-99,10.9.9.9,allup!down,self,master" \
    "nodegroup @b ''" "nodegroup @c @a&@b,$(hostname)"
is "all bad groups are told" "$(printf '%s\n' "nodes 2" "nodegroup @a x" "nodegroup @b @a,y,z" \
    >"$TMP/config"; "$masterd" -n -c "$TMP/config" 2>&1 | grep -o "config:[0-9].*'.'" | cut -d: -f2)" \
    $'2\n3'
# deep COUNT: so many groups, the first of which contains all others.
deep() {
    local i
    deep=("nodegroup @g$1 0")
    for (( i = $1; i > 1; i-- )); do
        deep=("nodegroup @g$(( i - 1 )) @g$i" "${deep[@]}")
    done
}
deep 16
takes "as many groups in one another as tools take" "nodes 3" "${deep[@]}"
deep 17
says "one more" "^config:2: nodegroup: cannot take .@g1': more than 16 groups lie in one another" \
    "nodes 3" "${deep[@]}"
takes "groups of groups, and of files" "nodes 3" "nodegroup @a @b&@c" "nodegroup @b 0,^/tmp/list@x" \
    "nodegroup @c 1,-@b"
says "a socket that has too long a path" "^config:2: socket: a path of more than 107 bytes" "nodes 3" \
    "socket /tmp/$(printf '%0110d' 0)"
says "an interface name that is too long" "config:2: interface: .* is too long" "nodes 3" \
    "interface abcdefghijklmnopq"
says "a quote without an end" "config:2: " "nodes 3" "interface 'eth0"
says "no node at all" "^config: no nodes" "pingtimeout 3"
printf 'nodes x\nbprocport y\nnodes\n' >"$TMP/config"
is "all mistakes are told at once" \
    "$("$masterd" -n -c "$TMP/config" 2>&1 | grep -o 'config:[0-9]')" \
    $'config:1\nconfig:2\nconfig:3'
exits 1 "a file that is not there" "$masterd" -n -c "$TMP/none"
like "is named with the reason" "$(cat "$TMP/out")" "cannot read $TMP/none: No such file"
exits 1 "a folder for a file" "$masterd" -n -c "$TMP"
printf 'nodes 3\n\0\0garbage' >"$TMP/config"
exits 1 "a file with NULs in it" "$masterd" -n -c "$TMP/config"
exits 1 "an option that is none" "$masterd" --nonsense
exits 1 "an argument that is none" "$masterd" -n nonsense
ok "--help" "$masterd" --help
like "prints the usage to stdout" "$("$masterd" --help 2>/dev/null)" "usage: masterd"
like "--version" "$("$masterd" --version)" "^masterd \(bproc\) [0-9]"

lab_up 3

config=/etc/bproc/config
on master cp $config $config.first

# reload: lets masterd read its configuration anew and waits until it has said how that went.
reload() {
    local before
    before=$(bplab logs master | grep -cE 'configuration reloaded|old configuration')
    on master sh -c 'kill -HUP $(cat /run/bproc/masterd.pid)'
    wait_for 20 reload_done "$before"
}

reload_done() {
    (( $(bplab logs master | grep -cE 'configuration reloaded|old configuration') > $1 ))
}

pid=$(on master cat /run/bproc/masterd.pid)
on master sh -c "sed -i 's/^nodes 3/nodes 5/' $config"
ok "SIGHUP is answered in the log" reload
is "nodes can be added" "$(on master bpstat -t)" 5
is "and those before stay up" "$(on master bpstat -t allup)" 3
on master sh -c "echo 'pingtimeout never' >>$config"
ok "so is a file with a mistake" reload
like "which is named with its line" "$(bplab logs master)" \
    "$config:[0-9]+: pingtimeout: given twice"
like "and the old one is kept" "$(bplab logs master)" "keeping the old configuration"
is "with its nodes" "$(on master bpstat -t)" 5
on master sh -c "echo pingtimeout 5 >$config"
ok "so is one without nodes" reload
like "which says so" "$(bplab logs master)" "$config: no nodes"
is "and changes nothing" "$(on master bpstat -t)" 5
on master rm $config
ok "so is one that is gone" reload
is "with the same nodes" "$(on master bpstat -t)" 5
on master sh -c \
    "grep -v -e ^ip -e ^nodes $config.first >$config; echo 'nodes 2' >>$config"
ok "nodes can be taken away" reload
is "their number sinks" "$(on master bpstat -t)" 2
like "and they are cut off" "$(bplab logs master)" "node 2: up -> down \(no longer configured"
is "the others stay up" "$(on master bpstat -t allup)" 2
on master sh -c "sed 's/^interface.*/interface nowhere9/' $config.first >$config"
ok "an interface that is not there" reload
like "is named" "$(bplab logs master)" "nowhere9 has no IPv4 address: keeping the old"
ok "and nodes and callers are served on" on master bpsh 0-1 true
on master cp $config.first $config
ok "the first file again" reload
wait_for 15 sh -c "[ \$($BPROC_BUILD/lab/bplab -c $LAB exec master bpstat -t allup) = 3 ]"
is "brings all nodes back" "$(on master bpstat -t allup)" 3
is "all in the same masterd" "$(on master cat /run/bproc/masterd.pid)" "$pid"
done_testing
