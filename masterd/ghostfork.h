/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ghost without a parent here: its process's parent has no ghost, or that cannot have it. */
#ifndef MASTERD_GHOSTFORK_H
#define MASTERD_GHOSTFORK_H

#include "proto/bproc.h"

struct rights;

/*
 * Forks a ghost under the process's number, of its user and with his limits, as a child of
 * whoever adopts orphans. It connects by itself. 0 when that is under way; -errno. Does not block.
 */
int ghostfork_orphan(const born_msg *born, int node, const struct rights *rights);

#endif
