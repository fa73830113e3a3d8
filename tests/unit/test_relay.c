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

/* What read(2) gives once it gives something: bytes, 0, or a negative errno. */
static ssize_t read_soon(struct pair *pair, int fd, void *bytes, size_t len)
{
    ssize_t n = -1;

    (void)pair_until(pair, 2000, (n = read(fd, bytes, len)) >= 0 || errno != EAGAIN);
    return n >= 0 ? n : -errno;
}

static bool says(struct pair *pair, int from, int to, const char *word)
{
    char text[64] = "";

    return write(from, word, strlen(word)) == (ssize_t)strlen(word) &&
           read_soon(pair, to, text, sizeof(text) - 1) == (ssize_t)strlen(word) &&
           strcmp(text, word) == 0;
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
    ok(pair_until(&pair, 2000, pair.side[MASTER].idle && pair.side[NODE].idle),
       "both sides are idle when all has ended");
    is_int(pair.side[MASTER].broken + pair.side[NODE].broken, 0, "and none is broken");
    relay_free(pair.side[NODE].relay);
    pair.side[NODE].relay = NULL;
    tls_free(pair.side[NODE].ssl);
    pair.side[NODE].ssl = NULL;
    ok(pair_until(&pair, 2000, pair.side[MASTER].broken), "the end of the connection is told");
    close(process[1]), close(process[2]), close(parent[0]);
    pair_close(&pair);
}

/* The connection outlives its relays: what is said on it next is not theirs. */
static void test_over(void)
{
    struct pair pair;
    struct bulk_msg msg;
    int process, parent;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process, &parent);
    ok(says(&pair, process, parent, "output"), "a process writes");
    close(process);
    (void)pair_until(&pair, 2000, pair.side[NODE].idle);
    is_int(pair.side[MASTER].over + pair.side[NODE].over, 0, "its end alone is not the last word");
    relay_over(pair.side[NODE].relay);
    ok(pair_until(&pair, 2000, pair.side[MASTER].over && pair.side[NODE].over),
       "the last word of one side is answered by the other");
    is_int(pair.side[MASTER].broken + pair.side[NODE].broken, 0, "and none is broken");
    for (int i = 0; i < SIDES; i++) {
        relay_free(pair.side[i].relay);
        pair.side[i].relay = NULL;
        bulk_resume(pair.side[i].ssl);
    }
    is_int(bulk_send_data(pair.side[MASTER].ssl, P_BULK_LAUNCH, 7, "next", 4), 0,
           "the connection serves again");
    ok(bulk_recv(pair.side[NODE].ssl, &msg) == 0 && msg.header.proc == P_BULK_LAUNCH &&
       memcmp(msg.body, "next", 4) == 0, "in both hands");
    bulk_free(&msg);
    close(parent);
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
    ok(sent < 1536 * 1024, "with no more than a window and two pipes on the way (%zu)", sent);
    ok(pair_until(&pair, 20000, flow_step(&stalled)), "it goes on with its reader");
    ok(flow_same(&stalled), "and has lost nothing");
    ok(flow_same(&going), "nor has the other");
    for (int i = 0; i < 2; i++)
        close(process[i]), close(parent[i]);
    pair_close(&pair);
}

/* The end is over only when the data before it has been delivered. */
static void test_late_reader(void)
{
    static char bytes[300 * 1024];      /* more than the reader's pipe can be made to hold */
    struct pair pair;
    int process, parent;
    size_t got = 0;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process, &parent);
    for (size_t sent = 0; sent < sizeof(bytes); pair_turn(&pair, 2)) {
        size_t left = sizeof(bytes) - sent;
        ssize_t n = write(process, bytes, left < 32768 ? left : 32768);

        sent += n > 0 ? (size_t)n : 0;
    }
    close(process);
    pair_turn(&pair, 50);
    is_int(pair.side[NODE].idle, 0, "the node is not idle before its output is read");
    ok(pair_until(&pair, 2000, ({
        ssize_t n = read(parent, bytes, 8192);
        got += n > 0 ? (size_t)n : 0;
        pair.side[NODE].idle;
    })), "it is when the reader has come");
    while (read(parent, bytes, 1) == 1)
        got++;
    is_int(got, sizeof(bytes), "and nothing is missing");
    close(parent);
    pair_close(&pair);
}

