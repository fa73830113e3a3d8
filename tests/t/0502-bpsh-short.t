#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The first moments of a command that bpsh starts, before a ghost stands for it: it ends, is sent
# signals, loses its parent or its daemon.

. "${0%/*}/lib.sh"

lab_up 2

doubt='the daemon went away before it said whether the command runs'

# Each on the master, as one script.
here() {
    on master bash -c "$1" 2>&1
}

# The child of bpsh $p, as soon as there is one.
child='p=$!; until c=$(pgrep -P $p); do :; done'

is "statuses" "$(here 'for i in $(seq 0 5 255); do bpsh 0 sh -c "exit $i"; [ $? = $i ] || echo $i; done')" ""
is "one has its own words after another one with more, or fewer" \
    "$(here 'for n in 9 99999 9999 99 9; do bpsh 0 echo $(seq $n) | wc -w; done' | xargs)" \
    "9 99999 9999 99 9"
is "a death by signal" "$(here 'bpsh 0 sh -c "kill -KILL \$\$"; echo $?')" $'0: Killed\n255'
is "and of a child that ignores SIGPIPE" \
    "$(here "trap '' PIPE; bpsh 0 sh -c 'kill -PIPE \$\$; echo there'")" there
is "signals for the child reach the command" \
    "$(here "for i in \$(seq 20); do bpsh 0 sleep 300 & $child; kill -TERM \$c; wait \$p; echo \$?; done" |
        sort | uniq -c | tr -s ' ' | tr '\n' ';')" " 20 0: Terminated; 20 255;"
is "a stop and a SIGCONT do, too" \
    "$(here "bpsh 0 sh -c 'sleep 0.2; echo on' & $child; kill -STOP \$c; sleep 0.3; kill -CONT \$c; wait \$p")" on
here "for i in 1 2 3 4 5; do bpsh 1 sleep 300 & $child; kill -KILL \$c; done; wait" >/dev/null
ok "with the child the command dies" wait_for 20 eval '! bplab exec n1 -- pgrep -x sleep'
here "for i in 1 2 3; do bpsh 1 sleep 77 & $child; kill -KILL \$p; done; wait" >/dev/null
ok "without its parent it goes on, if it was there" wait_for 20 eval \
    '[ "$(on n1 pgrep -c -f "^sleep 77")" = "$(on master bpstat -p | grep -c "^[0-9]")" ]'
ok "and ends by a signal" wait_for 20 eval \
    'on master pkill -f "^sleep 77"; ! bplab exec n1 -- pgrep -f "^sleep 77"'
# ppids: of the processes on n0, as these see it.
ppids() {
    on master bpsh -n 0 ps -eo ppid=,args= | awk '$2 == "sleep" && $3 == 55 { print $1 }' | sort -u
}

here "for d in 0 0 .002 .004 .007 .01 .015 .02 .025 .03
    do bpsh 0 sleep 55 & $child; sleep \$d; kill -KILL \$p; done; wait" >/dev/null
ok "one whose parent dies early has init for its parent" wait_for 20 eval '[ "$(ppids)" = 1 ]' ||
    diag "$(ppids)"
on master pkill -f '^sleep 55'
ok "and can be killed" wait_for 20 eval '[ -z "$(ppids)" ]'
here 'bpsh 0 sleep 44 & p=$!
    timeout 20 sh -c "until ps -o comm=,args= --ppid $p | grep \"^sleep *sleep\"; do sleep 0.05; done"
    kill $p; wait' >"$TMP/out"
is "what lasts is shown as the command" "$(head -1 "$TMP/out" | tr -s ' ')" "sleep sleep 44"
# The node's last word of the transfer, which is held back for short commands; a carrier that waits
# for it in vain ends after minutes, and the command's streams with it.
quiet=$(here "exec 3>&1 >/tmp/quiet 2>&1 </dev/null; bpsh 0 sleep 56 3>&- & $child; echo \$c >&3")
ok "a quiet command is soon reported as sent" wait_for 10 eval \
    'bplab logs master | grep "rexec pid $quiet -> n0: .* restore "' ||
    diag "$quiet: $(bplab logs master | grep rexec | tail -n 2)"
on master pkill -f '^sleep 56'

# Nothing arrives on n0 while the child, which has no ghost yet, is seen again and again, stopped for
# longer than it would wait.
on n0 pkill -STOP 'bproc-(receiver|idle|arrival)'
on master bpsh 1 bash -c "bpsh 0 sh -c 'exit 6' & $child; kill -STOP \$c; echo \$c; sleep 1.8
    kill -CONT \$c; wait \$p; echo \$?" >"$TMP/out" 2>&1 &
