#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Files of the master's for processes on nodes: executed there, and brought into the cache.
. "${0%/*}/lib.sh"
. "${0%/*}/travel.sh"
lab_up 2

run() {
    on master bpsh 0 "$PROGS/masterfile" "$@" </dev/null
}

# Without the pid that it begins with.
body() {
    tail -n +2
}

on master mkdir -m 777 /srv/own
on master sh -c 'cat >/srv/own/script; chmod 755 /srv/own/script' <<'END'
#!/bin/sh
echo "$$ $1 on $(hostname)"
exit 6
END
on master sh -c 'cp /bin/sh /srv/own/shell; cp /bin/true /srv/own/hidden; chmod 711 /srv/own/hidden
    install -m 4755 /bin/true /srv/own/risen; echo data >/srv/own/data; echo none >/srv/own/none
    chmod 755 /srv/own/none; cp '"$PROGS/masterfile"' /srv/own/travel'

out=$(run exec /srv/own/shell -c 'echo $$; hostname; exit 5'; echo "exit $?")
pid=${out%%$'\n'*}
is "a program of the master is executed on the node" "$out" "$pid"$'\n'"$pid"$'\nn0\nexit 5'
out=$(run exec /srv/own/script word; echo "exit $?")
pid=${out%%$'\n'*}
is "a script" "$out" "$pid"$'\n'"$pid word on n0"$'\nexit 6'
is "it can go on to other nodes" "$(run exec /srv/own/travel move 1 | body)" $'node 0\nnode 1'
is "as a user" "$(as_nobody bpsh 0 "$PROGS/masterfile" exec /srv/own/shell -c 'id -un' | body)" nobody
like "what he may not read he does not get" \
    "$(as_nobody bpsh 0 "$PROGS/masterfile" exec /srv/own/hidden)" "-1 EACCES"
like "what is not there" "$(run exec /srv/own/nothing)" "-1 ENOENT"
like "what is no program" "$(run exec /srv/own/none)" "-1 ENOEXEC"
like "what may not be executed" "$(run exec /srv/own/data)" "-1 EACCES"
like "what would give rights" "$(run exec /srv/own/risen)" "-1 EPERM"
is "on the master it is execve" \
    "$(on master "$PROGS/masterfile" exec /srv/own/script word | body | cut -d' ' -f2-)" "word on master"

cached() {
    local sum
    sum=$(on master sha256sum "$1")
    on n0 test -e "/var/cache/bproc/${sum%% *}"
}
fails "a file is not on the node" cached /srv/own/data
is "it is asked for" "$(run request /srv/own/data)" 0
ok "and is in the node's cache" cached /srv/own/data
is "once more" "$(run request /srv/own/data)" 0
is "one that is not there" "$(run request /srv/own/nothing)" "-1 ENOENT"
is "a folder" "$(run request /srv/own)" "-1 EACCES"
is "one of another user's" "$(as_nobody bpsh 0 "$PROGS/masterfile" request /etc/shadow)" "-1 EACCES"
is "none" "$(run request)" "-1 EFAULT"
is "on the master there is nothing to be done" "$(on master "$PROGS/masterfile" request /srv/own/data)" 0
ok "nothing is left of all these" wait_for 20 nobody_is_there
done_testing
