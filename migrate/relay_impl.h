/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the relay share; nobody else includes this.
 *
 * Data is pulled, not queued: when the connection can take more, relay_link.c first formats the
 * marks that are due (credits, ends), then asks one stream after the other (relay_source.c) to
 * read a chunk right behind the frame's prefix. So a mark waits for one chunk at most, and what
 * the sending side holds is one buffer for all streams, from which the connection gets full TLS
 * records. On the receiving side (relay_rx.c) bytes go from the connection straight into the
 * stream's ring (relay_sink.c), which never holds more than the window.
 *
 * So a stream's end never comes before its data, though marks go first: it is due only when a read
 * has found nothing more, and all that was read before lies in the buffer, in front of it, or has
 * left it. It may come before data of another stream that was written earlier, as that may not have
 * been read: nothing is promised across streams.
 *
 * A stream has two directions. The outgoing one ends when the source's end has been read, or the
 * peer said P_STREAM_CLOSED; either way a P_STREAM_EOF goes out. The incoming one ends when that
 * mark has arrived and the ring is empty or its sink broken; P_STREAM_CLOSED, sent once for each,
 * tells the break as well as the end. So with both marks exchanged each side knows that nothing is
 * on its way any more.
 */
#ifndef BPROC_RELAY_IMPL_H
#define BPROC_RELAY_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "migrate/relay.h"
#include "migrate/relay_fd.h"
#include "migrate/relay_pages.h"
#include "migrate/relay_ring.h"
#include "proto/frame.h"

#define RELAY_WINDOW RING_MAX               /* of a direction of a stream */
#define RELAY_MESSAGE_WINDOW (1024 * 1024)  /* the same when messages must stay whole */
#define RELAY_MESSAGE_MAX (512 * 1024)      /* the longest such message */
#define RELAY_CHUNK (256 * 1024)            /* read for a stream before the next one's turn */
#define RELAY_TURN (256 * 1024)             /* taken from the connection in one turn of the loop */
#define RELAY_RECORD PAGES_RECORD           /* bytes in front of a record: its length */
#define RELAY_TLS_RECORD SSL3_RT_MAX_PLAIN_LENGTH
#define RELAY_MARKS (BPROC_MAX_STREAMS * 6 * (FRAME_PREFIX + 4))
#define RELAY_BODY_MAX (RELAY_CHUNK + RELAY_RECORD + RELAY_MESSAGE_MAX)
#define RELAY_TX_SIZE (RELAY_TLS_RECORD + RELAY_MARKS + FRAME_PREFIX + RELAY_BODY_MAX)

struct relay_stream {
    struct relay *relay;
    unsigned id;
    stream_kind kind;
    size_t window;
    size_t record_max;          /* 0: plain bytes */
    struct relay_fd source;
    struct relay_fd sink;       /* a copy of `source` when `duplex` */
    bool duplex;                /* one descriptor both ways: a socket */

    struct event *readable;
    TAILQ_ENTRY(relay_stream) ready_link;
    bool ready;                 /* in the list of those to be read next */
    bool source_none;           /* there never was any */
    bool sink_none;
    bool source_done;
    bool shared;                /* others may hold the source as well */
    bool waiting;               /* for them to let go or the process to ask, with data there */
    bool held_told;             /* the peer looks whether the process asks */
    size_t wanted;              /* bytes the process asked for; 0: no limit */
    int64_t scanned_ms;         /* when all processes were looked at last */
    bool draining;              /* to be read empty for a flush */
    int drain_left;             /* bytes it held at the flush; -1 unknown */
    size_t credit;              /* bytes the peer still takes */

    struct event *writable;
    struct event *reader_gone;
    struct ring ring;
    size_t checked;             /* bytes of the ring that may be written: whole records */
    size_t record_left;         /* of a record that was written in part */
    size_t granted;             /* bytes the peer may still send */
    size_t taken;               /* bytes gone from the ring and not yet granted anew */
    size_t flush_left;          /* bytes of the ring that a flush waits for */
    bool eof_received;
    bool closed_received;
    bool closed_sent;
    bool sink_broken;
    bool sink_done;
    bool sink_blocked;          /* full; stream->writable waits */
    bool asked;                 /* to tell when the process waits for bytes */
    size_t wants;               /* bytes it waits for, not yet told */
    bool late_shut_read;        /* to be done when the parent has let go */
    bool late_shut_write;

