/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going to the background so that whoever started the daemon learns whether the start succeeded.
 * daemon_begin() forks; the parent waits for the child's word. daemon_ready() lets it exit with 0;
 * a child that ends before makes it exit with 1.
 */
#ifndef BPROC_DAEMON_H
#define BPROC_DAEMON_H

/* 0 in the child (a new session, stdin from /dev/null); -errno. Does not return in the parent. */
int daemon_begin(void);

/* Start has succeeded. stdout and stderr go to /dev/null. Nothing without daemon_begin(). */
void daemon_ready(void);

/*
 * Between fork() and exec() of a helper: lets go of the stdout and stderr of whoever started the
 * daemon, who may wait for their end. Nothing without daemon_begin(). 0 or -errno.
 */
int daemon_helper_output(void);

/*
 * Holds `path` locked and with our pid inside for as long as we live. 0 or -errno; -EWOULDBLOCK
 * when another instance holds it.
 */
int daemon_lock(const char *path);

/* Default dispositions but SIGPIPE ignored, empty mask. */
void daemon_signals(void);

#endif
