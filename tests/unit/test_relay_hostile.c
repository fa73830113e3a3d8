/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tests/unit/relay_pair.h"

#define LARGE (800 * 1024)

/* A relay with a stream of each sort whose peer is the test. */
struct victim {
    struct pair pair;
    int parent[4];
};

static void victim_open(struct victim *victim)
{
    int fds[2];

    pair_open(&victim->pair, 1);
    pipe_make(fds, 0);
    pair_add(&victim->pair, MASTER, 0, STREAM_PIPE_WRITE, -1, fds[1]);
    victim->parent[0] = fds[0];
    pipe_make(fds, 0);
    pair_add(&victim->pair, MASTER, 1, STREAM_PIPE_READ, fds[0], -1);
    victim->parent[1] = fds[1];
    sockets_make(fds, SOCK_STREAM);
    pair_add(&victim->pair, MASTER, 2, STREAM_SOCKET, fds[0], fds[0]);
    victim->parent[2] = fds[1];
    sockets_make(fds, SOCK_DGRAM);
    pair_add(&victim->pair, MASTER, 3, STREAM_DATAGRAM, fds[0], fds[0]);
    victim->parent[3] = fds[1];
}

static void victim_close(struct victim *victim)
{
    for (int i = 0; i < 4; i++)
        close(victim->parent[i]);
    pair_close(&victim->pair);
}

static uint8_t bytes[LARGE];

/* One frame: what it says, its body as it stands, and whether the relay must put up with it. */
struct attack {
    const char *name;
    bproc_proc proc;
    unsigned serial;
    size_t len;
    uint8_t body[12];
    bool fine;
};

static const struct attack attacks[] = {
    { "data", P_STREAM_DATA, 2, 3, "abc", true },
    { "data for no stream", P_STREAM_DATA, 4, 3, "abc", false },
    { "data for a stream beyond all", P_STREAM_DATA, 4000000000u, 3, "abc", false },
    { "data without bytes", P_STREAM_DATA, 2, 0, "", false },
    { "data for an input", P_STREAM_DATA, 1, 3, "abc", true },
    { "a record", P_STREAM_DATA, 0, 7, "\0\0\0\3abc", true },
    { "a record longer than its frame", P_STREAM_DATA, 0, 7, "\0\0\0\4abc", false },
    { "a record and a rest", P_STREAM_DATA, 0, 8, "\0\0\0\3abcd", false },
    { "a record of no bytes", P_STREAM_DATA, 0, 4, "\0\0\0\0", false },
    { "a record of 4 GiB", P_STREAM_DATA, 0, 7, "\377\377\377\377abc", false },
    { "a record over PIPE_BUF", P_STREAM_DATA, 0, 4 + 4097, "\0\0\x10\1", false },
    { "a run of pages", P_STREAM_DATA, 0, 4 + 8192, "\0\0\x20\0", true },
    { "a run with a rest", P_STREAM_DATA, 0, 4 + 8193, "\0\0\x20\1", false },
    { "a run of too many pages", P_STREAM_DATA, 0, 4 + 266240, "\0\4\x10\0", false },
    { "an empty datagram", P_STREAM_DATA, 3, 4, "\0\0\0\0", true },
    { "credit of nothing", P_STREAM_CREDIT, 2, 4, "\0\0\0\0", false },
    { "credit beyond the window", P_STREAM_CREDIT, 2, 4, "\0\0\0\1", false },
    { "credit in two bytes", P_STREAM_CREDIT, 2, 2, "\0\1", false },
    { "credit in a large body", P_STREAM_CREDIT, 2, 4096, "", false },
    { "an end with a body", P_STREAM_EOF, 2, 1, "x", false },
    { "an end of no stream", P_STREAM_EOF, 5, 0, "", false },
    { "a close of no stream", P_STREAM_CLOSED, 5, 0, "", false },
    { "an answer to no flush", P_STREAM_FLUSHED, 0, 0, "", false },
    { "a last word before the end", P_STREAM_OVER, 0, 0, "", false },
    { "a last word with a body", P_STREAM_OVER, 0, 1, "x", false },
    { "a wish for nothing", P_STREAM_WANTED, 0, 4, "\0\0\0\0", false },
    { "a wish of no stream", P_STREAM_WANTED, 9, 4, "\0\0\0\1", false },
    { "a message of another time", P_BULK_DATA, 2, 3, "abc", false },
    { "a call for a daemon", P_NODE_LIST, 0, 0, "", false },
};

