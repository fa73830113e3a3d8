/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the control link share; nobody else includes this. link.c has the connection
 * and makes it again, reconnect.c makes another one beside it when the master wants it.
 */
#ifndef BPROC_SLAVED_LINK_IMPL_H
#define BPROC_SLAVED_LINK_IMPL_H

#include "common/conn.h"
#include "slaved/link.h"

#define CONNECT_SECONDS 5
#define HANDSHAKE_SECONDS 30    /* thousands may be in the queue before us */

struct control {
    struct event_base *base;
    const struct link_settings *settings;
    struct conn *conn;
    struct event *retry, *ping;
    int up, stopping;
    unsigned pause_ms;
    int ping_timeout;           /* what the master said */
    uint64_t instance;          /* ours */
    uint64_t master_instance;   /* of the master last spoken to */
    char complaint[256];        /* logged last, not to be repeated at every attempt */
    char host[256], source[32]; /* where to connect to, and from; source empty: any */
    int port;
};

extern struct control control;
extern const struct conn_ops link_ops;

/* Who we are, without what is here. */
hello_arg link_hello(void);

/* A connection has ended: if it is the old one, after the switch, the new one is listened to. */
void reconnect_closed(const struct conn *conn);

/* The link is lost meanwhile: nobody is there to switch. */
void reconnect_abandon(void);

#endif