static bool write_fails(int fd, int error)
{
    return write(fd, "x", 1) < 0 && errno == error;
}

static void test_broken_pipe(void)
{
    struct pair pair;
    int process[3], parent[3];

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process[0], &parent[0]);
    pair_input(&pair, 1, &process[1], &parent[1]);
    pair_socket(&pair, 2, STREAM_SOCKET, SOCK_STREAM, &process[2], &parent[2]);
    close(parent[0]);
    pair_turn(&pair, 50);
    ok(write_fails(process[0], EPIPE), "the reader's end reaches a process that writes nothing");
    close(process[1]);
    pair_turn(&pair, 50);
    ok(write_fails(parent[1], EPIPE), "the process's end reaches a parent that writes nothing");
    close(parent[2]);
    pair_turn(&pair, 50);
    ok(write_fails(process[2], EPIPE), "a socket closed at the parent is closed at the process");
    ok(pair_until(&pair, 2000, pair.side[MASTER].idle && pair.side[NODE].idle),
       "both sides are idle after that");
    close(process[0]), close(process[2]), close(parent[1]);
    pair_close(&pair);
}

/* `direct`: what is delivered need not be asked for, and nothing else may be taken for that. */
static void test_flush(bool direct)
{
    struct pair pair;
    int process, parent, waiting = 0, other_process, other_parent;
    static char bytes[300 * 1024];
    size_t sent = 0, got = 0;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process, &parent);
    pair_output(&pair, 1, &other_process, &other_parent);
    if (direct)
        relay_set_direct(pair.side[NODE].relay);
    (void)pair_until(&pair, 1000, ({
        size_t left = sizeof(bytes) - sent;
        ssize_t n = write(process, bytes, left < 65536 ? left : 65536);
        if (n > 0)
            sent += (size_t)n;
        sent == sizeof(bytes);
    }));
    is_int(sent, sizeof(bytes), "the output is more than its pipe holds");
    /* The descriptor stays open, as with a grandchild. */
    is_int(relay_flush(pair.side[NODE].relay), 0, "a flush begins");
    is_int(relay_flush(pair.side[NODE].relay), -EALREADY, "only once");
    pair_turn(&pair, 50);
    is_int(pair.side[NODE].flushed, 0, "it is not over while the reader stalls");
    ok(pair_until(&pair, 5000, ({
        ssize_t n = pair.side[NODE].flushed ? -1 : read(parent, bytes, 8192);
        if (n > 0)
            got += (size_t)n;
        pair.side[NODE].flushed;
    })), "it ends once the reader has gone on");
    ioctl(parent, FIONREAD, &waiting);
    is_int(got + (size_t)waiting, sizeof(bytes), "and then the original has got all of it");
    ok(says(&pair, other_process, other_parent, "later"), "streams that are open go on after it");
    close(process), close(parent), close(other_process), close(other_parent);
    pair_close(&pair);
}

static void test_flush_empty(bool direct)
{
    struct pair pair;
    int process, parent;

    pair_open(&pair, 2);
    pair_output(&pair, 0, &process, &parent);
    pair_turn(&pair, 20);
    if (direct)
        relay_set_direct(pair.side[NODE].relay);
    relay_flush(pair.side[NODE].relay);
    ok(pair_until(&pair, 2000, pair.side[NODE].flushed), "a flush with nothing to send ends");
    close(process), close(parent);
    pair_close(&pair);
}

