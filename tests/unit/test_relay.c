/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <limits.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "tests/unit/relay_pair.h"

#define MIB (1024 * 1024)

/* Bytes on their way from one descriptor to another, and the digests at both. */
struct flow {
    int in, out;
    size_t total, sent, got;
    uint32_t seed;
    EVP_MD_CTX *before, *after;
};

static void flow_start(struct flow *flow, int in, int out, size_t total)
{
    *flow = (struct flow){ .in = in, .out = out, .total = total, .seed = (uint32_t)in + 1 };
    flow->before = EVP_MD_CTX_new();
    flow->after = EVP_MD_CTX_new();
    EVP_DigestInit(flow->before, EVP_sha256());
    EVP_DigestInit(flow->after, EVP_sha256());
}

static void flow_write(struct flow *flow)
{
    static uint32_t words[16384];
    size_t len = sizeof(words);
    ssize_t n;

    if (len > flow->total - flow->sent)
        len = flow->total - flow->sent;
    if (len == 0)
        return;
    for (size_t i = 0; i < len / 4 + 1 && i < 16384; i++)
        words[i] = flow->seed = flow->seed * 1664525 + 1013904223;
    n = write(flow->in, words, len);
    if (n > 0) {
        flow->sent += (size_t)n;
        EVP_DigestUpdate(flow->before, words, (size_t)n);
    }
}

static void flow_read(struct flow *flow)
{
    static uint8_t bytes[65536];
    ssize_t n = read(flow->out, bytes, sizeof(bytes));

    if (n > 0) {
        flow->got += (size_t)n;
        EVP_DigestUpdate(flow->after, bytes, (size_t)n);
    }
}

static bool flow_step(struct flow *flow)
{
    flow_write(flow);
    flow_read(flow);
    return flow->got >= flow->total;
}

static bool flow_same(struct flow *flow)
{
    uint8_t before[32], after[32];

    EVP_DigestFinal(flow->before, before, NULL);
    EVP_DigestFinal(flow->after, after, NULL);
    EVP_MD_CTX_free(flow->before);
    EVP_MD_CTX_free(flow->after);
    return flow->got == flow->total && memcmp(before, after, sizeof(before)) == 0;
}

static void test_small(void)
{
    struct pair pair;
    int process[3], parent[3];
    char byte;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process[0], &parent[0]);
    pair_input(&pair, 1, &process[1], &parent[1]);
    pair_socket(&pair, 127, STREAM_SOCKET, SOCK_STREAM, &process[2], &parent[2]);
    ok(says(&pair, process[0], parent[0], "output"), "a pipe carries the process's output");
    ok(says(&pair, parent[1], process[1], "input"), "a pipe carries the process's input");
    ok(says(&pair, process[2], parent[2], "there"), "a socket carries bytes to the parent");
    ok(says(&pair, parent[2], process[2], "and back"), "a socket carries bytes to the process");

    close(process[0]);
    is_int(read_soon(&pair, parent[0], &byte, 1), 0, "a closed output ends at the parent");
    close(parent[1]);
    is_int(read_soon(&pair, process[1], &byte, 1), 0, "a closed input ends at the process");
    shutdown(process[2], SHUT_WR);
    is_int(read_soon(&pair, parent[2], &byte, 1), 0, "half a socket ends");
    ok(says(&pair, parent[2], process[2], "still"), "the other half goes on");
    is_int(pair.side[MASTER].idle + pair.side[NODE].idle, 0, "nobody is idle yet");
    close(parent[2]);
    is_int(read_soon(&pair, process[2], &byte, 1), 0, "then that half ends too");
    ok(pair_until(&pair, 20000, pair.side[MASTER].idle && pair.side[NODE].idle),
       "both sides are idle when all has ended");
    is_int(pair.side[MASTER].broken + pair.side[NODE].broken, 0, "and none is broken");
    relay_free(pair.side[NODE].relay);
    pair.side[NODE].relay = NULL;
    tls_free(pair.side[NODE].ssl);
    pair.side[NODE].ssl = NULL;
    ok(pair_until(&pair, 20000, pair.side[MASTER].broken), "the end of the connection is told");
    close(process[1]), close(process[2]), close(parent[0]);
    pair_close(&pair);
}

