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

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include "tests/progs/hostile.h"

#define PATIENCE_MS 1000
#define FLOOD 20000

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
