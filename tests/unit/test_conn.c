/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/conn.h"
#include "proto/msg.h"
#include "tests/unit/tap.h"

#define END_FIELDS \
    unsigned fds; \
    int taken;                  /* a descriptor that was taken; -1 */ \
    int close_in_message; \
    int32_t last_pid;
#include "tests/unit/conn_loop.h"

static void end_message(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                        int *fds, void *arg)
{
    struct end *end = arg;
    pid_msg msg;

    end->messages++;
    end->fds += header->nfds;
    if (header->nfds > 0) {
        end->taken = fds[0];
        fds[0] = -1;
    }
    if (header->body_len > 0 && conn_decode(pid_msg, header, body, &msg) == 0)
        end->last_pid = msg.pid;
    if (header->kind == K_CALL)
        conn_reply(conn, header, NULL, NULL);
    if (end->close_in_message)
        conn_close(conn, "had enough");
}

static const struct conn_ops end_ops = { end_message, end_closed, NULL };

/* One end on the loop, the other's descriptor to the test. */
static int end_open(struct end *end, int type)
{
    int pair[2];

    memset(end, 0, sizeof(*end));
    end->taken = -1;
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
        exit(1);
    end->conn = conn_new_local(base, pair[0], &end_ops, end);
    return pair[1];
}

static void end_finish(struct end *end, int fd)
{
    if (fd >= 0)
        close(fd);
    conn_close(end->conn, "test is over");
    if (end->taken >= 0)
        close(end->taken);
    loop_run(5);
}

static int fds_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    while (dir && readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void test_messages(int type, const char *name)
{
    struct end end;
    int fd = end_open(&end, type);
    int some[3] = { 0, 1, 2 };
    pid_msg body = { .pid = 4242 };
    struct msg *msg = malloc(sizeof(*msg));

    msg_send(fd, K_EVENT, P_GHOST_ORPHAN, 0, 0, FRAME_XDR(pid_msg), &body, some, 3);
    msg_send(fd, K_CALL, P_WHOAMI, 9, 0, NULL, NULL, NULL, 0);
    loop_run(20);
    is_int(end.messages, 2, "%s: two messages arrive", name);
    is_int(end.last_pid, 4242, "%s: the body too", name);
    is_int(end.fds, 3, "%s: three descriptors with the first", name);
    ok(fcntl(end.taken, F_GETFD) == FD_CLOEXEC, "%s: a taken one lives and is close-on-exec", name);
    is_int(type == SOCK_SEQPACKET ? msg_recv_packet(fd, msg) : msg_recv(fd, msg), 0,
           "%s: the reply comes", name);
    is_int(msg->header.serial, 9, "%s: with the call's serial", name);
    msg_free(msg);
    conn_send(end.conn, K_EVENT, P_MOVE_START, 1, 0, FRAME_XDR(pid_msg), &body, some, 2);
    is_int(type == SOCK_SEQPACKET ? msg_recv_packet(fd, msg) : msg_recv(fd, msg), 0,
           "%s: an event with descriptors goes out at once", name);
    is_int(msg->header.nfds, 2, "%s: with both", name);
    msg_free(msg);
    free(msg);
    end_finish(&end, fd);
    is_int(end.closes, 1, "%s: one end", name);
}

static void test_pieces(void)
{
    struct end end;
    int fd = end_open(&end, SOCK_STREAM);
    struct frame_header header = { .kind = K_EVENT, .proc = P_GHOST_ORPHAN };
    pid_msg body = { .pid = 5 };
    uint8_t *frame;
    size_t len;

    frame_build(&header, FRAME_XDR(pid_msg), &body, &frame, &len);
    for (size_t i = 0; i < len; i++) {
        is_int(end.messages, 0, "no message after %zu bytes", i);
        (void)!write(fd, frame + i, 1);
        loop_run(1);
    }
    is_int(end.messages, 1, "a message byte by byte");
    (void)!write(fd, frame, len - 1);
    close(fd);
    loop_run(5);
    is_int(end.messages, 1, "no message out of a part");
    is_str(end.reason, "closed by the peer", "the end has its reason");
    free(frame);
    end_finish(&end, -1);
    is_int(end.closes, 1, "on_close comes once");
}

static void test_bad(int type, const char *name)
{
    static const struct { size_t at; uint8_t value; const char *reason; } cases[] = {
        { 0, 0x00, "not a message" },
        { 0, 0xff, "message too long" },
        { 7, 0x77, "peer speaks another version of the protocol" },
        { 15, 0x00, "not a message" },
        { 27, 0x01, "not a message" },      /* promises a descriptor and sends none */
    };
    struct frame_header header = { .kind = K_EVENT, .proc = P_GHOST_ORPHAN };
    pid_msg body = { .pid = 5 };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct end end;
        int fd = end_open(&end, type);
        uint8_t *frame;
        size_t len;

        frame_build(&header, FRAME_XDR(pid_msg), &body, &frame, &len);
        frame[cases[i].at] = cases[i].value;
        (void)!write(fd, frame, len);
        loop_run(5);
        is_int(end.messages, 0, "%s: bad bytes %zu make no message", name, i);
        is_str(end.reason, cases[i].reason, "%s: they end the connection", name);
        free(frame);
        end_finish(&end, fd);
    }
}

/* Who is refused can say why. */
static void test_version(void)
{
    const struct frame_header header = { .kind = K_CALL, .proc = P_PING };
    struct frame_header answer;
    uint8_t bytes[FRAME_PREFIX];
    struct end end;
    int fd = end_open(&end, SOCK_STREAM);

    frame_format_header(&header, bytes);
    bytes[7]++;
    (void)!write(fd, bytes, sizeof(bytes));
    loop_run(5);
    is_int(read(fd, bytes, sizeof(bytes)), sizeof(bytes), "another version is answered");
    is_int(frame_parse_header(bytes, &answer), 0, "in ours");
    is_int(answer.status, EPROTONOSUPPORT, "with the reason");
    end_finish(&end, fd);
}