wait_for 20 grep -q . "$TMP/out"
sleep 1.5
is "on a node it is no birth" "$(on master bpstat -p | grep -c "^$(cat "$TMP/out")")" 0
on n0 pkill -CONT 'bproc-(receiver|idle|arrival)'
wait $!
is "and ends as it should" "$(tail -n 1 "$TMP/out")" 6

# Sooner than the node hears that its last process of that number has been reaped.
like "a number is used again at once, and then again" \
    "$(here 'exec </dev/null; for i in $(seq 12)
        do echo 30000 >/proc/sys/kernel/ns_last_pid; bpsh 1 sh -c "echo \$\$; exit 4" || echo $?; done' |
        sort | uniq -c | xargs)" '^12 30[0-9]* 12 4$'

is "a node without a number in the table" "$(here 'bpsh 7 true; echo $?')" \
    $'7: Invalid node number\n1'
is "bpsh's own node, by its number" "$(on n1 bpsh 1 sh -c 'hostname; exit 3'; echo $?)" $'n1\n3'
is "and input goes there" "$(echo in | on n1 bpsh 1 cat)" in
is "what carried a command carries the next one, also behind one without streams, and longer ones" \
    "$(here 'exec </dev/null 3>&1 >/dev/null 2>&1
        run() { bpsh 1 "$@"; while pgrep -x bproc-carrier; do :; done; }
        run true 2>&3; pgrep -x bproc-idle >/tmp/free
        for c in true hostname "sleep 0.1" true "sleep 0.2" hostname true
        do run $c; pgrep -x bproc-idle | diff /tmp/free - >&3; done; echo . >&3')" .
is "one that has been killed is not missed" \
    "$(here 'pkill -KILL -x bproc-idle && while pgrep -x bproc-idle >/dev/null; do :; done
        bpsh 1 hostname')" n1

# with_fault POINT: masterd dies there when the next command comes.
with_fault() {
    BPROC_FAULT=$1 bplab daemon master restart || bail "cannot restart masterd"
    wait_for 20 all_up || bail "not all nodes are up"
}

# Who heard of its death by the end of a socket may be here before the kernel has done with it.
masterd_back() {
    wait_for 20 masterd_is_dead || bail "masterd is still there"
    bplab daemon master start || bail "cannot start masterd"
    wait_for 20 all_up || bail "not all nodes are up"
}

nothing_left() {
    [[ -z $(on n0 pgrep -x sleep) && $(on master bpstat -p | grep -c '^[0-9]') == 0 ]] &&
        ! on master pgrep 'bproc-ghost|bpsh|sleep'
}

# It reads question and command at once: had it read the one alone, nothing would be in doubt.
for point in 1 2 3 6; do
    with_fault $point
    is "masterd dies before the child hears of the command, at $point" \
        "$(here 'pkill -STOP -x masterd; timeout 40 bpsh 0 sleep 300 >/dev/null 2>/tmp/said & p=$!
            until grep -qE "^4[57] " "/proc/$(pgrep -x bpsh)/syscall"; do :; done 2>/dev/null
            pkill -CONT -x masterd; wait $p; echo $?; cat /tmp/said')" \
        $'1\n'"0: $doubt"
    masterd_back
    ok "nothing is left" wait_for 20 nothing_left
done
with_fault 1:error
# One process: the children of one that is killed would go on, as ever.
is "a command is handed over, and refused" \
    "$(here 'echo in | timeout 20 bpsh 0 sh -c "cat; exec sleep 300"; echo $?' | tail -n 1)" 1
ok "nothing is left of it" wait_for 20 nothing_left
# On n0 nothing begins before its ghost waits.
with_fault 6
on n0 pkill -STOP 'bproc-(receiver|idle|arrival)'
here "timeout 20 bpsh 0 sleep 300; echo \$?" >"$TMP/out" &
wait_for 20 on master pgrep -f '^sleep 300'
ok "a ghost waits for its process" wait_for 20 on master sh -c \
    'readlink "/proc/$(pgrep -f "^sleep 300")/exe" | grep bproc-ghost'
on n0 pkill -CONT 'bproc-(receiver|idle|arrival)'
wait $!
is "and ends when masterd dies" "$(<"$TMP/out")" "0: $doubt"$'\n1'
masterd_back
ok "nothing is left" wait_for 20 nothing_left

for case in 7:6 8:1; do
    with_fault ${case%:*}
    here "bpsh 0 sh -c 'exit ${case#*:}'; echo \$?" >"$TMP/out" &
    wait_for 20 eval '! on master pgrep -x masterd'
    masterd_back
    wait $!
    is "bpsh does not hear of it, but its child: it ends as it should, at ${case%:*}" \
        "$(<"$TMP/out")" "${case#*:}"
