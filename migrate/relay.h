/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The streams of one process, carried over one TLS connection. On the master the mover holds the
 * originals, on the node the receiver holds the other ends of what the process got; both run this
 * code, on an event loop.
 *
 * Life: relay_new() for a connection whose handshake is done (bulk.h may go on using it),
 * relay_add() for each stream, the same ids and kinds on both sides. From relay_begin() on the
 * connection is the relay's, which takes over what has been read ahead, and bytes flow until
 * relay_free(). The callbacks come from the loop, never out of a call of the owner's, and may free
 * the relay.
 *
 * Each direction of a stream has a window of its own: a reader that stalls holds up its stream
 * alone, and memory is bounded by the windows. Nothing is read from a descriptor before the
 * connection and the window have room for it. The ends of a direction travel both ways: the end
 * of the data closes the other side's write end, a broken write end closes the other side's read
 * end. Whatever the peer sends can end the connection (on_broken), never the process.
 *
 * SIGPIPE must be ignored by the process.
 */
#ifndef BPROC_RELAY_H
#define BPROC_RELAY_H

#include <sys/socket.h>
#include <sys/types.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "proto/bproc.h"

struct relay;

struct relay_ops {
    /*
     * What relay_flush() asked for is done: the output has been delivered. Unasked when nothing
     * can follow, with relay_set_direct(). Once; may be NULL.
     */
    void (*on_flushed)(struct relay *relay, void *arg);
    /*
     * All streams have ended in all directions and their bytes have been delivered; once. A flush
     * by the other side may still come, so the side of the originals waits for on_broken. May be
     * NULL.
     */
    void (*on_idle)(struct relay *relay, void *arg);
    /* The connection is over, by its end or by bad bytes; once, nothing moves from then on. */
    void (*on_broken)(struct relay *relay, const char *reason, void *arg);
    /*
     * On the node: for how many bytes of stream `id` the process waits just now, 0: it does not.
     * Asked while somebody at the other side may read them as well. NULL: for as many as there
     * are.
     */
    size_t (*wanted)(struct relay *relay, unsigned id, void *arg);
    /*
     * The other side's process has ended, and what it wrote has been delivered here. The owner says
     * relay_flushed() when it is delivered wherever else that leads. NULL: at once.
     */
    void (*on_flush)(struct relay *relay, void *arg);
    /*
     * Both sides have said that nothing follows: the connection is free for what comes next. Once,
     * nothing moves from then on. NULL: the relay does not take the other side's word.
     */
    void (*on_over)(struct relay *relay, void *arg);
};

/* Borrows `ssl`, which must outlive the relay. NULL and errno on failure. Does not block. */
struct relay *relay_new(struct event_base *base, SSL *ssl, const struct relay_ops *ops, void *arg);

/*
 * Adds stream `id` (below BPROC_MAX_STREAMS). What comes from `read_fd` goes to the peer, what the
 * peer sends goes to `write_fd`; -1: no such direction; a socket, and nothing else, is given as
 * both. Takes the descriptors, on failure too. They are not made non-blocking when others may
 * share them. `flags` are STREAM_F_*. 0, -EINVAL, -EEXIST, -ENOTSOCK, -ENOMEM or what the kernel
 * said. Does not block.
 */
int relay_add(struct relay *relay, unsigned id, stream_kind kind, unsigned flags, int read_fd,
              int write_fd);

/*
 * The connection is the relay's from here on: its socket becomes non-blocking. Once, before the
 * loop runs. 0 or -ENOMEM. Does not block.
 */
int relay_begin(struct relay *relay);

/*
 * Sends what the connection had gathered before it was the relay's, which otherwise goes with the
 * relay's own first bytes. Does not block.
 */
void relay_push(struct relay *relay);

/*
 * Names the process that is likely to share the read ends added without STREAM_F_EAGER. As long
 * as it or any other process here has them open, they are read when the process asks for it.
 * Call before relay_add(). 0 or -errno (-ENOENT: it has gone, which is no reason to worry).
 */
int relay_set_parent(struct relay *relay, pid_t pid);

/*
 * Has sockets written to in the name of that process and user, as a socket's peer may see it; it
 * takes root. Call before relay_add(). Does not block.
 */
void relay_set_sender(struct relay *relay, const struct ucred *sender);

/*
 * Nobody shares the ends, which are pipes and sockets as the streams' kinds have it, so that they
 * may be made non-blocking. Call before relay_add().
 */
void relay_set_own(struct relay *relay);

/*
 * Where the process is: the other side's ends are the caller's own, not ones that a further relay
 * made, so that what has been delivered there has come to its reader. The last word (relay_over())
 * goes out with the ends of the streams then. Call before relay_flush().
 */
void relay_set_direct(struct relay *relay);

/*
 * Where the originals are, when they are the caller's own: as soon as all streams have ended
 * nothing can be asked of this side any more, so that it says its last word (relay_over()) with
 * their ends. After a process that has said nothing both may stay with the connection, to go with
 * what is sent next; the owner sees to it that they go at some time (bulk_flush()). Call before
 * relay_begin().
 */
void relay_set_last(struct relay *relay);

/*
 * The process has ended: reads what its output holds now, sends it and asks the other side to say
 * when it is delivered, unless it is known to have been; then on_flushed. Once only: -EALREADY,
 * also when nothing has been left to do. Does not block.
 */
int relay_flush(struct relay *relay);

/* The answer to on_flush. */
void relay_flushed(struct relay *relay);

/*
 * After on_idle and on_flushed: says that nothing follows, unless the other side has done so. It
 * answers when it is idle; then on_over. Does not block.
 */
void relay_over(struct relay *relay);

/* Closes all descriptors it was given. NULL is allowed. */
void relay_free(struct relay *relay);

#endif
