/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text as a ghost has it, without libc: numbers and names. */
#ifndef BPROC_GHOSTTEXT_H
#define BPROC_GHOSTTEXT_H

#include <stddef.h>

/* The digits of `number`, which is not negative, at the end of `text`; where they begin. */
char *ghosttext_format(char *text, size_t size, int number);

/* A number, perhaps negative; of what follows it nothing is said. */
int ghosttext_number(const char *text);

/* What is behind the last slash of `path`. */
const char *ghosttext_name(const char *path);

#endif
