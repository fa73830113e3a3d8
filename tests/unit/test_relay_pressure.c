/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams that end while the connection takes nothing more: the master's side is not there yet, as
 * if it were busy. Whatever order things are then sent in, each stream has its data before its end.
 */
#include "config.h"

#include "tests/unit/relay_pair.h"

#define LANES 6
#define LANE_BYTES (700 * 1024)     /* less than a window: it is the connection that is full */
#define SOCKET_BUFFER 131072

struct lane {
    stream_kind kind;
    int process, parent;            /* the test's ends */
    size_t sent, got;
    bool wrong, ended;
};

static uint8_t byte_at(const struct lane *lane, const struct lane *lanes, size_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 12) + (size_t)(lane - lanes));
}

static void lane_write(struct lane *lane, const struct lane *lanes)
{
    uint8_t bytes[5000];
    size_t len = LANE_BYTES - lane->sent;
    ssize_t n;

    if (len > sizeof(bytes))
        len = sizeof(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(lane, lanes, lane->sent + i);
    n = len > 0 ? write(lane->process, bytes, len) : 0;
    lane->sent += n > 0 ? (size_t)n : 0;
}

static void lane_read(struct lane *lane, const struct lane *lanes)
{
    static uint8_t bytes[65536];
    ssize_t n = read(lane->parent, bytes, sizeof(bytes));

    lane->ended = lane->ended || n == 0;
    for (ssize_t i = 0; i < n; i++)
        lane->wrong |= lane->ended || bytes[i] != byte_at(lane, lanes, lane->got + (size_t)i);
    lane->got += n > 0 ? (size_t)n : 0;
}

static size_t lanes_write(struct lane *lanes, int first)
{
    size_t sum = 0;

    for (int i = 0; i < LANES; i++) {
        if (i >= first)
            lane_write(&lanes[i], lanes);
        sum += lanes[i].sent;
    }
    return sum;
}

static bool are_written(struct lane *lanes, int first)
{
    bool all = true;

    lanes_write(lanes, first);
    for (int i = first; i < LANES; i++)
        all = all && lanes[i].sent == LANE_BYTES;
    return all;
}

static int lanes_read(struct lane *lanes)
{
    int ended = 0;

    for (int i = 0; i < LANES; i++) {
        lane_read(&lanes[i], lanes);
        ended += lanes[i].ended;
    }
    return ended;
}

static void lanes_end(struct lane *lanes, int first, int count)
{
    for (int i = first; i < first + count; i++)
        if (lanes[i].kind == STREAM_SOCKET)
            shutdown(lanes[i].process, SHUT_WR);
        else
            close(lanes[i].process);
}

static void lane_open(struct pair *pair, int side, struct lane *lane, unsigned id)
{
    int fds[2];
    bool node = side == NODE;

    lane->kind = id % 2 ? STREAM_SOCKET : STREAM_PIPE_WRITE;
    if (lane->kind == STREAM_SOCKET)
        sockets_make(fds, SOCK_STREAM);
    else
        pipe_make(fds, 0);
    fd_nonblock(fds[node]);
    if (lane->kind == STREAM_SOCKET)
        pair_add(pair, side, id, lane->kind, fds[!node], fds[!node]);
    else
        pair_add(pair, side, id, lane->kind, node ? fds[0] : -1, node ? -1 : fds[1]);
    *(node ? &lane->process : &lane->parent) = node ? fds[1] : fds[0];
}

static void side_open(struct pair *pair, int which, struct lane *lanes)
{
    struct side *side = &pair->side[which];
    int bytes = SOCKET_BUFFER;

    setsockopt(SSL_get_fd(side->ssl), SOL_SOCKET, which == NODE ? SO_SNDBUF : SO_RCVBUF, &bytes,
               sizeof(bytes));
    side->relay = relay_new(pair->base, side->ssl, &side_ops, side);
    must(side->relay && relay_begin(side->relay) == 0, "make a relay");
    for (unsigned i = 0; i < LANES; i++)
        lane_open(pair, which, &lanes[i], i);
}

/* Nothing has been taken for 50 ms. */
static bool is_stuck(struct lane *lanes, size_t *before, int64_t *since)
{
    size_t sum = lanes_write(lanes, 0);

    if (sum != *before)
        *since = clock_ms();
    *before = sum;
    return clock_ms() - *since >= 50;
}

static size_t wrong_count(const struct lane *lanes)
{
    size_t wrong = 0;

    for (int i = 0; i < LANES; i++)
        wrong += lanes[i].wrong || lanes[i].got != lanes[i].sent;
    return wrong;
}

int main(void)
{
    struct lane lanes[LANES] = { 0 };
    struct pair pair;
    size_t sum = 0;
    int64_t since = clock_ms();

    signal(SIGPIPE, SIG_IGN);
    pair_open(&pair, 0);
    side_open(&pair, NODE, lanes);
    ok(pair_until(&pair, 20000, is_stuck(lanes, &sum, &since)),
       "a connection that takes nothing holds up who writes");
    ok(sum < LANES * LANE_BYTES, "though the streams' windows are open (%zu)", sum);
    lanes_end(lanes, 0, LANES / 2);
    pair_turn(&pair, 20);

    side_open(&pair, MASTER, lanes);
    ok(pair_until(&pair, 20000, (lanes_write(lanes, LANES / 2), lanes_read(lanes)) == LANES / 2),
       "streams that ended meanwhile end when it goes on");
    ok(pair_until(&pair, 20000, (lanes_read(lanes), are_written(lanes, LANES / 2))),
       "the others go on");
    lanes_end(lanes, LANES / 2, LANES / 2);
    ok(pair_until(&pair, 20000, lanes_read(lanes) == LANES), "until they end, too");
    is_int(wrong_count(lanes), 0, "each had all of its data, in order, before its end");
    is_int(pair.side[MASTER].broken + pair.side[NODE].broken, 0, "no side found fault");
    for (int i = 0; i < LANES; i++) {
        close(lanes[i].parent);
        if (lanes[i].kind == STREAM_SOCKET)
            close(lanes[i].process);
    }
    pair_close(&pair);
    return done_testing();
}
