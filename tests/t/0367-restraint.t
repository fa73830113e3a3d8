#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who has given rights up for good gets them back neither on another machine nor by the way home:
# no_new_privs and the capability bounding set.

. "${0%/*}/lib.sh"

lab_up 2

user="setpriv --reuid 65534 --regid 65534 --clear-groups"
held="$user --no-new-privs"
bound="setpriv --bounding-set -all --inh-caps -all"
none=0000000000000000
# shellcheck disable=SC2016
on master sh -c 'cp "$(command -v id)" /tmp/become; chmod 4755 /tmp/become'
# shellcheck disable=SC2016
on n0 sh -c 'cp "$(command -v id)" /tmp/become; chmod 4755 /tmp/become'
on master install -d -m 0 -o 65534 /tmp/shut
on n0 install -d -m 0 -o 65534 /tmp/shut

# on_master WORD...: one line of what the command says.
on_master() {
    on master "$@" 2>&1 | xargs
}

# capabilities WORD...: the effective ones of a program that is executed by these.
capabilities() {
    on_master "$@" grep CapEff /proc/self/status | cut -d' ' -f2
}

# shellcheck disable=SC2086
{
is "a set-uid program has its owner's rights on a node" "$(on_master $user bpsh 0 /tmp/become -u)" 0
is "but not for who may get no rights" "$(on_master $held bpsh 0 /tmp/become -u)" 65534
is "nor by the way home" "$(on_master $held bpsh 0 bpsh -1 /tmp/become -u)" 65534
is "nor over two nodes" "$(on_master $held bpsh 1 bpsh 0 bpsh -1 /tmp/become -u)" 65534
is "nor for who gave them up on the node" "$(on_master bpsh 0 $held bpsh -1 /tmp/become -u)" 65534
is "others come home as they were" "$(on_master $user bpsh 0 bpsh -1 /tmp/become -u)" 0

all=$(capabilities env)
is "root's programs have all capabilities on a node" "$(capabilities bpsh 0)" "$all"
is "and at home again" "$(capabilities bpsh 0 bpsh -1)" "$all"
is "those outside of a bounding set they have not" "$(capabilities $bound bpsh 0)" "$none"
is "nor at home" "$(capabilities $bound bpsh 0 bpsh -1)" "$none"
is "nor if it was reduced on the node" "$(capabilities bpsh 0 $bound bpsh -1)" "$none"
like "only those are missing" "$(capabilities setpriv --bounding-set -chown bpsh 0 bpsh -1)" 'f[0-9a-f]*e$'
is "in a user namespace root is nobody's root on a node" "$(capabilities unshare -Ur bpsh 0)" "$none"
is "what only root may enter is entered with them" "$(on_master sh -c 'cd /tmp/shut && bpsh 0 pwd')" /tmp/shut
is "and is shut without them" "$(on_master sh -c "cd /tmp/shut && $bound bpsh 0 pwd")" /
}

# Images: of who was free when it was made, and of who was not.
on master sh -c 'cat >/tmp/dump; chmod 755 /tmp/dump; mkdir -m 777 /tmp/dir' <"$PROGS/dump"
# shellcheck disable=SC2086
{
on master $user sh -c 'cd /tmp/dir && /tmp/dump execdump img 7 /bin/sh -c "/tmp/become -u"' >/dev/null
is "an image is as free as it was" "$(on_master $user sh -c 'cd /tmp/dir && /tmp/dump undump img | grep -v pid')" 0
is "but no more than who undumps it" \
    "$(on_master $held sh -c 'cd /tmp/dir && /tmp/dump undump img | grep -v pid')" 65534
}

# A ghost that may gain no rights cannot make another one: the daemon does.
# shellcheck disable=SC2016
ghosts() {
    on master sh -c 'for pid in $(pgrep -u 65534); do
        [ "$(readlink "/proc/$pid/exe")" != "$1" ] || grep NoNewPrivs "/proc/$pid/status"
        done' sh "$BPROC_LIBEXECDIR/bproc-ghost" | cut -f2 | xargs
}
# shellcheck disable=SC2086
on master $held bpsh 0 sh -c 'sleep 30 & sleep 30' &
# shellcheck disable=SC2016
ok "what is forked on a node gets ghosts" wait_for 20 eval '[[ $(ghosts) == ?\ ?\ ? ]]'
is "under the same restraint" "$(ghosts)" "1 1 1"
on master pkill -x bpsh
{ wait; } 2>/dev/null

done_testing
