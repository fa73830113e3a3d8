#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# masterd ends, also by kill -9, and starts again below running processes: they go on, and so does
# everything between them and their parents.

. "${0%/*}/lib.sh"
. "${0%/*}/steady.sh"

masterd_lists() {
    [[ $(on master bpstat -p | tail -n +2 | sort -n | tr -s ' \t' ' ') == "$1" ]]
}

process_is_gone() {
    ! inhabitants "$1" | grep -q "$2"
}

lab_up 3
steady_start 0 1 2
bplab exec master -- timeout 60 bpsh 0 sh -c \
    'echo before; while [ ! -e /run/go ]; do sleep 0.1; done; echo after; exit 3' \
    >"$TMP/bpsh" 2>&1 &
bpsh=$!
wait_for 20 grep -q before "$TMP/bpsh" || bail "no output of bpsh"

# ---- masterd is away ----

bplab daemon master kill
is "without masterd a call fails with EBUSY" "$(on master "$PROGS/onecall" rfork 0)" "failed EBUSY"
goes_on "children go on without masterd" "${child[0]}"
on master kill -s USR1 -q 77 "${child[0]}"
on n1 touch /run/leave
on n0 touch /run/go
wait_for 20 is_empty n1 || diag "still on n1:" "$(inhabitants n1)"
fails "the end of a child is not known yet" grep -q "${child[1]} exited" "$STEADY"
on master kill -STOP "${child[2]}"
says "a ghost can be stopped meanwhile" 20 "${child[2]} stopped 19"

# ---- and back ----

bplab daemon master start
says "the exit status of a child that ended meanwhile arrives" 20 "${child[1]} exited 6"
says "a signal sent meanwhile arrives with its value" 20 "${child[0]} usr1 77"
wait $bpsh
is "a command of bpsh goes on and ends as it should" "$?: $(tr '\n' ' ' <"$TMP/bpsh")" \
    "3: before after "
for node in 0 1 2; do
    node_becomes "node $node is up again" 20 $node up
done
on master kill -CONT "${child[2]}"
says "the stopped ghost goes on" 20 "${child[2]} continued"
ok "masterd knows the processes" wait_for 20 masterd_lists \
    "$(printf '%s\n' "${child[0]} 0" "${child[2]} 2" | sort -n)"

on master kill -s USR1 -q 78 "${child[0]}"
says "signals arrive" 20 "${child[0]} usr1 78"
on master kill -STOP "${child[0]}"
says "a stop is seen" 20 "${child[0]} stopped 19"
# A parent sees the stop of what is here.
is_stopped() {
    [[ $(inhabitants "$1" | awk '{ print $2 }') == T ]]
}
ok "the process is stopped on its node" wait_for 20 is_stopped n0
on master kill -CONT "${child[0]}"
says "and so is that it goes on" 20 "${child[0]} continued"
goes_on "the process runs again" "${child[0]}"

# ---- a ghost is killed while masterd is away ----

bplab daemon master kill
on master kill -KILL "${child[2]}"
says "a ghost can be killed meanwhile" 20 "${child[2]} killed 9"
bplab daemon master start
forks_work "after another restart" 0 1 2
goes_on "a child goes on" "${child[0]}"

# ---- an orderly end, and a start that is cut short at once ----

bplab daemon master restart
bplab daemon master kill
bplab daemon master start
goes_on "a child survives restarts in a row" "${child[0]}"
on master kill -s USR2 "${child[0]}"
says "its exit status arrives" 20 "${child[0]} exited 5"
ok "the parent ends with its last child" wait $steady

# Until then masterd waits for its ghost.
ok "a process whose ghost was killed meanwhile is ended" wait_for 30 is_empty n2
ok "no process is left" wait_for 20 masterd_lists ""
ok "no ghost is left" wait_for 20 no_ghosts

# ---- an end that masterd has been sent, but has not read ----

# The home slave's word lies unread at masterd's end of their connection.
word_is_unread() {
    on master awk '{ split($2, to, ":"); split($3, from, ":"); split($5, waits, ":") }
        to[1] == from[1] && to[2] == "08AF" && waits[2] !~ /^0*$/ { found = 1 }
        END { exit !found }' /proc/net/tcp
}

