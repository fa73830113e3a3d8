/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a daemon must bear, from a program that wants to hurt it.
 *
 *     hostile local               garbage on the local socket, of all kinds
 *     hostile tls ADDR PORT DIR   garbage on a TLS port, with the certificate in DIR; -: with none
 *     hostile raw ADDR PORT       garbage instead of a handshake
 *     hostile member ADDR DIR     a node that lies to its master, with the certificate in DIR
 *     hostile stall COUNT [ADDR PORT]   holds that many connections, of the local socket or a port,
 *                                 says "held N" and waits for the end of its input
 *
 * It only shoots; whether the daemon lives is for others to see. Status 1 if nobody was there.
 */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "common/tls.h"
#include "proto/msg.h"
#include "tests/progs/prog.h"

#define PATIENCE_MS 1000
#define RANDOM_SHOTS 40
#define FLOOD 20000

struct target {
    const char *addr;           /* NULL: the local socket */
    int port;
    SSL_CTX *ctx;               /* NULL: no TLS */
};

struct shot {
    int fd;
    SSL *ssl;
};

static uint64_t random_state = 1;

static uint32_t random_get(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 32);
}

static void random_fill(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)random_get();
}

/* ---- connections ---- */

static int local_connect(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = BPROC_SOCKET_PATH };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(fd);
    CHECK(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "nobody at %s: %s",
          addr.sun_path, strerror(errno));
    return fd;
}

static int tcp_connect(const char *addr, int port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(fd);
    CHECK(inet_pton(AF_INET, addr, &in.sin_addr) == 1, "'%s' is no address", addr);
    CHECK(connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0, "nobody at %s:%d: %s", addr, port,
          strerror(errno));
    return fd;
}