/* No event tells that the process's end of a datagram socket is closed. */
static void test_datagram_end(void)
{
    struct pair pair;
    int process, parent;

    pair_open(&pair, 2);
    pair_socket(&pair, 0, STREAM_DATAGRAM, SOCK_DGRAM, &process, &parent);
    must(write(process, "last", 4) == 4, "send");
    relay_flush(pair.side[NODE].relay);
    ok(!pair_until(&pair, 1500, pair.side[NODE].idle), "a datagram socket is open at a grandchild");
    close(process);
    ok(pair_until(&pair, 3000, pair.side[MASTER].idle && pair.side[NODE].idle),
       "and over when he has gone");
    close(parent);
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

/* A child of the test plays the parent: told 'w' it writes, told 'x' it lets go. */
static pid_t holder_start(int held, int *tell)
{
    int fds[2];
    pid_t pid;

    pipe_make(fds, 0);
    pid = fork();
    if (pid == 0) {
        char byte;

        close(fds[1]);
        while (read(fds[0], &byte, 1) > 0)
            if (byte == 'x')
                close(held);
            else if (write(held, "p", 1) != 1)
                _exit(1);
        _exit(0);
    }
    close(fds[0]);
    *tell = fds[1];
    return pid;
}

static void test_parent(void)
{
    struct pair pair;
    int orig[2], made[2], tell, byte = 0, waiting = 0;
    char text[4];
    pid_t pid;

    pair_open(&pair, 2);
    pipe_make(orig, 0);
    pipe_make(made, 0);
    pid = holder_start(orig[0], &tell);
    fd_nonblock(made[0]);
    is_int(relay_set_parent(pair.side[MASTER].relay, pid), 0, "the parent is known");
    is_int(relay_add(pair.side[MASTER].relay, 0, STREAM_PIPE_READ, 0, orig[0], -1), 0,
           "it shares an input");
    pair_add(&pair, NODE, 0, STREAM_PIPE_READ, -1, made[1]);
    ok(write(orig[1], "abc", 3) == 3, "there is input");
    pair_turn(&pair, 100);
    ioctl(orig[1], FIONREAD, &waiting);
    is_int(waiting, 3, "it is left to the parent while he has the pipe open");
    pair.side[NODE].wants = 2;
    is_int(read_soon(&pair, made[0], text, 3), 2, "the process gets as much as it waits for");
    pair.side[NODE].wants = 0;
    pair_turn(&pair, 100);
    ioctl(orig[1], FIONREAD, &waiting);
    is_int(waiting, 1, "and no more");
    ok(write(tell, "x", 1) == 1, "the parent closes it");
    is_int(read_soon(&pair, made[0], &byte, 1), 1, "then the process gets it");
    close(tell);
    close(orig[1]), close(made[0]);
    pair_close(&pair);
    waitpid(pid, NULL, 0);
}

/* The parent keeps a socket open that the process shuts down: his is not touched meanwhile. */
static void test_shared_shutdown(void)
{
    struct pair pair;
    int orig[2], made[2], tell;
    char byte;
    pid_t pid;

    pair_open(&pair, 2);
    sockets_make(orig, SOCK_STREAM);
    sockets_make(made, SOCK_STREAM);
    fd_nonblock(orig[1]);
    pid = holder_start(orig[0], &tell);
    relay_set_parent(pair.side[MASTER].relay, pid);
    is_int(relay_add(pair.side[MASTER].relay, 0, STREAM_SOCKET, 0, orig[0], orig[0]), 0,
           "the parent shares a socket");
    pair_add(&pair, NODE, 0, STREAM_SOCKET, made[0], made[0]);
    shutdown(made[1], SHUT_WR);
    pair_turn(&pair, 50);
    ok(write(tell, "w", 1) == 1, "he uses it after the process has shut it down");
    is_int(read_soon(&pair, orig[1], &byte, 1), 1, "and it works for him");
    ok(write(tell, "x", 1) == 1, "he closes it");
    is_int(read_soon(&pair, orig[1], &byte, 1), 0, "then it is shut down");
    close(tell);
    waitpid(pid, NULL, 0);
    close(orig[1]), close(made[1]);
    pair_close(&pair);
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
    ok(pair_until(&pair, 2000, pair.side[MASTER].idle), "all come to an end");
    is_int(pread(file, text, sizeof(text), 0), 5, "a file gets output");
    close(file), close(master), close(slave);
    pair_close(&pair);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_small();
    test_over();
    test_large();
    test_stall();
    test_late_reader();
    test_broken_pipe();
    test_flush(false);
    test_flush(true);
    test_flush_empty(false);
    test_flush_empty(true);
    test_datagram_end();
    test_records();
    test_messages();
    test_parent();
    test_shared_shutdown();
    test_outputs();
    return done_testing();
}
