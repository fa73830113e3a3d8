#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every numbered fault point of common/fault.h, in turn: a program dies there, or the step fails.
# The caller gets a child or an error, soon and without a trace of the other; once the daemon is
# back the next call works; and in the end nothing is left anywhere.

. "${0%/*}/lib.sh"

ONECALL=$PROGS/onecall
ANSWER_SECONDS=20

# point_numbers LOW HIGH
point_numbers() {
    sed -nE 's/^ *FAULT_[A-Z_]+ = ([0-9]+),?.*/\1/p' "$BPROC_SOURCE/common/fault.h" |
        awk -v low="$1" -v high="$2" '$1 >= low && $1 <= high'
}

point_name() {
    sed -nE "s/^ *FAULT_([A-Z_]+) = $1,? .*/\1/p" "$BPROC_SOURCE/common/fault.h"
}

daemons_need_up() {
    wait_for 20 all_up || fail "all nodes come up" "$(on master bpstat -l)"
}

# call_start TAG KIND NODE
call_start() {
    rm -f "$TMP/$1".*
    (
        status=0
        ON_TIMEOUT=$ANSWER_SECONDS
        on master "$ONECALL" "$2" "$3" >"$TMP/$1.out" 2>&1 || status=$?
        echo $status >"$TMP/$1.status"
    ) &
}

call_ended() {
    [[ -s $TMP/$1.status ]]
}

call_ended_or_masterd_dead() {
    call_ended "$1" || masterd_is_dead
}

# What becomes of a call when a program dies at that point: only what is past undoing goes on.
# outcome_of_death KIND NUMBER
outcome_of_death() {
    local number=$2
    if (( number >= 7 && number < 20 )); then
        REPLY='^exited 7$'
    elif [[ $1 == rexec ]] && (( number == 24 || number == 62 )); then
        # What is executed waits for nobody, and the space tells who carries its streams itself.
        REPLY='^exited 7$'
    elif [[ $1 == rexec ]] && (( number == 23 || number == 25 || number == 44 )); then
        # The node says that it runs, and who carries its streams dies.
        REPLY=$'^(exited 7|failed [A-Z0-9]+(\nexited 99)?)$'
    elif (( number == 64 )); then
        REPLY='^killed 9$'
    elif (( number == 63 )); then
        # The node reports the commit and ends: whichever masterd hears first.
        REPLY=$'^(killed 9|failed [A-Z0-9]+(\nexited 99)?)$'
    else
        REPLY=$'^failed [A-Z0-9]+(\nexited 99)?$'
    fi
}

# call_check KIND NUMBER ACTION TAG
call_check() {
    local name want=$'^(exited 7|killed 9|failed [A-Z0-9]+(\nexited 99)?)$'
    name="$1, $(point_name "$2"), $3"
    if [[ $3 == kill ]]; then
        outcome_of_death "$1" "$2"
        want=$REPLY
    fi
    set -- "$name" "$4"
    if ! wait_for $(( ANSWER_SECONDS + 10 )) call_ended "$2"; then
        fail "$1: there is an answer"
    elif [[ $(< "$TMP/$2.status") == 124 ]]; then
        fail "$1: there is an answer within $ANSWER_SECONDS seconds"
    else
        like "$1: the caller gets a child or an error" "$(< "$TMP/$2.out")" "$want"
    fi
}

# master_walk KIND ACTION NUMBER...: masterd and the mover die, one point after the other.
master_walk() {
    local kind=$1 action=$2 number
    shift 2
    for number; do
        BPROC_FAULT=$number:$action bplab daemon master restart || bail "cannot restart masterd"
        daemons_need_up
        call_start master "$kind" 0
        wait_for $(( ANSWER_SECONDS + 10 )) call_ended_or_masterd_dead master
        ! masterd_is_dead || bplab daemon master start || bail "cannot start masterd"
        call_check "$kind" "$number" "$action" master
    done
    bplab daemon master restart
    daemons_need_up
    is "$kind: the next one works" "$(on master "$ONECALL" "$kind" 0)" "exited 7"
}

# nodes_walk KIND ACTION NUMBER...: each point on a node of its own.
nodes_walk() {
    local kind=$1 action=$2 number i
    shift 2
    i=0
    for number; do
        BPROC_FAULT=$number:$action bplab daemon --no-wait "n$i" restart || bail "cannot restart n$i"
        i=$(( i + 1 ))
    done
    daemons_need_up
    for (( i = 0; i < $#; i++ )); do
        call_start "n$i" "$kind" "$i"
    done
    i=0
    for number; do
        call_check "$kind" "$number" "$action" "n$i"
        bplab daemon --no-wait "n$i" restart || bail "cannot restart n$i"
        i=$(( i + 1 ))
    done
    daemons_need_up
    for (( i = 0; i < $#; i++ )); do
        is "$kind: the next one to node $i works" "$(on master "$ONECALL" "$kind" "$i")" "exited 7"
    done
}

strangers() {
    on "$1" ps -e -o pid=,stat=,args= |
        grep -Ev 'bplab-|masterd|slaved|bproc-(mover|criu swrk|receiver|space)|timeout|ps -e|grep'
}

cluster_is_clean() {
    local node
    for node in master "${nodes[@]}"; do
        [[ -z $(strangers "$node") ]] || return 1
    done
    [[ $(on master bpstat -p | wc -l) == 1 ]]
}

# Only a lazy fork comes by these; 0326-lazy.t and 0327-lazy-faults.t have them.
mapfile -t master_points < <(point_numbers 1 39 | grep -vxE '26|27')
mapfile -t node_points < <(point_numbers 40 99 | grep -vxE '45|46')
mapfile -t nodes < <(seq -f n%g 0 $(( ${#node_points[@]} - 1 )))
lab_up ${#node_points[@]}

for kind in rfork rexec; do
    nodes_walk $kind kill "${node_points[@]}"
    master_walk $kind kill "${master_points[@]}"
done
nodes_walk rfork error "${node_points[@]}"
master_walk rfork error "${master_points[@]}"

# A program runs, and what carries its output dies on either side.
spoken() {
    local i status
    for i in {1..8}; do
        status=0
        on master bpsh 0 sh -c 'echo words; true' >"$TMP/words" 2>/dev/null || status=$?
        (( status != 0 )) || [[ $(< "$TMP/words") == words ]] || return 1
    done
}
BPROC_FAULT=25:kill bplab daemon master restart
daemons_need_up
ok "whoever loses a program's output does not say that all is well" spoken
bplab daemon master restart
BPROC_FAULT=44:error bplab daemon n0 restart
daemons_need_up
ok "nor when the node's side loses it" spoken
bplab daemon n0 restart
daemons_need_up
ok "else it is there" spoken

# A process whose caller was given an error while masterd died is found out after its restart.
wait_for 30 cluster_is_clean || for node in master "${nodes[@]}"; do
    diag "left on $node:" "$(strangers "$node")"
done
ok "nothing is left anywhere" cluster_is_clean

done_testing
