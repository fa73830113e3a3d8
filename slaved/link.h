/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control link to the master: one TLS connection, made again whenever it ends.
 *
 * Life of a connection: TCP, TLS (it must be the master who is there), our P_HELLO, its answer: the
 * link is up. Then messages both ways. The kernel watches that the master's machine is there.
 * After its end, or a failure on the way, the next attempt comes 0.1 s later, then after twice the
 * pause each time, up to 5 s, with a random part, so that the nodes do not all come at once.
 *
 * link_reconnect() makes another connection beside it and, when the master has agreed, switches to
 * it without a message lost or overtaken: P_NODE_SWITCH is the last over the old one, and the new
 * one is not listened to before the old one has been read to its end.
 */
#ifndef BPROC_SLAVED_LINK_H
#define BPROC_SLAVED_LINK_H

#include <stdint.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "proto/frame.h"

struct link_settings {
    const char *host;
    int port;
    const char *source;         /* address to come from; NULL: any */
    SSL_CTX *ctx;               /* borrowed */
    int node;
    unsigned data_port;
    int orphan_timeout;
    void (*on_up)(const hello_ret *hello);
    void (*on_down)(void);      /* after an on_up only */
    void (*on_switched)(void);  /* to another connection */
    void (*on_set_down)(const char *words);     /* the administrator does not want this node */
    void (*on_message)(const struct frame_header *header, const uint8_t *body);
};

/* Starts to connect. The settings are kept, not copied. 0 or -errno. Does not block. */
int link_start(struct event_base *base, const struct link_settings *settings);

int link_is_up(void);

/* Milliseconds since the master's machine gave a sign of life over the link; -1: it is not up. */
int64_t link_silence(void);

/* Queues an event or a call. 0, -ENOTCONN when the link is not up, conn_send()'s. */
int link_event(bproc_proc proc, xdrproc_t encode, const void *body);
int link_call(bproc_proc proc, uint32_t serial, xdrproc_t encode, const void *body);

/* A P_NODE_RECONNECT call of the master. */
void link_reconnect(const struct frame_header *header, const uint8_t *body);

/* Answer a call of the master; nothing when the link is not up any more. */
void link_reply(const struct frame_header *to);
void link_refuse(const struct frame_header *to, int error, const char *words);

/* The master spoke against the protocol: ends the connection; there will be another. */
void link_break(const char *reason);

void link_stop(void);

#endif
