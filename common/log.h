/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemons' log: stderr with <N> priority prefixes under a service manager or in the
 * foreground (plain text when stderr is a terminal), syslog otherwise. Control characters in
 * messages are escaped, libevent's own messages come here too. Libraries do not log.
 */
#ifndef BPROC_LOG_H
#define BPROC_LOG_H

#include <stdint.h>

/* Call once at start. `facility`: a syslog facility; 0 with `foreground`: stderr. */
void log_init(const char *program, int foreground, int facility, int verbose);

/* The first adds strerror(errno). */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Ends the process with status 1. For start-up failures and broken invariants only. */
void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void fatalx(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* For messages a peer can provoke: at most `burst` a minute, then one line with the count. */
struct log_limit { int64_t minute; unsigned count; };
void log_limited(struct log_limit *limit, unsigned burst, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The facility's number, or -1 if the name is unknown. */
int log_facility(const char *name);

#endif
