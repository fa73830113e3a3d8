#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ansible's modules over bprsh.
# shellcheck disable=SC2016  # the shells here and there expand
. "${0%/*}/lib.sh"
need_tool ansible python3
lab_up 2

on master sh -c 'cat >/root/ansible.cfg' <<'END'
[defaults]
interpreter_python = /usr/bin/python3
[ssh_connection]
ssh_executable = bprsh
ssh_args =
transfer_method = piped
pipelining = true
END

# The shell on the master runs this.
here() {
    on master bash -c "cd /root; $1" </dev/null
}

ok "ping" here 'ansible -i n0,n1, all -m ping'
like "reaches both" "$(grep SUCCESS "$TMP/out" | sort | tr '\n' ' ')" "^n0 .*n1 "
here 'head -c 300000 /dev/urandom >blob'
ok "copy" here 'ansible -i n0,n1, all -m copy -a "src=blob dest=/tmp/blob mode=0600"'
is "has copied, with its mode" \
    "$(here 'for n in n0 n1; do bprsh $n "sha256sum </tmp/blob; stat -c %a /tmp/blob"; done')" \
    "$(here 'for n in n0 n1; do sha256sum <blob; echo 600; done')"
ok "once more" here 'ansible -i n0,n1, all -m copy -a "src=blob dest=/tmp/blob mode=0600"'
like "changes nothing" "$(cat "$TMP/out")" '"changed": false'
ok "without pipelining, on terminals" here 'ANSIBLE_PIPELINING=0 ansible -i n0, all -m ping'
exits 2 "a command that fails" here 'ansible -i n0, all -m command -a false'
exits 4 "a node that is none" here 'ansible -i n99, all -m ping'
like "cannot be reached" "$(cat "$TMP/out")" "UNREACHABLE.*"
done_testing