    bool due_credit;
    bool due_held;
    bool due_eof;
    bool due_closed;
};

TAILQ_HEAD(stream_list, relay_stream);

struct relay_rx {
    uint8_t prefix[FRAME_PREFIX];
    size_t have;                /* bytes of the prefix */
    struct frame_header header;
    size_t left;                /* bytes of the body */
    uint8_t small[4];
    struct relay_stream *stream;
    struct relay_stream *gathered;      /* has bytes of this turn that are not written yet */
    bool data;                  /* of some stream has come */
    bool wants_write;           /* TLS must write before it can read on */
};

/* CLOSING: with the streams' ends all has been said, and the peer's marks answer. */
enum flush_state { FLUSH_NONE, FLUSH_DRAINING, FLUSH_SENT, FLUSH_CLOSING, FLUSH_DONE };

struct relay {
    struct event_base *base;
    SSL *ssl;
    const struct relay_ops *ops;
    void *arg;
    struct relay_stream *streams[BPROC_MAX_STREAMS];
    struct stream_list ready;

    struct event *tls_readable;
    struct event *tls_writable;
    struct event *again;        /* the rest of a turn that was cut short */
    struct event *notify;       /* hands the callbacks out, one each time */
    struct relay_rx rx;
    struct pages pages;
    uint8_t *tx;
    size_t tx_off;
    size_t tx_len;
    bool tx_blocked;            /* tls_writable waits */
    bool tx_urgent;             /* not only marks that came in this turn, or the last word */
    bool tx_gathered;           /* TLS may have some of it yet */
    bool due;                   /* some stream has a mark to send */

    bool direct;                /* what the peer has delivered needs no flush any more */
    enum flush_state flush;
    unsigned draining;          /* streams not yet read empty */
    bool flush_received;
    bool flush_asked;           /* the owner has it to answer */
    bool due_flushed;
    unsigned flush_waiting;     /* streams whose ring holds bytes from before the flush */

    struct ucred sender;        /* pid 0: we ourselves */
    bool own;                   /* nobody shares the ends */
    int parent_dir;             /* /proc/PID of the parent; -1 none */
    struct event *hold_timer;
    struct event *peer_timer;
    unsigned hold_ms;
    struct event *want_timer;
    unsigned want_ms;

    bool last;                  /* says so unasked as soon as it is idle */
    bool due_over;
    bool over_sent;
    bool over_received;
    bool said_over;

    bool say_flush;
    bool say_flushed;
    bool say_idle;
    bool said_idle;
    bool say_over;
    bool say_broken;
    bool broken;
    char reason[160];
};

/* ---- relay.c: nothing here blocks -------------------------------------------------------- */

