/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the connection share; nobody else includes this. conn.c holds the life of a
 * connection, conn_send.c its queue and what goes into it, conn_read.c cuts the incoming bytes into
 * messages, conn_local.c and conn_tls.c move bytes.
 */
#ifndef BPROC_CONN_IO_H
#define BPROC_CONN_IO_H

#include <sys/queue.h>

#include "common/conn.h"

enum conn_phase {
    CONN_HANDSHAKE,     /* TLS: not yet connected, or not yet verified */
    CONN_OPEN,
    CONN_FLUSHING,      /* conn_close_after_send(): nothing is taken in any more */
    CONN_CLOSED         /* on_close was called; the memory goes a turn later */
};

struct out_frame {
    TAILQ_ENTRY(out_frame) next;
    uint8_t *bytes;
    size_t len, sent;
    int *fds;           /* duplicates, gone with the first byte */
    unsigned nfds;
};

struct conn_transport {
    /* Bytes moved, 0 at the end of the stream (read only), -EAGAIN, another -errno. */
    ssize_t (*read)(struct conn *conn, uint8_t *bytes, size_t len);
    ssize_t (*write)(struct conn *conn, const uint8_t *bytes, size_t len, const int *fds,
                     unsigned nfds);
    /* One step of the handshake: 0 done, -EAGAIN, -errno. NULL: there is none. */
    int (*handshake)(struct conn *conn);
    void (*finish)(struct conn *conn);
};

struct conn {
    const struct conn_transport *transport;
    const struct conn_ops *ops;
    void *arg;
    struct event_base *base;
    struct event *on_read, *on_write, *on_timer;
    enum conn_phase phase;
    int fd;
    SSL *ssl;
    int connecting;             /* TCP's own handshake still runs */
    int shut;                   /* flushed; waits for the peer to close */
    int paused;                 /* conn_pause() */
    int peer_gone;              /* its end was read: there is nobody to be told of ours */
    int packets;                /* seqpacket: one recvmsg takes a whole frame */
    char failure[200];          /* set where on_close may not be called: reason for later */

    uint8_t *in;                /* what has come and was not delivered; NULL: nothing */
    size_t in_size, in_start, in_end;
    int fds[BPROC_MAX_FDS];     /* that came with the last read: of the message it ends in */
    unsigned nfds;
    int too_many;               /* more descriptors came than a message or the owner may have */
    unsigned *held, held_max;   /* conn_set_quota() */

    TAILQ_HEAD(out_queue, out_frame) out;
    size_t queued;
    int patient;                /* all of that may wait for what is said next, until on_timer */
};

extern const struct conn_transport conn_local_transport, conn_tls_transport;

/* Writes what the transport takes now; after the last of it a flushing connection ends. */
void conn_queue_send(struct conn *conn);

/* Forgets what was not written. */
void conn_queue_drop(struct conn *conn);

/* Takes in what is there, a bounded number of messages. Closes the connection on bad bytes. */
void conn_take_in(struct conn *conn);

/* Forgets what has come and was not delivered, descriptors included. */
void conn_input_drop(struct conn *conn);

/* The next step of the handshake, and of TCP's before it; after the last one the owner hears. */
void conn_tls_step(struct conn *conn);

/* Words for the failure that OpenSSL reported last. */
void conn_tls_reason(struct conn *conn, int error, char *text, size_t len);

#endif
