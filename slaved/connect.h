/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TCP connection to the master in the making. One at a time.
 */
#ifndef BPROC_SLAVED_CONNECT_H
#define BPROC_SLAVED_CONNECT_H

#include <event2/event.h>

/* `fd`: the connected socket, the callee's; or -errno. */
typedef void connect_fn(int fd);

/*
 * Begins to connect to host:port, from the address `source` (ADDRESS or ADDRESS:PORT; NULL: any).
 * `done` comes once, from the loop, after at most `seconds`. A host name is looked up here and
 * blocks for that long: there is nobody to talk to meanwhile.
 */
void connect_start(struct event_base *base, const char *host, int port, const char *source,
                   int seconds, connect_fn *done);

/* `done` will not come. */
void connect_cancel(void);

#endif
