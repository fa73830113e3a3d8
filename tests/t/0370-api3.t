#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs written for BProc 3: they compile as they are, with all warnings, and run.
. "${0%/*}/lib.sh"
. "${0%/*}/api.sh"

api_compiles "$BPROC_SOURCE"/tests/progs/api3_*.c <<'END'
#include <sys/bproc.h>
int main()
{
    bproc_node_info_t *list;
    int nodes[] = { 0 }, pids[1];
    int (*fork_io)(int, int, int) = _bproc_rfork_io;
    return bproc_nodelist(&list) + bproc_vrfork(1, nodes, pids) + fork_io(0, 0, 0) +
           bproc_nodestatus(bproc_node_up);
}
END

lab_up 3
for node in master n1; do
    on $node sh -c 'echo no program >/tmp/none && chmod 755 /tmp/none'
done
cases "vector calls" on master "$PROGS/api3_vector" /tmp/none
cases "vector calls on a node" on master bpsh 1 "$PROGS/api3_vector" /tmp/none
bplab exec master -- bpctl -S 2 -s down
cases "nodes and processes" on master "$PROGS/api3_node"
done_testing
