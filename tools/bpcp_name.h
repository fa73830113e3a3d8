/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of files as they are typed. Nothing here blocks. */
#ifndef TOOLS_BPCP_NAME_H
#define TOOLS_BPCP_NAME_H

#include <stdbool.h>

/*
 * The name that a copy of `path` has in the target, malloc'd, NULL without memory. Empty for ".",
 * ".." and "/": the contents go into the target itself.
 */
char *name_of_copy(const char *path);

/* Could it stand for several names? */
bool name_is_pattern(const char *name);

/* Is `name` what the copy of `asked`, a name_of_copy() that may be a pattern, may be called? */
bool name_answers(const char *name, const char *asked);

#endif
