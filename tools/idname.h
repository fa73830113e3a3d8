/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of users and groups. The last of each is remembered, as most nodes that stand together in a
 * list belong to the same ones, and the system's own look-up reads its files each time.
 */
#ifndef TOOLS_IDNAME_H
#define TOOLS_IDNAME_H

#include <sys/types.h>

/* NULL if there is none; good until the next call. Blocks for the system's look-up. */
const char *idname_user(uid_t uid);
const char *idname_group(gid_t gid);

#endif
