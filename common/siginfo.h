/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A signal that came as a message, given to a process. The kernel lets nobody claim to be another
 * sender of a plain kill(2): only one with a value keeps its sender.
 */
#ifndef BPROC_SIGINFO_H
#define BPROC_SIGINFO_H

#include "proto/bproc.h"

/* By `pidfd`; if that is -1, by msg->pid. 0 or -errno. Does not block. */
int siginfo_send(const signal_msg *msg, int pidfd);

#endif