static int shot_open(struct shot *shot, const struct target *target)
{
    struct timeval limit = { 2, 0 };

    shot->ssl = NULL;
    shot->fd = target->addr ? tcp_connect(target->addr, target->port) : local_connect();
    setsockopt(shot->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(shot->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (!target->ctx)
        return 1;
    shot->ssl = SSL_new(target->ctx);
    SSL_set_fd(shot->ssl, shot->fd);
    return SSL_connect(shot->ssl) == 1;
}

static void shot_close(struct shot *shot)
{
    SSL_free(shot->ssl);
    close(shot->fd);
}

/* Errors are what is to be expected. */
static void shot_send(struct shot *shot, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        const char *rest = (const char *)bytes + done;
        int n = shot->ssl ? SSL_write(shot->ssl, rest, (int)(len - done))
                          : (int)send(shot->fd, rest, len - done, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

/* What comes back is of no interest; only that it has been taken in. */
static void shot_drain(struct shot *shot, int ms)
{
    struct pollfd fd = { .fd = shot->fd, .events = POLLIN };
    char bytes[65536];
    ssize_t n = 1;

    while (n > 0 && poll(&fd, 1, ms) > 0)
        n = recv(shot->fd, bytes, sizeof(bytes), 0);
}

static void bytes_shoot(const struct target *target, const void *bytes, size_t len)
{
    struct shot shot;

    if (shot_open(&shot, target)) {
        shot_send(&shot, bytes, len);
        shutdown(shot.fd, SHUT_WR);
        shot_drain(&shot, PATIENCE_MS);
    }
    shot_close(&shot);
}

/* ---- frames ---- */

/* Any numbers at all, in the order of the header; mark 0 stands for the right one. */
static size_t frame_put(uint8_t *out, uint32_t mark, uint32_t vers, uint32_t kind, uint32_t proc,
                        uint32_t nfds, size_t body_len)
{
    uint32_t words[7] = { mark ? mark : 0x80000000u | (uint32_t)(FRAME_HEADER + body_len), vers,
                          kind, proc, random_get(), 0, nfds };

    for (int i = 0; i < 7; i++)
        words[i] = htonl(words[i]);
    memcpy(out, words, sizeof(words));
    return sizeof(words) + body_len;
}

/* A number that is changed often: where a state or a token could be made of it. */
static int proc_is_harmless(uint32_t proc)
{
    return proc != P_NODE_SET_STATE && proc != P_NODE_SET_PERM && proc != P_TOKEN_CREATE;
}

static void frame_shoot(const struct target *target, uint32_t kind, uint32_t proc, size_t body_len,
                        int fill)
{
    uint8_t *bytes = malloc(FRAME_PREFIX + body_len);
    size_t len = frame_put(bytes, 0, BPROC_PROTO_VERSION, kind, proc, 0, body_len);

    if (fill < 0)
        random_fill(bytes + FRAME_PREFIX, body_len);
    else
        memset(bytes + FRAME_PREFIX, fill, body_len);
    bytes_shoot(target, bytes, len);
    free(bytes);
}

static void headers_shoot(const struct target *target)
{
    static const uint32_t odd[] = { 0x7fffffff, 0xffffffff, 0x80000000, 0x80000001, 0x80000017,
                                    0x00000018, 0x80100019, 0x80ffffff };
    uint8_t bytes[FRAME_PREFIX + 64] = { 0 };

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        bytes_shoot(target, bytes, frame_put(bytes, odd[i], 1, 0, 1, 0, 64));
        bytes_shoot(target, bytes, frame_put(bytes, 0, odd[i], 0, 1, 0, 64));
        bytes_shoot(target, bytes, frame_put(bytes, 0, 1, odd[i], 1, 0, 64));
        bytes_shoot(target, bytes, frame_put(bytes, 0, 1, 0, odd[i], 0, 64));
        bytes_shoot(target, bytes, frame_put(bytes, 0, 1, 0, 1, odd[i], 64));
    }
    /* It ends within each part of a message. */
    for (size_t len = 0; len < FRAME_PREFIX + 4; len += 3) {
        frame_put(bytes, 0, BPROC_PROTO_VERSION, K_CALL, P_ACCESS, 0, 8);
        bytes_shoot(target, bytes, len);
    }
}

/* Nothing is read of the answers to these. */
static void flood_shoot(const struct target *target, uint32_t proc)
{
    uint8_t frame[FRAME_PREFIX];
    struct shot shot;

    if (shot_open(&shot, target)) {
        frame_put(frame, 0, BPROC_PROTO_VERSION, K_CALL, proc, 0, 0);
        for (int i = 0; i < FLOOD; i++)
            shot_send(&shot, frame, sizeof(frame));
    }
    shot_close(&shot);
}

static void garbage_shoot(const struct target *target)
{
    uint8_t bytes[4096];

    for (int i = 0; i < RANDOM_SHOTS; i++) {
        size_t len = random_get() % sizeof(bytes);

        random_fill(bytes, len);
        bytes_shoot(target, bytes, len);
    }
}

/* ---- the local socket ---- */

static void fds_shoot(uint32_t proc, unsigned said, unsigned count, size_t body_len)
{
    char control[CMSG_SPACE(sizeof(int) * 253)] = { 0 };
    uint8_t bytes[FRAME_PREFIX + 256] = { 0 };
    struct iovec iov = { bytes, frame_put(bytes, 0, BPROC_PROTO_VERSION, K_CALL, proc, said,
                                          body_len) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                          .msg_controllen = CMSG_SPACE(sizeof(int) * count) };
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    struct shot shot = { local_connect(), NULL };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
    for (unsigned i = 0; i < count; i++)
        memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &null, sizeof(int));
    (void)!sendmsg(shot.fd, &msg, MSG_NOSIGNAL);
    shutdown(shot.fd, SHUT_WR);
    shot_drain(&shot, PATIENCE_MS);
    shot_close(&shot);
    close(null);
}

/* Processes that are not the caller's to give away, with gates that are none. */
static void handovers_shoot(void)
{
    static const int pids[] = { -1, 0, 1, 2, 7, 0x7fffffff };
    static const move_kind kinds[] = { MOVE_RFORK, MOVE_REXEC, MOVE_EXECMOVE, (move_kind)77 };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), fds[3] = { null, null, null };
    stream_desc streams[2] = { { .kind = STREAM_PIPE_READ }, { .kind = (stream_kind)99 } };

    for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]) + 1; i++) {
        for (unsigned k = 0; k < 4 * 3; k++) {
            move_handover_arg arg = { .kind = kinds[k % 4], .flags = -1,
                                      .streams = { k / 4, streams } };
            struct shot shot = { local_connect(), NULL };

            arg.pid = i < sizeof(pids) / sizeof(pids[0]) ? pids[i] : getpid();
            msg_send(shot.fd, K_CALL, P_MOVE_HANDOVER, 1, 0, FRAME_XDR(move_handover_arg), &arg,
                     fds, 1 + k % 3);
            shutdown(shot.fd, SHUT_WR);
            shot_drain(&shot, PATIENCE_MS);
            shot_close(&shot);
        }
    }
    close(null);
}