static void test_large(void)
{
    struct pair pair;
    struct flow out, in, to, from;
    int process[3], parent[3];
    bool all;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process[0], &parent[0]);
    pair_input(&pair, 1, &process[1], &parent[1]);
    pair_socket(&pair, 2, STREAM_SOCKET, SOCK_STREAM, &process[2], &parent[2]);
    flow_start(&out, process[0], parent[0], 64 * MIB);
    flow_start(&in, parent[1], process[1], 64 * MIB);
    flow_start(&to, process[2], parent[2], 64 * MIB);
    flow_start(&from, parent[2], process[2], 64 * MIB);
    all = pair_until(&pair, 60000, flow_step(&out) + flow_step(&in) + flow_step(&to) +
                                   flow_step(&from) == 4);
    ok(all, "64 MiB cross four ways at once");
    ok(flow_same(&out), "the output is the same");
    ok(flow_same(&in), "the input is the same");
    ok(flow_same(&to), "what the socket carried is the same");
    ok(flow_same(&from), "and what it carried back");
    for (int i = 0; i < 3; i++)
        close(process[i]), close(parent[i]);
    pair_close(&pair);
}

static void test_stall(void)
{
    struct pair pair;
    struct flow stalled, going;
    int process[2], parent[2];
    size_t sent;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process[0], &parent[0]);
    pair_socket(&pair, 1, STREAM_SOCKET, SOCK_STREAM, &process[1], &parent[1]);
    flow_start(&stalled, process[0], parent[0], 8 * MIB);
    flow_start(&going, process[1], parent[1], 16 * MIB);
    ok(pair_until(&pair, 20000, (flow_write(&stalled), flow_step(&going))),
       "a stream goes on beside one whose reader stalls");
    sent = stalled.sent;
    pair_turn(&pair, 20);
    flow_write(&stalled);
    is_int(stalled.sent, sent, "the stalled writer is held back");
    ok(sent < 3840 * 1024, "with no more than a window and two pipes on the way (%zu)", sent);
    ok(pair_until(&pair, 20000, flow_step(&stalled)), "it goes on with its reader");
    ok(flow_same(&stalled), "and has lost nothing");
    ok(flow_same(&going), "nor has the other");
    for (int i = 0; i < 2; i++)
        close(process[i]), close(parent[i]);
    pair_close(&pair);
}

/* A record: two bytes of length, the writer, and that writer's letter to the end. */
static bool record_write(int fd, int writer, size_t len)
{
    uint8_t bytes[PIPE_BUF];

    memset(bytes, 'a' + writer, len);
    bytes[0] = (uint8_t)(len >> 8);
    bytes[1] = (uint8_t)len;
    return write(fd, bytes, len) == (ssize_t)len;
}

struct records {
    uint8_t bytes[PIPE_BUF + 65536];
    size_t have;
    int whole[3], torn;
};

static void records_read(struct records *records, int fd)
{
    ssize_t n = read(fd, records->bytes + records->have, sizeof(records->bytes) - records->have);
    size_t at = 0;

    records->have += n > 0 ? (size_t)n : 0;
    while (records->have - at >= 3) {
        const uint8_t *record = records->bytes + at;
        size_t len = (size_t)record[0] << 8 | record[1];

        if (len < 3 || len > PIPE_BUF || record[2] < 'a' || record[2] > 'c') {
            records->torn++;
            records->have = 0;
            return;
        }
        if (records->have - at < len)
            break;
        for (size_t i = 3; i < len; i++)
            records->torn += record[i] != record[2];
        records->whole[record[2] - 'a']++;
        at += len;
    }
    memmove(records->bytes, records->bytes + at, records->have - at);
    records->have -= at;
}

