#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs written for BProc 3: they compile as they are, with all warnings, and run.
. "${0%/*}/lib.sh"

export PKG_CONFIG_PATH=$BPLAB_STAGE$BPROC_LIBDIR/pkgconfig PKG_CONFIG_SYSROOT_DIR=$BPLAB_STAGE
for program in "$BPROC_SOURCE"/tests/progs/api3_*.c; do
    # shellcheck disable=SC2046
    ok "${program##*/} compiles with the installed header" \
        "${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -I"$BPROC_SOURCE" -o "$TMP/program" \
        "$program" $(pkg-config --cflags --libs libbproc)
done
cat >"$TMP/program.cc" <<'END'
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
# shellcheck disable=SC2046
ok "and so does C++" "${CXX:-c++}" -Wall -Wextra -Werror -o "$TMP/program" "$TMP/program.cc" \
    $(pkg-config --cflags --libs libbproc)

lab_up 3
for node in master n1; do
    on $node sh -c 'echo no program >/tmp/none && chmod 755 /tmp/none'
done
cases "vector calls" on master "$PROGS/api3_vector" /tmp/none
cases "vector calls on a node" on master bpsh 1 "$PROGS/api3_vector" /tmp/none
bplab exec master -- bpctl -S 2 -s down
cases "nodes and processes" on master "$PROGS/api3_node"
done_testing