static void ghosts_shoot(void)
{
    for (int pid = -1; pid < 40; pid++) {
        ghost_hello_arg arg = { .pid = pid > 30 ? getpid() : pid, .node = pid % 4,
                                .reconnect = pid & 1 };
        struct shot shot = { local_connect(), NULL };

        msg_send(shot.fd, K_EVENT, P_GHOST_HELLO, 0, 0, FRAME_XDR(ghost_hello_arg), &arg, NULL, 0);
        shot_drain(&shot, 20);
        shot_close(&shot);
    }
}

static void local_run(int argc, char **argv)
{
    const struct target target = { NULL, 0, NULL };

    (void)argc;
    (void)argv;
    garbage_shoot(&target);
    headers_shoot(&target);
    for (uint32_t proc = 1; proc <= BPROC_MAX_PROC; proc++) {
        for (uint32_t kind = 0; kind < 3 && proc_is_harmless(proc); kind++) {
            frame_shoot(&target, kind, proc, 0, 0);
            frame_shoot(&target, kind, proc, 4 * (random_get() % 40), -1);
            frame_shoot(&target, kind, proc, 400, 0xff);
            frame_shoot(&target, kind, proc, BPROC_MAX_BODY, (int)proc);
        }
        fds_shoot(proc, 3, 3, 0);
        fds_shoot(proc, 0, 200, 64);
        fds_shoot(proc, 200, 1, 64);
        fds_shoot(proc, 1, 253, 4);
    }
    handovers_shoot();
    ghosts_shoot();
    flood_shoot(&target, P_NODE_LIST);
    flood_shoot(&target, P_MOVE_ASK);
    flood_shoot(&target, P_NOTIFY);
}

/* ---- the TLS ports ---- */

static SSL_CTX *context_take(const char *dir)
{
    char text[256] = "";
    SSL_CTX *ctx = strcmp(dir, "-") == 0
                       ? tls_context(NULL, 0, TLS_VERIFY_NONE, text, sizeof(text))
                       : tls_context(dir, 0, TLS_VERIFY_PEER, text, sizeof(text));

    CHECK(ctx, "no TLS: %s", text);
    return ctx;
}

static void tls_run(int argc, char **argv)
{
    struct target target;

    CHECK(argc == 3, "tls takes an address, a port and a folder");
    target = (struct target){ argv[0], atoi(argv[1]), context_take(argv[2]) };
    garbage_shoot(&target);
    headers_shoot(&target);
    for (uint32_t proc = 1; proc <= BPROC_MAX_PROC; proc++) {
        if (!proc_is_harmless(proc))
            continue;
        frame_shoot(&target, random_get() % 3, proc, 4 * (random_get() % 40), -1);
        frame_shoot(&target, proc >= P_BULK_LAUNCH && proc < P_RECV_REGISTER ? K_EVENT : K_CALL,
                    proc, 400, 0xff);
    }
    frame_shoot(&target, K_CALL, P_HELLO, BPROC_MAX_BODY, 0);
    frame_shoot(&target, K_CALL, P_JOIN, BPROC_MAX_BODY, 'x');
    frame_shoot(&target, K_EVENT, P_BULK_LAUNCH, BPROC_MAX_BODY, 0);
    flood_shoot(&target, P_PING);
}

static void raw_run(int argc, char **argv)
{
    static const char http[] = "GET / HTTP/1.1\r\nHost: master\r\n\r\n";
    static const uint8_t ssl2[] = { 0x80, 0x2e, 0x01, 0x00, 0x02, 0x00, 0x15, 0x00, 0x00, 0x00 };
    static const uint8_t record[] = { 0x16, 0x03, 0x01, 0xff, 0xff, 0x01, 0x00, 0xff, 0xfb };
    struct target target;

    CHECK(argc == 2, "raw takes an address and a port");
    target = (struct target){ argv[0], atoi(argv[1]), NULL };
    garbage_shoot(&target);
    bytes_shoot(&target, http, sizeof(http) - 1);
    bytes_shoot(&target, ssl2, sizeof(ssl2));
    bytes_shoot(&target, record, sizeof(record));
    frame_shoot(&target, K_CALL, P_HELLO, 64, 0);
    bytes_shoot(&target, "", 0);
}

/* ---- a node that lies ---- */

static uint8_t *frame_make(bproc_kind kind, bproc_proc proc, xdrproc_t encode, const void *body,
                           size_t *len)
{
    struct frame_header header = { .kind = kind, .proc = proc, .serial = 5 };
    uint8_t *frame;

    CHECK(frame_build(&header, encode, body, &frame, len) == 0, "cannot build a frame");
    return frame;
}

