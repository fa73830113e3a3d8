/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With whose rights a process of a node may act elsewhere: what the master knows of it from the
 * time it was sent there, whatever the node says now. Children that are forked on the node share
 * their parent's.
 *
 * Life: made with the entry of a process that is sent to a node, held by its descendants' entries,
 * freed with the last of them.
 */
#ifndef MASTERD_RIGHTS_H
#define MASTERD_RIGHTS_H

#include <sys/types.h>

#include "proto/bproc.h"

struct rights;

/*
 * Held once; NULL when there is no memory, or for an id that is none. What it may have at most is
 * what the process `like` of this machine, a child of `parent` that is under `least`, has, or what
 * the other rights say.
 */
struct rights *rights_new(uid_t uid, gid_t gid, const unsigned *groups, unsigned ngroups,
                          const restraint *least, pid_t like, pid_t parent);
struct rights *rights_new_from(const struct rights *rights, uid_t uid, gid_t gid,
                               const unsigned *groups, unsigned ngroups);

/* Those of a process of this machine, as a ghost is; NULL when it is not there. */
struct rights *rights_of_task(pid_t pid);

/* Both take NULL. */
struct rights *rights_hold(struct rights *rights);
void rights_release(struct rights *rights);

/* Whether its parent, group or session had that number when it was sent. */
int rights_has_kin(const struct rights *rights, int number);

/* Borrowed, as long as the rights are held. */
process_bounds rights_bounds(struct rights *rights);

/* Takes the limits and the restraint for the calling process, which is root's. 0 or -errno. */
int rights_impose(const struct rights *rights);

uid_t rights_uid(const struct rights *rights);

/*
 * Makes ids that a node names for a process with these rights such as it may have: all but root's
 * are its own. 0; -EINVAL for an id that is none. NULL: nothing is known yet.
 */
int rights_limit(const struct rights *rights, uid_t *uid, gid_t *gid);

/* Whether who has them may have these ids; root may have any. */
int rights_cover(const struct rights *rights, uid_t uid, gid_t gid, const unsigned *groups,
                 unsigned ngroups);

#endif
