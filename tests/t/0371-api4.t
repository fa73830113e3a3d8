#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs written for BProc 4: they compile as they are, with all warnings, and run.
. "${0%/*}/lib.sh"
. "${0%/*}/api.sh"

api_compiles "$BPROC_SOURCE"/tests/progs/api4_*.c <<'END'
#define BPROC_API_VERSION 4
#include <sys/bproc.h>
int main()
{
    bproc_node_set_t set = BPROC_EMPTY_NODESET;
    bproc_io_t io;
    int (*fork_io)(int, bproc_io_t *, int, int) = _bproc_rfork_io;
    char status[16];
    io.type = BPROC_IO_FILE;
    io.d.file.offset = 0;
    return bproc_nodelist(&set) + fork_io(0, &io, 1, 0) + bproc_nodestatus(0, status, 16);
}
END

lab_up 3
for node in n0:0 n1:1 master:m; do
    on "${node%:*}" sh -c "mkdir -m 1777 /tmp/io && echo '${node#*:}:node' >/tmp/io/name"
done
cases "lists of I/O" on master "$PROGS/api4_io" /tmp/io
cases "lists of I/O on a node" on master bpsh 1 "$PROGS/api4_io" /tmp/io
cases "what is as it was" on master "$PROGS/api4_calls"
bplab exec master -- bpctl -S 2 -s down
cases "nodes" on master "$PROGS/api4_node"
cases "a user on a node" on n0 "$PROGS/api4_node" user

bplab daemon master kill
bplab daemon master start
wait_for 20 on master "$PROGS/api4_node" get 0 state
up_again() {
    [[ $(on master "$PROGS/api4_node" get 1 state) == up ]]
}
wait_for 20 up_again
is "attributes outlive the master daemon" "$(on master "$PROGS/api4_node" get 1 many28)" 1
bplab daemon n1 kill
bplab daemon n1 start
node_is_new() {
    [[ $(on master "$PROGS/api4_node" get 1 many28) == "No data available" ]] && up_again
}
ok "but not the node" wait_for 20 node_is_new
like "which tells what it is when it comes" "$(on master "$PROGS/api4_node" get 1 cpus)" '^[0-9]+$'
done_testing