done
with_fault 7
is "if masterd stays away it does not go on for ever" \
    "$(here 'timeout -k 1 30 bpsh 0 sleep 66 >/dev/null 2>/tmp/said; echo $?; cat /tmp/said')" \
    $'1\n'"0: $doubt"
masterd_back
ok "and nothing is left" wait_for 20 nothing_left
# Beyond the first look for it, which finds it.
with_fault 7
here 'timeout -k 1 40 bpsh 0 sleep 66 >/dev/null 2>/tmp/said; echo $?; cat /tmp/said' >"$TMP/out" &
looked=$(( SECONDS + 6 ))
wait_for 20 eval '! on master pgrep -x masterd'
masterd_back
wait_for 20 eval '(( SECONDS > looked ))'
bplab daemon master kill
wait $!
is "nor if it comes back and goes again" "$(<"$TMP/out")" $'1\n'"0: $doubt"
masterd_back
ok "and nothing is left" wait_for 20 nothing_left
on master sh -c 'bpsh 0 sh -c "echo goes; sleep 1; echo on; exit 6"; echo $?' >"$TMP/out" 2>&1 &
wait_for 20 grep -q goes "$TMP/out"
bplab daemon master kill
masterd_back
wait $!
is "what the child has heard of goes on" "$(<"$TMP/out")" $'goes\non\n6'
ok "and nothing is left" wait_for 20 nothing_left

# The second command is for a masterd that does not even read of it, which the end of its socket tells.
# The first one runs when masterd traces its ghost, and who is traced ends for his tracer first.
here "bpsh -f 1 0,1 sleep 300 & p=\$!
    until pgrep -P \$p -f '^sleep 300' >/tmp/first &&
        grep -q '^TracerPid:.[1-9]' /proc/\$(cat /tmp/first)/status; do :; done
    kill -STOP \$p; kill -KILL \$(cat /tmp/first)
    until [ \"\$(grep -cE '^(State:.Z|TracerPid:.0\$)' /proc/\$(cat /tmp/first)/status)\" = 2 ]; do :; done
    pkill -STOP -x masterd
    until ps -o stat= -C masterd | grep -q T; do :; done; kill -CONT \$p
    until pgrep -P \$p sleep | grep -vxF -f /tmp/first; do :; done >/dev/null
    pkill -KILL -x masterd; wait \$p; echo \$?" >"$TMP/out"
is "of what masterd has not read it is said that nothing runs" "$(<"$TMP/out")" \
    $'1: BProc is not running here\n0: Killed\n255'
masterd_back
ok "and nothing does" wait_for 20 nothing_left
here "pkill -STOP -x masterd; bpsh 0 sleep 300 & p=\$!
    until pgrep -P \$p sleep; do :; done >/dev/null
    pkill -KILL -x masterd; wait \$p; echo \$?" >"$TMP/out"
is "of the first one, too" "$(<"$TMP/out")" $'0: BProc is not running here\n1'
masterd_back
here "pkill -STOP -x masterd; bpsh all true & p=\$!
    until grep -qE '^4[57] ' /proc/\$p/syscall; do :; done; pkill -KILL -x masterd; wait \$p" >"$TMP/out"
is "nor is there doubt while it is asked for the nodes" "$(<"$TMP/out")" \
    "bpsh: cannot list the nodes: BProc is not running here"
masterd_back

# On a kernel that ends with who dumps core all others who have its memory.
BPROC_FAULT=150:error bplab daemon n0 restart
wait_for 20 on master bpsh 0 true
is "a node with an old kernel runs commands" \
    "$(here 'for i in 0 1 7; do echo in $i | bpsh 0 sh -c "cat; exit $i" || echo $?; done' | xargs)" \
    "in 0 in 1 1 in 7 7"
is "says why it does not" "$(here 'bpsh 0 /nowhere')" \
    "0: cannot execute '/nowhere': No such file or directory"
is "and goes on when one dumps core" \
    "$(here 'ulimit -c unlimited; cd /tmp; bpsh 0 sh -c "kill -QUIT \$\$" 2>&1; bpsh 0 hostname' | xargs)" \
    "0: Quit n0"
ok "no process is registered any more" wait_for 20 nobody_is_there
no_zombies() {
    [[ $(on master ps -e -o stat= | grep -c '^Z') == 0 ]]
}
ok "no zombie is left" wait_for 20 no_zombies
done_testing