/* Ends all traffic; the first reason counts and reaches the owner by on_broken. */
void relay_break(struct relay *relay, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Has the loop come back for what can be done at once. */
void relay_turn_soon(struct relay *relay);

/* Has the owner told if the relay has become idle. */
void relay_check_idle(struct relay *relay);

/* Has the owner told if both sides have said their last word. */
void relay_check_over(struct relay *relay);

/* Everything has been said and delivered on all streams. */
bool relay_is_idle(const struct relay *relay);

/* Has the loop call the owner for what the say_ flags tell. */
void relay_notify(struct relay *relay);

/* ---- relay_stream.c: a stream's two ends; made by relay_add() -------------------------------- */

/* The peer is to be told about the stream: one of its due_ flags has been set. */
void stream_due(struct relay_stream *stream);

/* Messages of a socket, as opposed to records of a pipe and to plain bytes. */
bool stream_has_messages(const struct relay_stream *stream);

/* Both directions have ended, and the peer knows. */
bool stream_is_over(const struct relay_stream *stream);

/* Shuts sockets down for good: the parent no longer shares them. */
void stream_shut_late(struct relay_stream *stream);

/* Ends one direction of the descriptor, or all of it when the other one has ended before. */
void stream_close_source(struct relay_stream *stream);
void stream_close_sink(struct relay_stream *stream);

/* Waits for nothing any more. */
void stream_stop(struct relay_stream *stream);

/* Closes its descriptors. NULL is allowed. */
void stream_free(struct relay_stream *stream);

/* ---- relay_flush.c: the last words of a process ------------------------------------------- */

/* Its output has been read empty, and nothing has been said of that yet. */
bool flush_is_due(const struct relay *relay);

/* True: the peer is to be asked whether it has delivered all. Else it has, and the owner hears. */
bool flush_begin(struct relay *relay);

/* Where no flush is due to come: all output has ended and is delivered, and the owner hears it. */
void flush_spare(struct relay *relay);

/* Nothing can follow from here but the last word. */
bool flush_is_past(const struct relay *relay);

/* The peer's last word is as good as an answer. */
void flush_over(struct relay *relay);

/* From the peer: the question, the answer. */
void flush_received(struct relay *relay);
void flushed_received(struct relay *relay);

/* All that came before the peer's flush has been delivered. */
void flush_delivered(struct relay *relay);

/* ---- relay_link.c: the connection, and what is said ----------------------------------------- */

/* After a call that failed. 0: the connection must be waited for, *want says how; -1: it broke. */
int link_result(struct relay *relay, int result, int *want);

/* Sends while there is something to send and the connection takes it. */
void link_pump(struct relay *relay);

/* Callbacks of the connection's events and of relay->again; `arg` is the relay. */
void link_on_readable(evutil_socket_t fd, short what, void *arg);
void link_on_writable(evutil_socket_t fd, short what, void *arg);

/* ---- relay_rx.c: what the peer says --------------------------------------------------------- */

/* Takes what the connection has next: bytes; 0: none there, or broken. */
size_t rx_step(struct relay *relay);

/* Writes what came in a row for a stream. Each write by itself wakes the reader. */
void rx_write(struct relay *relay);

/* ---- relay_source.c: from a descriptor to the peer ---------------------------------------- */

/* Waits for the source, or no longer, as far as the peer has room and it is not read already. */
void source_wait(struct relay_stream *stream);

/*
 * Reads up to one chunk as the body of a data frame; the bytes put at `body`, which has room for
 * RELAY_BODY_MAX, or 0.
 */
size_t source_read(struct relay_stream *stream, uint8_t *body);

/* The peer takes `bytes` more. */
void source_credit(struct relay_stream *stream, size_t bytes);

/* Nothing more is read; the peer is told. */
void source_end(struct relay_stream *stream);

/* The process waits for `bytes` of a source that others hold. */
void source_wanted(struct relay_stream *stream, size_t bytes);

/* Begins to read the source empty. */
void source_drain(struct relay_stream *stream);

/* Callback of stream->readable. */
void source_on_readable(evutil_socket_t fd, short what, void *arg);

/* ---- relay_sink.c: from the peer to a descriptor ------------------------------------------ */

/* `len` bytes more are in the ring; plain ones may be written at once. */
void sink_put(struct relay_stream *stream, size_t len);

/*
 * The last `len` bytes of the ring are the whole body of a data frame: checks the records in it,
 * which may be written from then on. 0, or -EPROTO.
 */
int sink_check(struct relay_stream *stream, size_t len);

/* Writes what the descriptor takes. */
void sink_write(struct relay_stream *stream);

/* The peer's data has ended. */
void sink_eof(struct relay_stream *stream);

/* Nothing more can be written; the peer is told. */
void sink_break(struct relay_stream *stream);

/* Callbacks of stream->writable and stream->reader_gone. */
void sink_on_writable(evutil_socket_t fd, short what, void *arg);
void sink_on_reader_gone(evutil_socket_t fd, short what, void *arg);

/* ---- relay_hold.c: others' hold on an original ---------------------------------------------- */

/* True when another process, the parent first of all, has the source open still. */
bool hold_check(struct relay_stream *stream);

/* Has the timer look again until all let go of what `waiting` and `late_` flags tell. */
void hold_wait(struct relay *relay);

/* Callback of relay->hold_timer. */
void hold_on_timer(evutil_socket_t fd, short what, void *arg);

/* ---- relay_want.c: on the node, what the process asks of a source that others hold ----------- */

/* The peer has bytes and must not read them unasked. */
void want_ask(struct relay_stream *stream);

/* Callback of relay->want_timer. */
void want_on_timer(evutil_socket_t fd, short what, void *arg);

/* ---- relay_peer.c: the end of a datagram socket's peer -------------------------------------- */

/*
 * No event tells that nobody has the other end any more, so once the process has ended the
 * kernel is asked now and then, until its descendants have gone, too.
 */
void peer_watch(struct relay *relay);

/* Callback of relay->peer_timer. */
void peer_on_timer(evutil_socket_t fd, short what, void *arg);

#endif