static void test_descriptors(void)
{
    struct end end;
    int fd = end_open(&end, SOCK_STREAM);
    int before = fds_open(), many[BPROC_MAX_FDS];

    for (int i = 0; i < BPROC_MAX_FDS; i++)
        many[i] = 0;
    msg_send(fd, K_EVENT, P_MOVE_START, 0, 0, NULL, NULL, many, BPROC_MAX_FDS);
    loop_run(10);
    is_int(end.fds, BPROC_MAX_FDS, "as many descriptors as are allowed");
    is_int(fds_open(), before + 1, "those not taken are closed");
    end_finish(&end, fd);
    /* Two writes of a stranger's own making put more on one message than it may have. */
    fd = end_open(&end, SOCK_STREAM);
    before = fds_open();
    {
        union { char bytes[CMSG_SPACE(sizeof(int) * 150)]; struct cmsghdr align; } control;
        uint8_t byte = 0x80;
        struct iovec iov = { &byte, 1 };
        struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes) };

        memset(&control, 0, sizeof(control));
        CMSG_FIRSTHDR(&mh)->cmsg_level = SOL_SOCKET;
        CMSG_FIRSTHDR(&mh)->cmsg_type = SCM_RIGHTS;
        CMSG_FIRSTHDR(&mh)->cmsg_len = CMSG_LEN(sizeof(int) * 150);
        for (int i = 0; i < 3; i++)
            sendmsg(fd, &mh, 0);
        loop_run(10);
        ok(fds_open() <= before + BPROC_MAX_FDS, "a flood of descriptors is bounded");
        close(fd);
        loop_run(10);
        is_int(fds_open(), before - 2, "and leaves none behind");
    }
    end_finish(&end, -1);
}

static void test_closing(void)
{
    struct end end;
    int fd = end_open(&end, SOCK_STREAM);
    char byte;

    end.close_in_message = 1;
    msg_send(fd, K_EVENT, P_PING, 0, 0, NULL, NULL, NULL, 0);
    msg_send(fd, K_EVENT, P_PING, 0, 0, NULL, NULL, NULL, 0);
    loop_run(5);
    is_int(end.messages, 1, "no message after a close inside a message");
    is_str(end.reason, "had enough", "its own reason");
    close(fd);
    fd = end_open(&end, SOCK_STREAM);
    conn_event(end.conn, P_PING, NULL, NULL);
    conn_close_after_send(end.conn);
    is_int(end.closes, 0, "closing after sending is for the loop");
    is_int(conn_event(end.conn, P_PING, NULL, NULL), -EPIPE, "nothing can be sent any more");
    loop_run(20);
    is_int(end.closes, 1, "then it is closed");
    for (int i = 0; i < FRAME_PREFIX; i++)
        if (read(fd, &byte, 1) != 1)
            break;
    is_int(read(fd, &byte, 1), 0, "after all was sent");
    end_finish(&end, fd);
}

static void test_queue(void)
{
    static char text[BPROC_MAX_LIST];
    pass_ret ret = { .body = { sizeof(text), text } };
    struct end end;
    int fd = end_open(&end, SOCK_STREAM);
    int sent = 0, error;

    while ((error = conn_send(end.conn, K_REPLY, P_PASS, 0, 0, FRAME_XDR(pass_ret), &ret, NULL,
                              0)) == 0)
        sent++;
    is_int(error, -ENOBUFS, "a peer that does not read has a limit");
    ok(sent >= 15 && sent <= 18, "of about 16 MiB (%d MiB)", sent);
    is_int(end.closes, 0, "the end comes from the loop");
    loop_run(10);
    is_str(end.reason, "peer does not read", "with its reason");
    end_finish(&end, fd);
}

/* A peer that speaks and goes is heard, though we had something to say to it as well. */
static void test_last_words(int type, const char *name)
{
    struct end end;
    int fd = end_open(&end, type);
    pid_msg body = { .pid = 77 };

    conn_send(end.conn, K_EVENT, P_GHOST_EXIT, 0, 0, FRAME_XDR(pid_msg), &body, NULL, 0);
    msg_send(fd, K_EVENT, P_GHOST_ORPHAN, 0, 0, FRAME_XDR(pid_msg), &body, NULL, 0);
    close(fd);
    conn_send(end.conn, K_EVENT, P_GHOST_EXIT, 0, 0, FRAME_XDR(pid_msg), &body, NULL, 0);
    conn_send(end.conn, K_EVENT, P_GHOST_EXIT, 0, 0, FRAME_XDR(pid_msg), &body, NULL, 0);
    is_int(end.closes, 0, "%s: an end is not found by speaking", name);
    loop_run(20);
    is_int(end.last_pid, 77, "%s: the last words of a peer are heard", name);
    is_int(end.closes, 1, "%s: then its end", name);
    end_finish(&end, -1);
}

int main(void)
{
    int before;

    base = event_base_new();
    before = fds_open();
    test_messages(SOCK_STREAM, "stream");
    test_messages(SOCK_SEQPACKET, "packets");
    test_pieces();
    test_bad(SOCK_STREAM, "stream");
    test_bad(SOCK_SEQPACKET, "packets");
    test_version();
    test_descriptors();
    test_closing();
    test_queue();
    test_last_words(SOCK_STREAM, "stream");
    test_last_words(SOCK_SEQPACKET, "packets");
    is_int(fds_open(), before, "no descriptor is left");
    event_base_free(base);
    return done_testing();
}
