/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The master asks what this node and its processes use. A helper, bproc-usage, finds out: started
 * at the first question, it stays for the next ones; one that is waiting for a process keeps nobody
 * else waiting, the answer then comes late or never. Nothing here blocks.
 */
#ifndef BPROC_SLAVED_USAGE_H
#define BPROC_SLAVED_USAGE_H

#include <event2/event.h>

void usage_init(struct event_base *base, int node);

/* The master's question. Logs a failure. */
void usage_asked(void);

void usage_finish(void);

#endif
