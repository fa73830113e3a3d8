# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Processes of n0 that have a number of our choice, and one that waits on n1, where the receiver's
# children stop at point 43, before it is committed.

# numbered NUMBER PROGRAM ARG...: runs it on n0, where the next process gets that number.
numbered() {
    local number=$1
    shift
    # shellcheck disable=SC2016
    on master bpsh 0 sh -c 'echo "$1" >/proc/sys/kernel/ns_last_pid && shift && exec "$@"' sh \
        $(( number - 1 )) "$@" 2>&1
}

arrival_is_stopped() {
    on n1 sh -c 'ps -eo stat=,comm= | grep -q "^T.*bproc-arrival"'
}
