/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose a process is that is to leave a node, and whether what the node says of it can be: its
 * number, its user and groups, its parent, group and session. Looked up for each question; nothing
 * is kept.
 */
#ifndef MASTERD_PASSAGE_CHECK_H
#define MASTERD_PASSAGE_CHECK_H

#include <stddef.h>

#include "masterd/nodetable.h"
#include "proto/bproc.h"

struct rights;

/* 0, or the errno and why in text[len]. BPROC_PID_TAKEN: another number may do. */
int passage_check(const struct node *from, const depart_arg *arg, char *text, size_t len);

/* The rights of the process that it says it comes from; NULL: it has no such one. Borrowed. */
struct rights *passage_origin(const struct node *from, const depart_arg *arg);

#endif
