/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descriptors that this process has open. */
#ifndef BPROC_DESCRIPTORS_H
#define BPROC_DESCRIPTORS_H

#include <stddef.h>

/*
 * All numbers in *list, malloc'd, the caller's to free; *count of them. They are noted before the
 * caller can open others, which are therefore not met. 0, -ENOMEM or what opendir(3) said.
 */
int descriptors_list(int **list, size_t *count);

/* Closes all but those in `keep`, which -1 ends. As descriptors_list(). */
int descriptors_close(const int *keep);

/* Whether `fd` is in a list that -1 ends. */
int descriptors_have(const int *list, int fd);

#endif
