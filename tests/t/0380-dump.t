#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Images of processes in files.
. "${0%/*}/lib.sh"
lab_up 1

on master sh -c 'cat >/tmp/dump; chmod 755 /tmp/dump' <"$PROGS/dump"
on master useradd -M -u 7001 alice >/dev/null 2>&1
on master useradd -M bob >/dev/null 2>&1
on master mkdir -m 777 /tmp/dir

# run FOLDER-COMMAND: on the master, in a folder of its own.
run() {
    on master sh -c "cd /tmp/dir; $1"
}

as() {
    bplab exec -u "$1" master -- timeout "$ON_TIMEOUT" sh -c "cd /tmp/dir; $2"
}

counted=$'1 ok\n2 ok\n3 ok\n4 ok\n5 ok\n6 ok'
undumped=$'undumped in /tmp/dir\n3 ok\n4 ok\n5 ok\n6 ok'

is "who is dumped goes on" "$(run '/tmp/dump count img')" "$counted"
between "its image is in the file" "$(run 'wc -c <img')" 3000000 50000000
out=$(run 'echo hello | /tmp/dump undump img 2>err; echo "exit $?"')
pid=${out%%$'\n'*}
is "what is in it goes on in another process, with its streams and its end" "$out" \
    "$pid"$'\n'"$undumped"$'\nread hello\n'"$pid"$'\nexit 7'
is "standard error too" "$(run 'cat err')" "to stderr"
ok "no process is left" wait_for 20 nobody_is_there
is "once more" "$(run '/tmp/dump undump img </dev/null 2>&1 | grep -v ^pid')" \
    "$undumped"$'\nto stderr'
is "as a background job its parent waits for" "$(run '
    /tmp/dump undump img </dev/null >out 2>&1 & wait $!; echo $?')" 7
is "an image through a pipe" "$(run 'cat img | /tmp/dump undump - 2>/dev/null | grep -v ^pid')" \
    "$undumped"
is "and what follows it there" "$(run '
    { cat img; echo rest; } | { /tmp/dump undump - >/dev/null 2>&1; cat; }')" rest
# shellcheck disable=SC2016
is "a pipe from which no more comes can be given up" "$(run '
    mkfifo pipe; exec 3<>pipe; head -c 30000 img >&3
    timeout 1 /tmp/dump undump - <&3 >/dev/null; status=$?
    while pgrep bproc-carrier >/dev/null; do sleep 0.05; done; echo $status')" 124
is "without its libraries in it" "$(run '/tmp/dump count small 0 >out; cat out')" "$counted"
is "is as good where they are" "$(run '/tmp/dump undump small </dev/null 2>&1 | grep -v ^pid')" \
    "$undumped"$'\nto stderr'
is "and smaller" "$(run 'test $(wc -c <small) -lt $(wc -c <img); echo $?')" 0
is "the program may be gone, if it is in it" "$(run 'cp /tmp/dump mine; ./mine count img2 >out
    rm mine; /tmp/dump undump img2 </dev/null 2>&1 | grep -c stderr')" 1
is "closed streams" "$(run '/tmp/dump undump img <&- 2>&- | grep -v ^pid')" "$undumped"
run '/tmp/dump signals sig'
run '(/tmp/dump undump sig >out; echo "end $?" >>out) & echo $! >sub'
ok "signal handlers, ignored and blocked ones" \
    wait_for 20 on master grep -q "as it was" /tmp/dir/out
pid=$(on master bpstat -p | awk 'END { print $1 }')
on master kill -USR1 "$pid"
on master kill -TERM "$pid" 2>/dev/null
ok "it hears signals" wait_for 20 on master grep -q "^end " /tmp/dir/out

is "a user's" "$(as alice '/tmp/dump count a >a.out; cat a.out')" "$counted"
is "is his" "$(as alice '/tmp/dump undump a </dev/null 2>&1 | grep -v ^pid')" \
    "$undumped"$'\nto stderr'
