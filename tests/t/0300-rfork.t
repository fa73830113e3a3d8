#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# fork's promises: what the child has from its parent, and what a call that fails leaves behind.

. "${0%/*}/lib.sh"

progs=$BPROC_BUILD/tests/progs
lab_up 3

on_as() {
    local user=$1
    shift
    bplab exec -u "$user" master -- timeout -k 5 "$ON_TIMEOUT" "$@"
}

# file_make NODE NAME SIZE: a file in /srv/files for everybody to write to.
file_make() {
    # shellcheck disable=SC2016
    on "$1" sh -c 'mkdir -p /srv/files && chmod 1777 /srv/files && cd /srv/files &&
        { printf 0123456789; head -c $(($2 - 10)) /dev/zero; } >"$1" && chmod 666 "$1"' sh "$2" "$3"
}

# ---- the child ----

cases "memory" on master "$progs/inherit_memory" 0
cases "process" on master "$progs/inherit_process" 0
cases "process of a user" on_as nobody "$progs/inherit_process" 1
cases "libc" on master "$progs/inherit_libc" 0
cases "libc of a user" on_as nobody "$progs/inherit_libc" 2
cases "threads" on master "$progs/inherit_crowd" 0
cases "threads of a user" on_as nobody "$progs/inherit_crowd" 1
cases "on the own node: memory" on master "$progs/inherit_memory" -1
cases "on the own node: process" on master "$progs/inherit_process" -1
cases "on the own node: libc" on master "$progs/inherit_libc" -2

for node in master n0 n1; do
    file_make "$node" same 100
    file_make "$node" longer 50
    file_make "$node" shorter 5000
done
for node in n0 n1; do
    file_make "$node" longer 5000
    file_make "$node" shorter 10
done
cases "files" on master "$progs/inherit_files" 0 /srv/files
cases "files of a user" on_as nobody "$progs/inherit_files" 1 /srv/files

# shellcheck disable=SC2016
is "a directory that the node has not becomes /" \
    "$(on master sh -c 'mkdir -p /srv/here/alone && cd /srv/here/alone && $1 0' sh \
        "$progs/inherit_cwd")" /

# ---- refusals ----

refused() {
    local name=$1
    shift
    cases "$name" on master "$progs/refused" "$@"
}

refused "node -100" BE_INVALIDNODE -100
refused "node 99" BE_INVALIDNODE 99
refused "unknown flags" EINVAL 0 4096
refused "a port beyond all" EINVAL 0 7 70000
refused "a port below all" EINVAL 0 7 -1
refused "a port nobody listens at" ECONNREFUSED 0 7 9
refused "what CRIU cannot dump" EOPNOTSUPP 0 6 0 userfault
like "the log says what" "$(bplab logs master)" \
    'cannot dump process [0-9]+: .*(userfault|uffd|anon_inode)'
refused "a file that the node has not" EOPNOTSUPP 0 6 0 file
like "the log says which" "$(bplab logs master)" 'run/only-here'
refused "too many streams" EMFILE 0 6 0 streams
refused "a FIFO for reading and writing" EOPNOTSUPP 0 6 0 fifo
refused "no descriptor left" EMFILE 0 6 0 descriptors
refused "no process left" EAGAIN 0 6 0 processes
refused "several user ids" EPERM 0 6 0 setuid
on master bpctl -S 1 -m 0100
cases "a node closed to users" on_as nobody "$progs/refused" EPERM 1
ok "but open to root" on master bpsh 1 true
bplab kill n2
wait_for 20 eval '[[ $(on master bpstat -s 2) == down ]]'
refused "a node that is down" BE_NODEDOWN 2
ok "after all of this an rfork works" on master "$progs/inherit_memory" 0

# ---- without a CRIU that works, without a daemon ----

criu=$("$BPROC_SOURCE/scripts/install-criu" --which)

# criu_put NODE LINE: a CRIU that is a shell script of one line. criu_back NODE: the real one.
criu_put() {
    # shellcheck disable=SC2016
    on "$1" sh -c '[ -e "$1.away" ] || mv "$1" "$1.away"; printf "#!/bin/sh\n%s\n" "$2" >"$1" &&
        chmod 755 "$1"' sh "$criu" "$2"
}

criu_back() {
    on "$1" mv "$criu.away" "$criu"
}

old='echo "Version: 3.17.1"'
criu_put n0 'exit 1'
refused "a CRIU on the node that ends at once" EIO 0
criu_put n0 "$old"
bplab daemon n0 restart >"$TMP/out" 2>&1 || diag "$(cat "$TMP/out")"
refused "a CRIU on the node that is too old" ENOSYS 0
like "the log there says so" "$(bplab logs n0)" 'version 3.17, this kernel needs 4'
like "and the master's says why the call failed" "$(bplab logs master)" 'rfork pid [0-9]+ -> n0 .*3\.17'
ok "programs can still be executed there" on master bpsh 0 true
criu_back n0
bplab daemon n0 restart >"$TMP/out" 2>&1 || diag "$(cat "$TMP/out")"
cases "and when it is back" on master "$progs/inherit_memory" 0
criu_put master "$old"
bplab daemon master restart >"$TMP/out" 2>&1 || diag "$(cat "$TMP/out")"
wait_for 20 on master bpsh 0 true
refused "a CRIU on the master that is too old" ENOSYS 0
like "the log says so" "$(bplab logs master)" 'version 3.17, this kernel needs 4'
criu_back master
bplab daemon master kill
refused "no daemon" EBUSY 0

done_testing
