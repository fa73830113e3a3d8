#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Images of processes in files, made and used on nodes.
. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"
lab_up 2

for node in master n0 n1; do
    on "$node" sh -c 'cat >/tmp/dump; chmod 755 /tmp/dump; mkdir -m 1777 /tmp/dir' <"$PROGS/dump"
    on "$node" useradd -M -u 7001 alice >/dev/null 2>&1
    on "$node" useradd -M -u 7002 bob >/dev/null 2>&1
done

# run NODE COMMAND: by bpsh, in a folder of its own; a shell waits for it there.
run() {
    on master bpsh "$1" sh -c "cd /tmp/dir; $2"
}

as() {
    bplab exec -u "$1" master -- timeout "$ON_TIMEOUT" bpsh 0 sh -c "cd /tmp/dir; $2"
}

nothing_is_left() {
    nobody_is_there && on n0 sh -c '! pgrep "bproc-(ghost|arriv|carrier)|dump"'
}

counted=$'1 ok\n2 ok\n3 ok\n4 ok\n5 ok\n6 ok'
undumped=$'undumped in /tmp/dir\n3 ok\n4 ok\n5 ok\n6 ok'

is "who is dumped on a node goes on" "$(run 0 '/tmp/dump count img')" "$counted"
out=$(run 0 'echo hello | /tmp/dump undump img 2>err; echo "exit $?"; cat err')
pid=${out%%$'\n'*}
is "what is in the image goes on in another process there" "$out" \
    "$pid"$'\n'"$undumped"$'\nread hello\n'"$pid"$'\nexit 7\nto stderr'
is "also in one that the master waits for" \
    "$(echo hello | on master bpsh 0 /tmp/dump undump /tmp/dir/img 2>/dev/null | grep -v ^pid
       echo "exit ${PIPESTATUS[0]}")" "$undumped"$'\nread hello\nexit 0'
on master bpsh 0 /tmp/dump undump /tmp/dir/img >/dev/null 2>&1 </dev/null
is "who hears how it ends" $? 7
like "with the libraries in it" "$(run 0 '/tmp/dump count libs 3 >out && wc -c <libs')" '^[0-9]{7,}$'
is "the master's list says which" \
    "$(run 0 '/tmp/dump count few 1 >out; test $(wc -c <few) -lt $(wc -c <libs) && echo fewer')" fewer
is "a program that has not run" "$(run 0 '/tmp/dump execdump prog 7 /bin/echo word')" 0
is "begins there" "$(run 0 '/tmp/dump undump prog | grep -v ^pid')" word
on n0 sh -c 'cat >/tmp/again; chmod 755 /tmp/again' <<'END'
#!/bin/sh
echo first
exec /tmp/dump undump /tmp/dir/img
END
run 0 '/tmp/dump execdump again 7 /tmp/again' >/dev/null
is "a process from an image uses another one" \
    "$(on master bpsh -n 0 /tmp/dump undump /tmp/dir/again 2>/dev/null | grep -v ^pid)" \
    $'first\n'"$undumped"
like "but not where its number is taken twice" "$(run 0 '/tmp/dump undump again')" "-1 EAGAIN"
ok "and the log says why" wait_for 20 eval \
    'bplab logs n0 | grep -qE "undump pid [0-9]+ .* failed: .*its number is taken"'

# Signals find it, wherever they come from, and a restart of masterd does not lose it.
run 0 '/tmp/dump signals sig'
run 0 '(/tmp/dump undump sig >sig.out; echo "end $?" >>sig.out) & wait' &
wait_for 20 on n0 grep -q "as it was" /tmp/dir/sig.out
pid=$(on n0 sed -n 's/^pid //p' /tmp/dir/sig.out)
is_known() {
    on master bpstat -p | grep -q "^$pid"$'\t0$'
}
ok "the master knows it" wait_for 20 is_known
is "bptop shows it once, and not what called" "$(on master bptop -b -n 1 |
    grep -cw "^ *$pid") $(on master bptop -b -n 1 | grep -w "^ *$pid" | grep -c "signals sig")" "1 1"
bplab daemon master restart
ok "even after a restart" wait_for 20 is_known
on master kill -USR1 "$pid"
ok "it hears signals" wait_for 20 on n0 grep -q "^end 0" /tmp/dir/sig.out
wait

# Whose an image is, and who has signed it.
is "a user's" "$(as alice '/tmp/dump count a')" "$counted"
is "is his" "$(as alice '/tmp/dump undump a </dev/null 2>/dev/null | grep -v ^pid')" "$undumped"
on n0 chmod 666 /tmp/dir/a
like "not another's" "$(as bob '/tmp/dump undump a')" "-1 EPERM"
like "nor root's" "$(run 0 '/tmp/dump undump a')" "-1 EPERM"
for node in master n1; do
    on n0 cat /tmp/dir/a | on $node sh -c 'cat >/tmp/dir/noded; chmod 666 /tmp/dir/noded'
done
like "nor another node's" "$(run 1 '/tmp/dump undump noded')" "-1 EBADMSG"
like "nor the master's" "$(on master /tmp/dump undump /tmp/dir/noded)" "-1 EBADMSG"
on master sh -c 'cd /tmp/dir; /tmp/dump count masters' >/dev/null
on master cat /tmp/dir/masters | on n0 sh -c 'cat >/tmp/dir/masters'
is "the master's is good everywhere" \
    "$(run 0 '/tmp/dump undump masters </dev/null 2>/dev/null | grep -v ^pid')" \
    "$undumped"
run 0 'cp img bad; printf x | dd of=bad bs=1 seek=2000000 conv=notrunc 2>/dev/null'
like "one that was changed is nobody's" "$(run 0 '/tmp/dump undump bad')" "-1 EBADMSG"
is "who has come home uses one, too" "$(on master bpsh -n 0 bpsh -- -1 sh -c \
    'cd /tmp/dir; /tmp/dump count homes >/dev/null; /tmp/dump undump homes 2>/dev/null | grep -v ^pid')" \
    "$undumped"
ok "nothing is left of all these" wait_for 20 nothing_is_left

# cut NUMBER: what does the work dies there, and who called goes on.
cut() {
    BPROC_FAULT=$1:kill bplab daemon n0 restart || bail "cannot restart n0"
    wait_for 20 node_is 0 up || bail "n0 does not come up"
    like "cut short at point $1" "$(run 0 '/tmp/dump undump img </dev/null; echo after')" \
        $'^pid [0-9]+\n-1 EIO\nafter$'
    ok "nothing is left of it" wait_for 20 nothing_is_left
}
for point in 22 23 24 25; do
    cut $point
done
bplab daemon n0 restart
wait_for 20 node_is 0 up
is "and then it works again" "$(run 0 '/tmp/dump undump img </dev/null 2>/dev/null | grep -v ^pid')" \
    "$undumped"
done_testing