on master chmod 666 /tmp/dir/a
like "not another's" "$(as bob '/tmp/dump undump a')" "-1 EPERM"
like "nor root's" "$(run '/tmp/dump undump a')" "-1 EPERM"
run 'cp img bad; printf x | dd of=bad bs=1 seek=2000000 conv=notrunc 2>/dev/null'
like "one that was changed" "$(run '/tmp/dump undump bad')" "-1 EBADMSG"
run 'head -c 1000000 img >short; head -c 100 /dev/zero >zero; : >empty'
like "cut short" "$(run '/tmp/dump undump short; cat short | /tmp/dump undump -')" \
    "-1 ENOEXEC.*-1 ENOEXEC"
like "something else" "$(run '/tmp/dump undump zero; /tmp/dump undump empty
    /tmp/dump undump /dev/zero; /tmp/dump undump /dev/null')" \
    "-1 ENOEXEC.*-1 ENOEXEC.*-1 ENOEXEC.*-1 ENOEXEC"
like "one of another cluster" "$(run '
    bpctl ca init --state /tmp/other >/dev/null
    python3 - <<END
data = bytearray(open("img", "rb").read())
open("forged", "wb").write(data[:-40] + bytes(40))
END
    /tmp/dump undump forged')" "-1 (EBADMSG|ENOEXEC)"
like "no descriptor" "$(run '/tmp/dump undump none')" "-1 EBADF"
is "and unknown flags" "$(run '/tmp/dump fd')" $'-1 EBADF\n-1 EINVAL'
like "a full disk" "$(run '/tmp/dump count /dev/full')" "-1 ENOSPC"
ok "leaves no process" wait_for 20 on master sh -c '! pgrep dump'

# A program that has not run yet.
on master sh -c 'cat >/tmp/show; chmod 755 /tmp/show' <<'END'
#!/bin/sh
echo "$# $1 $VAR in $(pwd)"
grep SigIgn /proc/$$/status
trap 'exit 8' TERM
cat
echo "pid $$"
exit 9
END
# The caller's and SIGUSR1. What posix_spawn(3) starts, as make does, ignores two of libc's own.
ignored=$(run "awk '/SigIgn/ { print \$2 }' /proc/self/status")
shown=$(printf '2 word value in /tmp/dir\nSigIgn:\t%016x' $(( 0x$ignored | 0x200 )))
is "a program is dumped" "$(run 'VAR=value /tmp/dump execdump prog 7 /tmp/show word "two words"')" 0
is "before it does anything" "$(run '/tmp/dump execdump never 0 /usr/bin/touch ran; ls ran 2>&1')" \
    $'0\nls: cannot access '"'ran': No such file or directory"
out=$(run 'cd /; VAR=other; echo input | /tmp/dump undump tmp/dir/prog; echo "exit $?"')
pid=${out%%$'\n'*}
is "it begins where its image is used" "$out" "$pid"$'\n'"$shown"$'\ninput\n'"$pid"$'\nexit 9'
like "once more, as a background job" "$(run '
    /tmp/dump undump prog </dev/null >out & wait $!; echo $?; cat out')" '^9.*2 word value'
like "without streams" "$(run '/tmp/dump undump prog <&- >out2 2>&-; echo $?; cat out2')" '^9.*2 word'
like "a program of no libraries" "$(run '/tmp/dump execdump static 2 /sbin/ldconfig --version &&
    /tmp/dump undump static')" $'^0\n.*ldconfig'
like "that is not there" "$(run '/tmp/dump execdump x 0 /tmp/nothing')" "-1 ENOENT"
like "that is none" "$(run 'echo x >none; chmod 755 none; /tmp/dump execdump x 0 ./none')" \
    "-1 ENOEXEC"
like "that is a folder" "$(run '/tmp/dump execdump x 0 /tmp')" "-1 EACCES"
like "that has other rights" "$(run '/tmp/dump execdump x 0 /bin/su')" "-1 EPERM"
run 'install -m 711 /bin/true hidden'
like "that a user may not read" "$(as alice '/tmp/dump execdump xa 0 ./hidden')" "-1 EACCES"
is "a user's" "$(as alice '/tmp/dump execdump pa 7 /usr/bin/id -un')" 0
is "runs as he" "$(as alice '/tmp/dump undump pa | grep -v ^pid')" alice
like "and not for others" "$(run '/tmp/dump undump pa')" "-1 EPERM"
ok "no process is left of all these" wait_for 20 nobody_is_there
done_testing
