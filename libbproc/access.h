/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the caller may use a node of which he holds a record. */
#ifndef BPROC_ACCESS_H
#define BPROC_ACCESS_H

#include <stdint.h>

/*
 * `mode` as for bproc_access(); owner, group and permission bits of a node that `is_up` or not.
 * 0, -EPERM, -EINVAL for another mode, -ENOMEM. Does not block.
 */
int access_judge(int mode, int is_up, uint32_t uid, uint32_t gid, unsigned bits);

#endif
