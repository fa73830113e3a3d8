#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A node in wrong hands can do what it likes with the processes that were sent to it, and as their
# users; not as others, nor with what others run.

. "${0%/*}/lib.sh"
. "${0%/*}/steady.sh"

MASTER=10.77.0.1
TLS=/var/lib/bproc/tls
# The kernel counts what a user has on its way over sockets on the whole machine: no other lab has
# this one.
USER_ID=$(( 1000000 + $$ ))

as_user() {
    bplab exec master -- timeout 150 \
        setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups "$@"
}

pid_on() {
    on master bpstat -p | awk -v node="$1" '$2 == node { print $1; exit }'
}

runs_on() {
    [[ -n $(pid_on "$1") ]]
}

lab_up 3

# What it is about to do something to is there for as long as it does.
for node in n0 n1; do
    on $node mkfifo /run/go
done
as_user bpsh 2 sleep 150 >/dev/null 2>&1 &
bplab exec master -- timeout 150 bpsh 0 sh -c 'read go </run/go; exit 3' >/dev/null 2>&1 &
victim_end=$!
wait_for 20 runs_on 0 || bail "no process on n0"
wait_for 20 runs_on 2 || bail "no process on n2"
victim=$(pid_on 0)
origin=$(pid_on 2)

# Its process has to come back to it, as after a restart of the master.
bplab daemon master kill
bplab daemon n2 kill
bplab daemon master start
for node in 0 1; do
    node_becomes "node $node is up again" 15 $node up
done
ok "the master has the nodes' processes again" wait_for 15 runs_on 0
bplab exec master -- timeout 150 bpsh 0 bpsh 1 sh -c 'read go </run/go; exit 4' >/dev/null 2>&1 &
child_end=$!
wait_for 20 runs_on 1 || bail "no process of n0 on n1"
child=$(pid_on 1)

cases "a traitor" on n2 "$PROGS/traitor" $MASTER $TLS "$origin" $USER_ID "$victim" "$child"

for node in n0 n1; do
    on $node sh -c ': >/run/go'
done
wait $victim_end
is "another node's process ends as it does" $? 3
wait $child_end
is "a child of another node's process, too" $? 4

# Its processes open on other nodes and on the master what their users may open there, no more.
on n0 sh -c 'mkdir -p /srv/files && chmod 1777 /srv/files'
for node in master n1; do
    # shellcheck disable=SC2016
    on $node sh -c 'mkdir -p /srv/files && umask 077 && echo "$1" >/srv/files/secret' sh $node
done
for to in 1 -1; do
    cases "a file of root's on node $to" as_user bpsh 0 "$PROGS/refused" EPERM $to 6 0 secret
done
like "the log says which" "$(bplab logs master)" "opens .*/srv/files/secret, which uid $USER_ID may not"
cases "what the user may open" as_user bpsh 0 "$PROGS/inherit_memory" 1
cases "more files than fit in a message" as_user bpsh 0 "$PROGS/inherit_many" 1
cases "limits and what else a process has" as_user bpsh 0 "$PROGS/inherit_process" 1
file_make() {
    # shellcheck disable=SC2016
    on "$1" sh -c 'cd /srv/files && { printf 0123456789; head -c $(($2 - 10)) /dev/zero; } >"$1" &&
        chmod 666 "$1"' sh "$2" "$3"
}

for name in same longer shorter; do
    file_make n0 $name 100
done
on n1 chmod 1777 /srv/files
file_make n1 same 100
file_make n1 longer 5000
file_make n1 shorter 10
cases "files that are open, with offsets and flags" as_user bpsh 0 "$PROGS/inherit_files" 1 /srv/files
is "nothing is left of one without a name" "$(on n1 ls -A /srv/files | tr '\n' ' ')" \
    "longer same secret shorter "

done_testing
