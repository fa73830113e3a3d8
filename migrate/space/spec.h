/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an exec_spec describes: read by who launches, become by the child between its fork and its
 * exec. That child may share the memory of who launches.
 */
#ifndef BPROC_SPACE_SPEC_H
#define BPROC_SPACE_SPEC_H

#include "proto/bproc.h"

/*
 * Once, in init, when it has the limits and capabilities that it is going to have; else more is set
 * than need be.
 */
void spec_init(void);

/*
 * Reads the specification from the start of `fd`. 0 with *spec filled, to be ended with
 * frame_free(); -E2BIG, -EPROTO, -ENOMEM or what reading said. Blocks on the file only.
 */
int spec_read(int fd, exec_spec *spec);

/* The lowest descriptor number above all that spec_take() will open. */
int spec_above(const exec_spec *spec);

/*
 * Takes over credentials, restraint, limits and folder, and opens the files. 0 or -errno; the
 * process is then only good to end. May block, as open(2). Changes no memory.
 */
long spec_take(const exec_spec *spec, const launch_exec_arg *who);

/*
 * Takes over signals (all of them are at their default), then executes the command, or the file
 * open as `exe` if that is not -1. Both lists end with NULL. Returns only on failure, with -errno.
 * Changes no memory.
 */
long spec_exec(const exec_spec *spec, char *const *argv, char *const *envp, int exe);

#endif
