/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a connection cuts what comes into messages: however a peer splits and glues them, each comes
 * whole, once, in its turn, with its own descriptors.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conn.h"
#include "proto/msg.h"
#include "tests/unit/tap.h"

#define END_FIELDS \
    unsigned wrong, elsewhere; \
    unsigned pause_at, leave_at; /* message at which the owner pauses, or has others hear */
#include "tests/unit/conn_loop.h"

/* Its serial is its place, counted from 1; the rest of the header follows from that. */
struct sent {
    uint8_t *frame;
    size_t len, nfds;
};

static size_t length_of(unsigned serial)
{
    static const size_t lengths[] = { 0, 4, 0, 60, 996, 1000, 1024, 8, 0, 5000, 12, 100, 70000 };

    return serial % 97 == 0 ? 600000 : lengths[serial % (sizeof(lengths) / sizeof(lengths[0]))];
}

static unsigned nfds_of(unsigned serial)
{
    return serial % 5 == 0 ? serial % 3 + 1 : serial % 97 == 0 ? 2 : 0;
}

/* A file that says whose it is by its size. */
static int mark_of(unsigned serial, unsigned index)
{
    int fd = memfd_create("mark", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, serial * 10 + index) < 0)
        exit(1);
    return fd;
}

static int is_right(const struct frame_header *header, const uint8_t *body, const int *fds,
                    unsigned serial)
{
    struct stat st;

    if (header->serial != serial || header->body_len != length_of(serial) ||
        header->nfds != nfds_of(serial))
        return 0;
    for (unsigned i = 0; i < header->nfds; i++)
        if (fstat(fds[i], &st) < 0 || st.st_size != serial * 10 + i ||
            fcntl(fds[i], F_GETFD) != FD_CLOEXEC)
            return 0;
    for (size_t i = 0; i < header->body_len; i++)
        if (body[i] != (uint8_t)(serial + i))
            return 0;
    return 1;
}

static const struct conn_ops elsewhere_ops;

static void end_message(struct conn *conn, const struct frame_header *header, const uint8_t *body,
                        int *fds, void *arg)
{
    struct end *end = arg;

    end->messages++;
    end->wrong += !is_right(header, body, fds, end->messages);
    if (end->messages == end->pause_at)
        conn_pause(conn, 1);
    if (end->messages == end->leave_at)
        conn_set_ops(conn, &elsewhere_ops, end);
}

static void elsewhere_message(struct conn *conn, const struct frame_header *header,
                              const uint8_t *body, int *fds, void *arg)
{
    struct end *end = arg;

    end_message(conn, header, body, fds, arg);
    end->elsewhere++;
}

static const struct conn_ops end_ops = { end_message, end_closed, NULL };
static const struct conn_ops elsewhere_ops = { elsewhere_message, end_closed, NULL };

static int end_open(struct end *end, int type)
{
    int pair[2], large = 4 << 20;

    memset(end, 0, sizeof(*end));
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
        exit(1);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
    end->conn = conn_new_local(base, pair[0], &end_ops, end);
    return pair[1];
}