static void test_records(void)
{
    static struct records records;
    struct pair pair;
    int orig[2], made[2], local, sent[3] = { 0 }, want = 3000;
    size_t len = 3;

    pair_open(&pair, 2);
    pipe_make(orig, 0);
    pipe_make(made, 0);
    local = dup(orig[1]);
    fd_nonblock(orig[0]);
    fd_nonblock(made[1]);
    pair_add(&pair, MASTER, 5, STREAM_PIPE_WRITE, -1, orig[1]);
    pair_add(&pair, NODE, 5, STREAM_PIPE_WRITE, made[0], -1);
    /* The relay has an open file description of its own, so this one's flag is free. */
    fd_nonblock(local);
    ok(pair_until(&pair, 30000, ({
        for (int i = 0; i < 3; i++)
            if (sent[i] < want && record_write(i < 2 ? made[1] : local, i, len)) {
                sent[i]++;
                len = (len * 7 + 13) % (PIPE_BUF - 2) + 3;
            }
        records_read(&records, orig[0]);
        records.whole[0] + records.whole[1] + records.whole[2] == 3 * want;
    })), "two writers on the node and one beside the original get all records through");
    is_int(records.torn, 0, "and each is whole");
    close(made[1]), close(local), close(orig[0]);
    pair_close(&pair);
}

static void test_messages(void)
{
    static char big[150 * 1024], got[200 * 1024];
    static const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM };
    static const stream_kind kinds[] = { STREAM_SEQPACKET, STREAM_DATAGRAM };

    for (int i = 0; i < 2; i++) {
        const char *name = i ? "datagram" : "packet";
        struct pair pair;
        int process, parent;

        pair_open(&pair, 2);
        pair_socket(&pair, 0, kinds[i], types[i], &process, &parent);
        memset(big, 'b', sizeof(big));
        ok(send(process, "one", 3, 0) == 3 && send(process, "three", 5, 0) == 5,
           "two %ss are sent", name);
        is_int(send(process, big, sizeof(big), 0), sizeof(big), "and a large one");
        is_int(read_soon(&pair, parent, got, sizeof(got)), 3, "the first %s keeps its end", name);
        is_int(read_soon(&pair, parent, got, sizeof(got)), 5, "so does the second");
        is_int(read_soon(&pair, parent, got, sizeof(got)), sizeof(big), "and the large one");
        if (i == 1) {
            is_int(send(parent, "", 0, 0), 0, "an empty datagram is sent back");
            is_int(read_soon(&pair, process, got, sizeof(got)), 0, "and arrives empty");
        }
        ok(says(&pair, parent, process, "back"), "a %s comes back", name);
        shutdown(parent, SHUT_WR);
        if (i == 0)
            is_int(read_soon(&pair, process, got, 1), 0, "the end of %ss arrives", name);
        close(parent), close(process);
        pair_close(&pair);
    }
}

static void test_outputs(void)
{
    struct pair pair;
    struct termios raw;
    char text[16] = "";
    int file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    int made[3][2], master, slave;

    must(file >= 0, "make a file");
    pair_open(&pair, 2);
    memset(&raw, 0, sizeof(raw));
    cfmakeraw(&raw);
    must(openpty(&master, &slave, NULL, &raw, NULL) == 0, "make a terminal");
    fd_nonblock(master);
    for (int i = 0; i < 3; i++) {
        pipe_make(made[i], 0);
        pair_add(&pair, NODE, (unsigned)i, STREAM_OUTPUT, made[i][0], -1);
    }
    pair_add(&pair, MASTER, 0, STREAM_OUTPUT, -1, dup(file));
    pair_add(&pair, MASTER, 1, STREAM_OUTPUT, -1, dup(slave));
    pair_add(&pair, MASTER, 2, STREAM_OUTPUT, -1, open("/dev/null", O_WRONLY | O_CLOEXEC));
    ok(says(&pair, made[1][1], master, "hello"), "a terminal gets output");
    ok(!(fcntl(slave, F_GETFL) & O_NONBLOCK), "and is still a blocking one to others");
    ok(write(made[0][1], "hello", 5) == 5 && write(made[2][1], "hello", 5) == 5,
       "others write as well");
    for (int i = 0; i < 3; i++)
        close(made[i][1]);
    ok(pair_until(&pair, 20000, pair.side[MASTER].idle), "all come to an end");
    is_int(pread(file, text, sizeof(text), 0), 5, "a file gets output");
    close(file), close(master), close(slave);
    pair_close(&pair);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_small();
    test_large();
    test_stall();
    test_records();
    test_messages();
    test_outputs();
    return done_testing();
}