static void hello_send(struct shot *shot, int node, unsigned data_port, unsigned procs)
{
    hello_arg hello = { .node = node, .instance = 1234567, .data_port = data_port };
    uint8_t *frame;
    size_t len;

    hello.procs.procs_len = procs;
    hello.procs.procs_val = calloc(procs + 1, sizeof(launch_done));
    for (unsigned i = 0; i < procs; i++)
        hello.procs.procs_val[i] = (launch_done){ (int)i - 2, random_get() % 4 };
    frame = frame_make(K_CALL, P_HELLO, FRAME_XDR(hello_arg), &hello, &len);
    shot_send(shot, frame, len);
    free(hello.procs.procs_val);
    free(frame);
}

static void statuses_send(struct shot *shot)
{
    static const bproc_proc events[] = { P_EXITED, P_STOPPED, P_CONTINUED };

    for (int pid = -3; pid < 400; pid++) {
        status_msg body = { .pid = pid, .status = (int)random_get() };
        size_t len;
        uint8_t *frame = frame_make(K_EVENT, events[(unsigned)pid % 3], FRAME_XDR(status_msg),
                                    &body, &len);

        shot_send(shot, frame, len);
        free(frame);
    }
}

/* A call in the name of root, of one who is none. */
static void pass_send(struct shot *shot, bproc_proc proc, const void *body, size_t body_len)
{
    pass_arg arg = { .uid = 0, .gid = 0, .pid = 1, .proc = proc,
                     .body = { (u_int)body_len, (char *)(uintptr_t)body } };
    size_t len;
    uint8_t *frame = frame_make(K_CALL, P_PASS, FRAME_XDR(pass_arg), &arg, &len);

    shot_send(shot, frame, len);
    free(frame);
}

static void member_lie(const struct target *target, int node, unsigned procs)
{
    static const uint32_t state_down[] = { 0, 0 }, token[] = { 0, 0xffffff7f };
    struct shot shot;

    if (shot_open(&shot, target)) {
        hello_send(&shot, node, 2224, procs);
        statuses_send(&shot);
        pass_send(&shot, P_NODE_SET_STATE, state_down, sizeof(state_down));
        pass_send(&shot, P_TOKEN_CREATE, token, sizeof(token));
        pass_send(&shot, P_MOVE_HANDOVER, state_down, sizeof(state_down));
        pass_send(&shot, P_PASS, state_down, sizeof(state_down));
        pass_send(&shot, (bproc_proc)4711, NULL, 0);
        shot_drain(&shot, 100);
    }
    shot_close(&shot);
}

static void member_run(int argc, char **argv)
{
    struct target target;
    struct shot shot;
    int node;

    CHECK(argc == 2, "member takes an address and a folder");
    target = (struct target){ argv[0], 2223, context_take(argv[1]) };
    node = tls_own_node(target.ctx);
    for (int wrong = -4; wrong < 5; wrong++)
        member_lie(&target, wrong == node ? 4711 : wrong, 0);
    member_lie(&target, node, 0);
    member_lie(&target, node, 1000);
    member_lie(&target, node, BPROC_MAX_PROCS);
    /* A link that is up, and then garbage on it. */
    for (int i = 0; i < RANDOM_SHOTS; i++) {
        uint8_t bytes[1024];
        size_t body_len = 4 * (random_get() % 40);

        if (shot_open(&shot, &target)) {
            hello_send(&shot, node, i & 1 ? 0 : 1 + random_get() % 65535, random_get() % 9);
            random_fill(bytes, sizeof(bytes));
            if (i & 2)
                frame_put(bytes, 0, BPROC_PROTO_VERSION, random_get() % 3,
                          P_JOIN + random_get() % 10, 0, body_len);
            shot_send(&shot, bytes, FRAME_PREFIX + body_len);
            shot_drain(&shot, 20);
        }
        shot_close(&shot);
    }
}

/* ---- connections that do nothing ---- */

static void stall_run(int argc, char **argv)
{
    int count = argc > 0 ? atoi(argv[0]) : 1, held = 0;

    for (int i = 0; i < count; i++) {
        int fd = argc > 2 ? tcp_connect(argv[1], atoi(argv[2])) : local_connect();

        /* Some say half a message first. */
        if (i & 1)
            (void)!send(fd, "\200\0\1\0\0\0", 6, MSG_NOSIGNAL);
        held++;
    }
    printf("held %d\n", held);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
}

static const struct prog_case cases[] = {
    { "local", local_run },
    { "tls", tls_run },
    { "raw", raw_run },
    { "member", member_run },
    { "stall", stall_run },
    { NULL, NULL }
};

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    return prog_run(cases, argc, argv);
}
