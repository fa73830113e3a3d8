/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a path can be trusted by root: every folder on the way and the file itself belong to
 * root (or to us) and nobody else may write there; a folder with the sticky bit is fine.
 */
#ifndef BPROC_PATH_H
#define BPROC_PATH_H

#include <stddef.h>

/* 0; -EACCES with a reason naming the culprit in text[len]; another -errno. Blocking. */
int path_check(const char *path, char *text, size_t len);

#endif
