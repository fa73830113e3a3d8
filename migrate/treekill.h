/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a process that must not go on, and of all that it has forked. */
#ifndef BPROC_TREEKILL_H
#define BPROC_TREEKILL_H

#include <sys/types.h>

/* `pidfd`: says that the number is still its own. Nothing happens if it has ended, or -1. */
void treekill(pid_t pid, int pidfd);

#endif