static void end_finish(struct end *end, int fd)
{
    if (fd >= 0)
        close(fd);
    conn_close(end->conn, "test is over");
    loop_run(2);
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

static struct sent message_make(unsigned serial)
{
    struct frame_header header = { .kind = K_EVENT, .proc = P_STREAM_DATA, .serial = serial,
                                   .nfds = nfds_of(serial),
                                   .body_len = (uint32_t)length_of(serial) };
    struct sent sent = { .len = FRAME_PREFIX + header.body_len, .nfds = header.nfds };

    sent.frame = malloc(sent.len);
    if (!sent.frame)
        exit(1);
    frame_format_header(&header, sent.frame);
    for (size_t i = 0; i < header.body_len; i++)
        sent.frame[FRAME_PREFIX + i] = (uint8_t)(serial + i);
    return sent;
}

/* All of the bytes, in one call after the other; the descriptors of message `serial` first. */
static void bytes_send(int fd, const uint8_t *bytes, size_t len, unsigned serial, size_t nfds)
{
    union { char space[CMSG_SPACE(sizeof(int) * 8)]; struct cmsghdr align; } control;
    int marks[8];

    for (unsigned i = 0; i < nfds; i++)
        marks[i] = mark_of(serial, i);
    for (size_t sent = 0; sent < len;) {
        struct iovec iov = { (void *)(uintptr_t)(bytes + sent), len - sent };
        struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
        ssize_t n;

        if (nfds > 0 && sent == 0) {
            memset(&control, 0, sizeof(control));
            mh.msg_control = control.space;
            mh.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
            CMSG_FIRSTHDR(&mh)->cmsg_level = SOL_SOCKET;
            CMSG_FIRSTHDR(&mh)->cmsg_type = SCM_RIGHTS;
            CMSG_FIRSTHDR(&mh)->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
            memcpy(CMSG_DATA(CMSG_FIRSTHDR(&mh)), marks, sizeof(int) * nfds);
        }
        n = sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            break;
        if (n > 0)
            sent += (size_t)n;
        else
            event_base_loop(base, EVLOOP_NONBLOCK);
    }
    for (unsigned i = 0; i < nfds; i++)
        close(marks[i]);
}

/* Pieces of random lengths: a new one where descriptors are, else wherever it happens to be. */
static void test_pieces(unsigned seed, unsigned count)
{
    static uint8_t piece[2 << 20];
    size_t len = 0, nfds = 0;
    unsigned owner = 0;
    int before = fds_open(), fd;
    struct end end;

    fd = end_open(&end, SOCK_STREAM);
    srandom(seed);
    for (unsigned serial = 1; serial <= count; serial++) {
        struct sent sent = message_make(serial);

        for (size_t at = 0, take; at < sent.len; at += take) {
            if (len > 0 && ((at == 0 && sent.nfds > 0) || random() % 3 == 0)) {
                bytes_send(fd, piece, len, owner, nfds);
                len = nfds = 0;
                if (random() % 2)
                    event_base_loop(base, EVLOOP_NONBLOCK);
            }
            if (at == 0 && sent.nfds > 0) {
                owner = serial;
                nfds = sent.nfds;
            }
            take = random() % 2 ? sent.len - at : 1 + (size_t)random() % (sent.len - at);
            memcpy(piece + len, sent.frame + at, take);
            len += take;
            /* Its descriptors are those of what this call ends in. */
            if (nfds > 0 || len > sizeof(piece) / 2) {
                bytes_send(fd, piece, len, owner, nfds);
                len = nfds = 0;
            }
        }
        free(sent.frame);
    }
    bytes_send(fd, piece, len, owner, nfds);
    close(fd);
    for (int i = 0; i < 100 && !end.closes; i++)
        loop_run(10);
    is_int(end.messages, count, "seed %u: every message comes", seed);
    is_int(end.wrong, 0, "in its turn, as it was, with its own descriptors");
    is_str(end.reason, "closed by the peer", "and then the end");
    end_finish(&end, -1);
    is_int(fds_open(), before, "no descriptor is left");
}

static void messages_send(int fd, unsigned first, unsigned last)
{
    for (unsigned serial = first; serial <= last; serial++) {
        struct sent sent = message_make(serial);

        bytes_send(fd, sent.frame, sent.len, serial, sent.nfds);
        free(sent.frame);
    }
}

static void test_owner_changes(int type, const char *name)
{
    struct end end;
    int fd = end_open(&end, type);

    end.pause_at = 3;
    end.leave_at = 10;
    messages_send(fd, 1, 11);
    loop_run(5);
    is_int(end.messages, 3, "%s: who pauses in a message hears no more", name);
    conn_pause(end.conn, 0);
    loop_run(5);
    is_int(end.messages, 11, "%s: until it goes on", name);
    is_int(end.elsewhere, 1, "%s: from the next message on, another one hears", name);
    is_int(end.wrong, 0, "%s: all is right", name);
    end.pause_at = 12;
    messages_send(fd, 12, 12);
    loop_run(5);
    close(fd);
    loop_run(5);
    is_int(end.closes, 0, "%s: nor is the end heard in a pause", name);
    conn_pause(end.conn, 0);
    loop_run(5);
    is_int(end.closes, 1, "%s: but after it", name);
    end_finish(&end, -1);
}

/* More small messages at once than a turn takes. */
static void test_many(void)
{
    enum { MANY = 200 };
    static uint8_t bytes[MANY * FRAME_PREFIX];
    struct frame_header header = { .kind = K_EVENT, .proc = P_PING };
    struct end end;
    int fd = end_open(&end, SOCK_STREAM), late = 0;
    unsigned before;

    for (unsigned i = 0; i < MANY; i++)
        frame_format_header(&header, bytes + i * FRAME_PREFIX);
    for (size_t i = 1, most = 0; i <= MANY; i++) {
        bytes_send(fd, bytes, i * FRAME_PREFIX, 0, 0);
        for (int turns = 0; end.messages < most + i && turns < 100; turns++)
            event_base_loop(base, EVLOOP_NONBLOCK);
        late += end.messages != (most += i);
    }
    is_int(late, 0, "all of many small messages come, however many at once");
    before = end.messages;
    bytes_send(fd, bytes, sizeof(bytes) - 1, 0, 0);
    close(fd);
    loop_run(10);
    is_int(end.messages - before, MANY - 1, "and all whole ones before an end");
    is_str(end.reason, "closed by the peer", "which has its reason");
    end_finish(&end, -1);
}

/* What promises a descriptor does not get that of the one behind it, and the other way round. */
static void test_not_its_own(void)
{
    struct frame_header header = { .kind = K_EVENT, .proc = P_PING, .nfds = 1 };
    uint8_t bytes[2 * FRAME_PREFIX];
    int before = fds_open(), fd;
    struct end end;

    frame_format_header(&header, bytes);
    header.nfds = 0;
    frame_format_header(&header, bytes + FRAME_PREFIX);
    fd = end_open(&end, SOCK_STREAM);
    bytes_send(fd, bytes, FRAME_PREFIX, 0, 0);
    bytes_send(fd, bytes + FRAME_PREFIX, FRAME_PREFIX, 1, 1);
    loop_run(5);
    is_int(end.messages, 0, "a descriptor that comes with the next message is not its own");
    is_str(end.reason, "not a message", "that ends the connection");
    end_finish(&end, fd);
    fd = end_open(&end, SOCK_STREAM);
    bytes_send(fd, bytes + FRAME_PREFIX, FRAME_PREFIX, 0, 0);
    bytes_send(fd, bytes, FRAME_PREFIX - 1, 1, 1);
    bytes_send(fd, bytes + FRAME_PREFIX - 1, 1, 1, 1);
    loop_run(5);
    is_int(end.messages, 1, "one that brings more than it promised is not heard");
    end_finish(&end, fd);
    is_int(fds_open(), before, "no descriptor is left of either");
}

int main(void)
{
    base = event_base_new();
    for (unsigned seed = 1; seed <= 12; seed++)
        test_pieces(seed, 400);
    test_owner_changes(SOCK_STREAM, "stream");
    test_owner_changes(SOCK_SEQPACKET, "packets");
    test_many();
    test_not_its_own();
    event_base_free(base);
    return done_testing();
}