static void attack_run(const struct attack *attack)
{
    struct victim victim;

    victim_open(&victim);
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, attack->body, attack->len < 12 ? attack->len : 12);
    bulk_send_data(victim.pair.side[NODE].ssl, attack->proc, attack->serial, bytes, attack->len);
    (void)pair_until(&victim.pair, attack->fine ? 30 : 20000, victim.pair.side[MASTER].broken);
    is_int(victim.pair.side[MASTER].broken, !attack->fine, "%s %s", attack->name,
           attack->fine ? "is borne" : "ends the connection");
    victim_close(&victim);
}

/* The same mark twice, or data after the end. */
static void twice_run(bproc_proc first, bproc_proc second, const char *name)
{
    struct victim victim;
    SSL *ssl;

    victim_open(&victim);
    ssl = victim.pair.side[NODE].ssl;
    bulk_send_data(ssl, first, 2, NULL, 0);
    bulk_send_data(ssl, second, 2, "abc", second == P_STREAM_DATA ? 3 : 0);
    ok(pair_until(&victim.pair, 20000, victim.pair.side[MASTER].broken),
       "%s ends the connection", name);
    victim_close(&victim);
}

/* A good conversation in bytes, to be spoiled. */
static size_t talk_build(uint8_t *talk)
{
    static const struct {
        bproc_proc proc;
        unsigned serial;
        size_t len;
        const char *body;
    } parts[] = {
        { P_STREAM_DATA, 0, 9, "\0\0\0\5hello" },
        { P_STREAM_DATA, 2, 5, "hello" },
        { P_STREAM_DATA, 3, 9, "\0\0\0\5hello" },
        { P_STREAM_CLOSED, 1, 0, "" },
        { P_STREAM_FLUSH, 0, 0, "" },
        { P_STREAM_EOF, 2, 0, "" },
    };
    size_t len = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct frame_header header = { .kind = K_EVENT, .proc = parts[i].proc,
                                       .serial = parts[i].serial,
                                       .body_len = (uint32_t)parts[i].len };

        frame_format_header(&header, talk + len);
        memcpy(talk + len + FRAME_PREFIX, parts[i].body, parts[i].len);
        len += FRAME_PREFIX + parts[i].len;
    }
    return len;
}

/* Says the bytes and hangs up; the relay must come to an end by that, whatever they were. */
static bool talk_run(const uint8_t *talk, size_t len)
{
    struct victim victim;
    struct side *side = &victim.pair.side[NODE];
    size_t n;
    bool ended;

    victim_open(&victim);
    if (len > 0)
        SSL_write_ex(side->ssl, talk, len, &n);
    (void)BIO_flush(SSL_get_wbio(side->ssl));
    SSL_shutdown(side->ssl);
    tls_free(side->ssl);
    side->ssl = NULL;
    ended = pair_until(&victim.pair, 20000, victim.pair.side[MASTER].broken);
    victim_close(&victim);
    return ended;
}

static void test_spoiled(void)
{
    uint8_t talk[512], spoiled[512];
    size_t len = talk_build(talk);
    int failed = 0;

    for (size_t bit = 0; bit < len * 8; bit += 3) {
        memcpy(spoiled, talk, len);
        spoiled[bit / 8] ^= (uint8_t)(1 << bit % 8);
        failed += !talk_run(spoiled, len);
    }
    is_int(failed, 0, "one bit turned over never does more than end the connection");
    for (size_t cut = 0; cut < len; cut += 2)
        failed += !talk_run(talk, cut);
    is_int(failed, 0, "nor does a conversation that breaks off");
}

/* A peer that spends all its windows and never reads the answers. */
static void test_greedy(void)
{
    struct victim victim;
    SSL *ssl;

    victim_open(&victim);
    ssl = victim.pair.side[NODE].ssl;
    memset(bytes, 'x', sizeof(bytes));
    fcntl(SSL_get_fd(ssl), F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 3; i++) {
        bulk_send_data(ssl, P_STREAM_DATA, 2, bytes, 64 * 1024);
        pair_turn(&victim.pair, 5);
    }
    is_int(victim.pair.side[MASTER].broken, 0, "a peer may use its window");
    for (int i = 0; i < 64 && !victim.pair.side[MASTER].broken; i++) {
        bulk_send_data(ssl, P_STREAM_DATA, 2, bytes, 64 * 1024);
        pair_turn(&victim.pair, 5);
    }
    is_int(victim.pair.side[MASTER].broken, 1, "but not more while nobody reads");
    victim_close(&victim);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
        attack_run(&attacks[i]);
    twice_run(P_STREAM_EOF, P_STREAM_EOF, "a second end");
    twice_run(P_STREAM_CLOSED, P_STREAM_CLOSED, "a second close");
    twice_run(P_STREAM_FLUSH, P_STREAM_FLUSH, "a second flush");
    twice_run(P_STREAM_EOF, P_STREAM_DATA, "data after the end");
    test_greedy();
    test_spoiled();
    return done_testing();
}
