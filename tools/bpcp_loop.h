/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the transfers of a run going, all at once, until they are over. A signal that ends the
 * caller ends the tasks first; from the terminal they have had it, as they are in his process
 * group.
 */
#ifndef TOOLS_BPCP_LOOP_H
#define TOOLS_BPCP_LOOP_H

#include <stddef.h>

#include "tools/bpcp_bar.h"
#include "tools/bpcp_transfer.h"

/*
 * Blocks until every transfer is over. `signal_fd`: task_prepare()'s. 0, or -errno when the loop
 * itself cannot go on.
 */
int transfers_run(struct transfer *transfers, size_t count, const struct task_plan *plan,
                  int signal_fd, struct bar *bar);

#endif
