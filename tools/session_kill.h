/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals for all processes of a session, whatever groups they have made for themselves. */
#ifndef TOOLS_SESSION_KILL_H
#define TOOLS_SESSION_KILL_H

#include <sys/types.h>

/*
 * Sends `signo` to each process of `session` that the caller may signal. One that is forked
 * meanwhile may be missed. Result: how many there were, -errno without /proc. Does not block.
 */
int session_kill(pid_t session, int signo);

#endif
