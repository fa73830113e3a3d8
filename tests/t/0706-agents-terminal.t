#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bprsh and bpsh at a terminal.
# shellcheck disable=SC2016  # the nodes' shells expand
. "${0%/*}/lib.sh"
need_tool python3
lab_up 1

on master sh -c 'cat >/root/terminal.py' <"$BPROC_SOURCE/tests/progs/agent_terminal.py"
cases "terminal" on master python3 /root/terminal.py

# Without a terminal here.
is "-tt gives one nevertheless" \
    "$(on master bprsh -tt n0 'test -t 0 && stty size; exit 4' </dev/null | tr -d '\r'
        echo "${PIPESTATUS[0]}")" $'24 80\n4'
like "-t does not" "$(on master bprsh -t n0 tty </dev/null 2>&1)" \
    "standard input is none.*not a tty"
is "the end of input is that of the terminal" \
    "$(printf 'one\ntwo\n' | on master bprsh -tt n0 'exec wc -l' | tail -n 1 | tr -d '\r')" 2
is "a shell without one reads commands" \
    "$(printf 'echo $((1 + 2))\nexit 5\n' | on master bprsh n0 2>/dev/null; echo $?)" $'3\n5'
is "bpsh --pty" "$(on master bpsh --pty n0 tty </dev/null | tr -d '\r')" /dev/pts/0
is "a job left in the background does not hold it up" "$(on master timeout 40 bprsh -tt n0 \
    'set -m; sleep 347 & seq 20000' </dev/null | tr -d '\r' | sha256sum; echo "${PIPESTATUS[0]}")" \
    "$(seq 20000 | sha256sum; echo 0)"
ok "and runs on" on n0 pkill -x -f 'sleep 347'
done_testing
