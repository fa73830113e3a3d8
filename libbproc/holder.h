/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process that shares its parent's memory, and so keeps it when the parent executes another
 * program. It does nothing, has nothing open, and ends by SIGKILL or with its parent.
 */
#ifndef BPROC_HOLDER_H
#define BPROC_HOLDER_H

#include <stddef.h>

/*
 * Its number, or a negative value, once it has nothing open. It runs on `stack`, aligned as malloc
 * does, which must last as long as it. Needs no memory of the caller's own. Its end sends SIGCHLD.
 */
long holder_make(char *stack, size_t size);

#endif
