/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A message connection on a libevent loop: a local socket (descriptors travel too) or TLS.
 *
 * Life: conn_new_*() with callbacks; messages arrive one by one through on_message; the end
 * arrives exactly once through on_close, whoever caused it (peer closed, bad bytes, send queue
 * over its limit, conn_close()). The owner drops its pointer in on_close; the memory itself goes
 * from the loop a turn later, so that callbacks may close the connection they stand in.
 * A peer's bad bytes end its connection, never the process.
 */
#ifndef BPROC_CONN_H
#define BPROC_CONN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "proto/frame.h"

struct conn;

struct conn_ops {
    /*
     * A whole message. `fds` (header->nfds of them, close-on-exec) belong to the connection and are
     * closed after the call, except those the callee set to -1 (taken).
     */
    void (*on_message)(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                       int *fds, void *arg);
    /* The connection is over; `reason` is text for the log. Never called from conn_new_*(). */
    void (*on_close)(struct conn *conn, const char *reason, void *arg);
    /* TLS only, may be NULL: the handshake is done and the peer's certificate was verified. */
    void (*on_ready)(struct conn *conn, void *arg);
};

/* Takes `fd` (stream or seqpacket unix socket, made non-blocking). NULL and errno on failure. */
struct conn *conn_new_local(struct event_base *base, int fd, const struct conn_ops *ops, void *arg);

/*
 * TLS over `fd` (connected or connecting TCP), as client or server, with a context of tls.h.
 * Takes fd and closes it at the end, also on failure. NULL and errno on failure. A handshake that
 * is not over in `handshake_seconds` ends the connection.
 */
struct conn *conn_new_tls(struct event_base *base, int fd, SSL_CTX *ctx, int server,
                          int handshake_seconds, const struct conn_ops *ops, void *arg);

/*
 * Queues one message; never blocks. To a local peer it goes out at once, over TLS with all others
 * of this turn of the loop. `encode` NULL: empty body. Descriptors are duplicated, the
 * caller keeps his. 0, -EMSGSIZE, -ENOMEM, -EPIPE (closing), -ENOBUFS (peer does not read: more
 * than 16 MiB queued; the connection is closed).
 */
int conn_send(struct conn *conn, bproc_kind kind, bproc_proc proc, uint32_t serial, int status,
              xdrproc_t encode, const void *body, const int *fds, unsigned nfds);

/*
 * An event that nobody waits for: over TLS it goes out with what is sent next, after a tenth of a
 * second at the latest. Otherwise as conn_send().
 */
int conn_event_patient(struct conn *conn, bproc_proc proc, xdrproc_t encode, const void *body);

/* TLS only: writes now what the transport takes; for one whose owner is about to end. */
void conn_flush(struct conn *conn);

/* Shorthands: an event; a good reply; a reply that says why not (errno and words). */
int conn_event(struct conn *conn, bproc_proc proc, xdrproc_t encode, const void *body);
int conn_reply(struct conn *conn, const struct frame_header *to, xdrproc_t encode,
               const void *body);
int conn_refuse(struct conn *conn, const struct frame_header *to, int error, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Writes raw bytes without a frame (the notifier's); drops them when the peer does not read. */
void conn_raw(struct conn *conn, const void *bytes, size_t len);

/* Takes nothing in, not even the end, until it is told to go on. */
void conn_pause(struct conn *conn, int paused);

/* Sends what is queued (bounded by 5 s), then closes; on_close comes from the loop. */
void conn_close_after_send(struct conn *conn);

/* Closes now; on_close comes before this returns. NULL is allowed. */
void conn_close(struct conn *conn, const char *reason);

/* Kernel's word on who is at the other end of a local socket; 0 or -errno. */
int conn_peer(struct conn *conn, pid_t *pid, uid_t *uid, gid_t *gid);

/*
 * TLS only: the kernel asks the peer's kernel while nobody has anything to say, and ends the
 * connection when that machine has not answered for `seconds`.
 */
void conn_watch(struct conn *conn, int seconds);

/* TLS only: for how many milliseconds nothing has come from the peer's machine; -1 unknown. */
int64_t conn_silence(struct conn *conn);

SSL *conn_ssl(struct conn *conn);       /* NULL for local ones; borrowed */
int conn_fd(const struct conn *conn);   /* borrowed */
void *conn_arg(const struct conn *conn);
void conn_set_arg(struct conn *conn, void *arg);
void conn_set_ops(struct conn *conn, const struct conn_ops *ops, void *arg);

/*
 * Descriptors in messages that are not whole yet are counted in *held, which several connections
 * may share; the one that goes over `max` is closed. NULL: no more counting, to be called before
 * the counter goes.
 */
void conn_set_quota(struct conn *conn, unsigned *held, unsigned max);

/* Decodes a message's body into `var` of `type`; 0 or -EPROTO (then close the connection). */
#define conn_decode(type, header, body, var) \
    frame_decode(FRAME_XDR(type), body, (header)->body_len, var, sizeof(type))

#endif
