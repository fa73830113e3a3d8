/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Word to the service manager (the datagram protocol of sd_notify(3)), without its library.
 * Without NOTIFY_SOCKET in the environment every call does nothing. Never blocks, never fails.
 */
#ifndef BPROC_NOTIFY_H
#define BPROC_NOTIFY_H

/* Remembers NOTIFY_SOCKET and takes it out of the environment, so that no child speaks for us. */
void notify_init(void);

void notify_ready(void);
void notify_stopping(void);

/* Around a reload: the manager waits from the first to notify_ready(). */
void notify_reloading(void);

/* One line for `systemctl status`. */
void notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
