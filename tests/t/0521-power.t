#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reboot, halt and pwroff: the machine does it, its state says so until it is back. And what takes
# node_up too long.
. "${0%/*}/lib.sh"
lab_up 3 --config-line "nodeuptimeout 2"

for node in master n0; do
    on "$node" sh -c 'cat >/tmp/nodecalls; chmod 755 /tmp/nodecalls' <"$PROGS/nodecalls"
done
on master useradd -M alice >/dev/null 2>&1

call() {
    on master /tmp/nodecalls "$@"
}

# becomes NODE STATE: soon the node is in the state.
becomes() {
    wait_for 30 sh -c \
        "[ \"\$('$BPROC_BUILD/lab/bplab' -c $LAB exec master bpstat -s $1)\" = $2 ]"
}

is_off() {
    [[ $(bplab status | awk -v node="n$1" '$1 == node { print $3 }') == down ]]
}

# gone NODE: soon the machine is off; before that no command can be executed there any more.
gone() {
    wait_for 30 is_off "$1"
}

boots() {
    bplab status | awk -v node="n$1" '$1 == node { print $4 }'
}

# conf NODE KEYWORD COMMAND: what the node does.
conf() {
    on "n$1" sed -i "s|^$2 .*|$2 $3|" /etc/bproc/config
    bplab daemon "n$1" restart
}

before=$(boots 1)
# It would be back soon, but who has the lab's lock keeps it from being switched on.
mapfile -t said < <(flock "${BPLAB_DIR:-/run/bplab}/$LAB.lock" \
    "$BPROC_BUILD/lab/bplab" -c "$LAB" exec master -- timeout "$ON_TIMEOUT" sh -c '
        cd /tmp && ./nodecalls reboot 1 && bpstat -l 1 | tail -n 1
        bpstat -t allup; ./nodecalls rfork 1; ./nodecalls chmod 1 0111')
is "a reboot" "${said[0]}" 0
like "the node has gone when the call returns" "${said[1]}" " reboot +----------"
is "others stay" "${said[2]}" 2
is "nobody can go there" "${said[3]}" "-1 BE_NODEDOWN"
is "nor change its permissions" "${said[4]}" "-1 EINVAL"
ok "it comes back" becomes 1 up
fails "as another machine" test "$(boots 1)" = "$before"
is "with work to do" "$(on master bpsh 1 hostname)" n1

is "halt, without waiting" "$(call halt_async 2)" 0
ok "is its state" becomes 2 halt
ok "which it has" gone 2
is "and keeps" "$(on master bpstat -s 2)" halt
is "it can be told nothing more" "$(call reboot 2)" "-1 EINVAL"
is "nor be set up" "$(call setnodestatus 2 3)" "-1 EINVAL"
bplab daemon master restart
ok "also over a restart of masterd" becomes 0 up
is "the state is kept" "$(on master bpstat -s 2)" halt
is "an administrator can call it down" "$(call setnodestatus 2 0) $(on master bpstat -s 2)" "0 down"
bplab start n2
ok "switched on again it is up" becomes 2 up

on master bpsh 2 sleep 60 &
job=$!
ok "a process runs there" wait_for 20 sh -c \
    "'$BPROC_BUILD/lab/bplab' -c $LAB exec master bpstat -p | grep -q 2\$"
is "pwroff by state" "$(call setnodestatus 2 6)" 0
ok "is shown" becomes 2 pwroff
exits 255 "its processes are lost" wait "$job"
gone 2
ok "switched on again it works" bplab start n2
becomes 2 up

conf 2 pwroffcommand "echo no such switch; exit 3"
is "a machine that cannot switch itself off" "$(call pwroff 2)" 0
is "halts instead" "$(on master bpstat -s 2)" halt
gone 2
ok "switched on again it works" bplab start n2
becomes 2 up
conf 2 haltcommand "exit 4"
is "one that cannot even do that" "$(call pwroff 2)" "-1 EIO"
is "is what it was" "$(on master bpstat -s 2)" up
like "the log says why" "$(bplab logs master)" "node 2: cannot halt: .exit 4. exited with 4"
conf 2 rebootcommand "sleep 30"
is "a reboot that does not happen at once" "$(call reboot_async 2)" 0
is "is the state" "$(on master bpstat -s 2)" reboot
is "a second order" "$(call reboot 2)" "-1 EALREADY"

is "only root may" "$(bplab exec -u alice master -- /tmp/nodecalls reboot 1)" "-1 EPERM"
is "no such node" "$(call reboot 9) $(call halt -100) $(call pwroff -1)" \
    "-1 EINVAL -1 EINVAL -1 EINVAL"
is "administration is for the master" "$(on n0 /tmp/nodecalls reboot 1)" "-1 EOPNOTSUPP"

on master sh -c 'printf "#!/bin/sh\nexec sleep 60\n" >/etc/bproc/node_up
    chmod 755 /etc/bproc/node_up'
bplab daemon --no-wait n1 restart
ok "node_up that does not end" becomes 1 error
like "has its time" "$(bplab logs master)" "node 1: boot -> error \(node_up took longer than 2 s\)"
ok "and is killed" wait_for 20 on master sh -c '! pgrep -x sleep'
done_testing