home_links() {
    bplab logs master | grep -c "the home slave is connected"
}

home_is_back() {
    (( $(home_links) > links ))
}

# end_unread NODE NAME WAIT...: its slaved hears of the next masterd only once WAIT succeeds.
end_unread() {
    bplab exec master -- timeout 60 bpsh 0 bpsh -1 sh -c \
        'echo at home; while [ ! -e /run/go-home ]; do sleep 0.1; done; exit 7' \
        </dev/null >"$TMP/home" 2>&1 &
    bpsh=$!
    wait_for 20 grep -q "at home" "$TMP/home" || bail "no output from home"
    wait_for 20 on master sh -c \
        '[ "$(readlink /proc/[0-9]*/exe | grep -c bproc-ghost)" -ge 2 ]' || bail "no ghosts"
    on master pkill -STOP -x masterd
    on master touch /run/go-home
    wait_for 20 word_is_unread || fail "its end is sent"
    bplab daemon master kill
    on "$1" pkill -STOP -x slaved
    links=$(home_links)
    bplab daemon master start
    wait_for 20 "${@:3}" || fail "${*:3}"
    on "$1" pkill -CONT -x slaved
    wait $bpsh
    is "$2" "$?: $(<"$TMP/home")" "7: at home"
    on master rm /run/go-home
    wait_for 20 all_up || bail "not all nodes are up"
}

end_unread master "an end that was not read is told to the next masterd" node_is 0 up
end_unread n0 "and to a parent's node which comes back after that" home_is_back

# ---- masterd does not come back ----

on n1 sh -c 'rm -f /run/leave; echo orphantimeout 6 >>/etc/bproc/config'
bplab daemon n1 restart
node_becomes "a node that waits for six seconds only" 20 1 up
steady_start 0 1
bplab daemon master kill
goes_on "its process goes on at first" "${child[1]}" 3
ok "and is killed then" wait_for 20 is_empty n1
like "as the log says" "$(bplab logs n1)" "their master is lost: no masterd there for 6 s"
goes_on "on the others they go on" "${child[0]}"
bplab daemon master start
says "masterd kills the ghost when it is back" 20 "${child[1]} killed 9"
on master kill -s USR2 "${child[0]}"
wait $steady
on n1 sed -i '$d' /etc/bproc/config
bplab daemon n1 restart
node_becomes "the node is as the others" 20 1 up
node_becomes "which are back" 20 0 up
node_becomes "all of them" 20 2 up

# ---- what carries streams outlives its mover, but not with a way to CRIU ----

# shellcheck disable=SC2016
on master sh -c 'for i in 1 2 3 4 5 6; do bpsh 0 sleep 0.3 </dev/null & done; wait
    pgrep -x -P "$(pgrep -x masterd)" bproc-mover >/run/old && kill -KILL "$(cat /run/old)"'
# shellcheck disable=SC2016
wait_for 20 on master sh -c 'pgrep -x -P "$(pgrep -x masterd)" bproc-mover | grep -vxFf /run/old' ||
    fail "another mover"
is "processes are forked by another mover at once" \
    "$(for i in 1 2 3; do on master "$PROGS/onecall" rfork 0; done | sort | uniq -c | xargs)" \
    "3 exited 7"

# ---- the master's power is cut ----

on master bpctl -S 1 -s unavailable
on master bpctl -S 2 -m 110 -u nobody -g nogroup
perms=$(on master bpstat -l)
steady_start 0 2
bplab kill master
wait $steady 2>"$TMP/wait"
ok "processes end when the master's machine is silent" wait_for 20 is_empty n0
bplab start master
node_becomes "a node comes back" 20 0 up
node_becomes "a node set aside is set aside still" 20 1 unavailable
node_becomes "another node comes back" 20 2 up
is "states and permissions are as before" "$(on master bpstat -l)" "$perms"
forks_work "after a power cut of the master" 0 2

done_testing
