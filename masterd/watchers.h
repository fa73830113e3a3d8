/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients that asked to be told of changes (P_NOTIFY): each gets one byte for what happened in one
 * turn of the loop, or, where many watch and much happens, since it was told last: a thousand
 * watchers are told every 20 ms at most. A client that does not read misses nothing: bytes are in
 * its socket already.
 */
#ifndef MASTERD_WATCHERS_H
#define MASTERD_WATCHERS_H

#include "common/conn.h"

/*
 * `link`: a control link, which gets a P_NOTIFY in place of the byte. 0 or -ENOMEM. The connection
 * stays its owner's, who calls watchers_remove() in on_close.
 */
int watchers_add(struct conn *conn, int link);
void watchers_remove(struct conn *conn);

/* Something changed; the bytes go from the loop. */
void watchers_tell(void);
void watchers_stop(void);

#endif
