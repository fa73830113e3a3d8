# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For tests in which daemons and nodes come and go below running children: tests/progs/steady.c in
# the background, and questions about what it has said. Sourced after lib.sh.

STEADY=$TMP/steady.out

# steady_start NODE...: sets child[NODE] to the pids.
steady_start() {
    local node pid what
    : >"$STEADY"
    bplab exec master -- "$PROGS/steady" "$@" >>"$STEADY" 2>&1 &
    steady=$!
    child=()
    for node; do
        wait_for 20 grep -qE "^[0-9]+ (child|refused) $node\$" "$STEADY" ||
            bail "no word of a child on node $node"
        read -r pid what _ < <(grep -E " (child|refused) $node\$" "$STEADY")
        [[ $what == child ]] || bail "no child on node $node: $pid"
        child[node]=$pid
    done
}

said() {
    grep -qxF "$1" "$STEADY"
}

# says NAME SECONDS LINE
says() {
    if wait_for "$2" said "$3"; then
        pass "$1"
    else
        fail "$1" "no line '$3' in $2 seconds but:" "$(grep -v tick "$STEADY")"
    fi
}

ticks() {
    grep -cxF "$1 tick" "$STEADY"
}

ticked_since() {
    (( $(ticks "$1") > $2 + 2 ))
}

# goes_on NAME PID [SECONDS]: the child ticks, now.
goes_on() {
    local before
    before=$(ticks "$2")
    if wait_for "${3-20}" ticked_since "$2" "$before"; then
        pass "$1"
    else
        fail "$1" "$2 does not tick:" "$(grep -v tick "$STEADY")"
    fi
}

# What runs in process spaces of a node, beside what makes up a space.
inhabitants() {
    on "$1" bash -c 'own=$(readlink /proc/1/ns/pid) && ps -e -o pidns=,stat=,args= |
        awk -v own="${own//[^0-9]/}" "\$1 != own && \$3 !~ /^\[?bproc-/"'
}

is_empty() {
    [[ -z $(inhabitants "$1") ]]
}

node_is() {
    [[ $(on master bpstat -l "$1" | tail -n +2) == *" $2 "* ]]
}

# node_becomes NAME SECONDS NODE STATE
node_becomes() {
    if wait_for "$2" node_is "$3" "$4"; then
        pass "$1"
    else
        fail "$1" "after $2 seconds:" "$(on master bpstat -l)"
    fi
}

# forks_work NAME NODE...: once the nodes are up.
forks_work() {
    local name=$1 node
    shift
    for node; do
        wait_for 20 node_is "$node" up
        is "$name: a fork onto node $node works" "$(on master "$PROGS/onecall" rfork "$node")" \
            "exited 7"
    done
}
