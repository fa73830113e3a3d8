/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What children of the receiver have for one another, and who may have it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/tls.h"
#include "proto/msg.h"
#include "slaved/shares.h"
#include "tests/unit/tap.h"

#define WAITERS 256
#define NOTHING (-1)                    /* it is not answered yet */

static struct event_base *base;

static void child_message(struct conn *conn, const struct frame_header *header,
                          const uint8_t *body, int *fds, void *arg)
{
    int error = header->proc == P_SHARE_GIVE ? share_give(conn, header, body, fds)
                                             : share_take(conn, header, body);

    (void)arg;
    if (error)
        conn_close(conn, "bad message");
}

static void child_closed(struct conn *conn, const char *reason, void *arg)
{
    (void)reason;
    (void)arg;
    shares_forget(conn);
}

static const struct conn_ops child_ops = { child_message, child_closed, NULL };

static void loop_run(void)
{
    for (int turns = 0; turns < 8; turns++)
        event_base_loop(base, EVLOOP_NONBLOCK);
}

/* The socket of a child of the receiver. */
static int child_make(void)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
        !conn_new_local(base, pair[0], &child_ops, NULL)) {
        printf("Bail out! cannot make a child: %s\n", strerror(errno));
        exit(99);
    }
    return pair[1];
}

static void child_end(int child)
{
    close(child);
    loop_run();
}

static share_arg arg_of(uint8_t word, int forks)
{
    share_arg arg = { .forks = forks };

    memset(arg.word, word, sizeof(arg.word));
    return arg;
}

static void give(int child, uint8_t word, int forks, unsigned count)
{
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC), fds[] = { null, null, null };
    const share_arg arg = arg_of(word, forks);

    msg_send(child, K_EVENT, P_SHARE_GIVE, 0, 0, FRAME_XDR(share_arg), &arg, fds, count);
    close(null);
    loop_run();
}

static void ask_for(int peer, int child, uint8_t word, int forks)
{
    const take_arg arg = { .share = arg_of(word, forks), .peer = peer };

    msg_send(child, K_CALL, P_SHARE_TAKE, 7, 0, FRAME_XDR(take_arg), &arg, NULL, 0);
    loop_run();
}

static void ask(int child, uint8_t word, int forks)
{
    ask_for(5, child, word, forks);
}

/* How many descriptors have come, or why there are none; NOTHING; -EPIPE: it has been cut off. */
static int answer(int child)
{
    struct pollfd fd = { .fd = child, .events = POLLIN };
    struct msg msg;
    int result;

    if (poll(&fd, 1, 0) <= 0)
        return NOTHING;
    if (msg_recv(child, &msg) < 0)
        return -EPIPE;
    result = msg.header.status ? -msg.header.status : (int)msg.header.nfds;
    msg_free(&msg);
    return result;
}

static int take(int child, uint8_t word, int forks)
{
    ask(child, word, forks);
    return answer(child);
}

static void test_memory(void)
{
    int owner = child_make(), first = child_make(), other = child_make();

    is_int(take(first, 1, 0), NOTHING, "one who comes early waits");
    give(owner, 1, 0, 3);
    is_int(answer(first), 3, "and gets what is given");
    is_int(take(other, 1, 0), -EBUSY, "memory is for one");
    is_int(take(other, 2, 0), NOTHING, "who has another word waits");
    child_end(owner);
    is_int(answer(first), -EPIPE, "who has taken it is cut off when its owner ends");
    is_int(answer(other), NOTHING, "and nobody else");
    child_end(first);
    child_end(other);
}

static void test_broken(void)
{
    int owner = child_make(), first = child_make();

    ask(first, 1, 0);
    give(owner, 1, 0, 1);
    is_int(answer(first), 1, "who waits for what is broken gets no memory, but at once");
    child_end(first);
    child_end(owner);
}

static void test_taker_ends(void)
{
    const share_arg arg = arg_of(1, 0);
    int owner = child_make(), filler = child_make(), pair[2];
    struct pollfd end;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return;
    msg_send(owner, K_EVENT, P_SHARE_GIVE, 0, 0, FRAME_XDR(share_arg), &arg, &pair[1], 1);
    close(pair[1]);
    loop_run();
    end = (struct pollfd){ .fd = pair[0], .events = POLLIN };
    is_int(poll(&end, 1, 0), 0, "the way to a process's memory stays open");
    is_int(take(filler, 1, 0), 1, "for who brings it");
    is_int(poll(&end, 1, 0), 1, "and ends with him");
    close(pair[0]);
    child_end(filler);
    child_end(owner);
}

static void test_forks(void)
{
    int owner = child_make(), children[2] = { child_make(), child_make() };

    give(owner, 1, 1, 1);
    is_int(take(children[0], 1, 0), NOTHING, "the way to siblings is not memory");
    is_int(take(children[1], 1, 1), 1, "one sibling");
    child_end(children[0]);
    children[0] = child_make();
    is_int(take(children[0], 1, 1), 1, "and another one");
    child_end(owner);
    is_int(answer(children[0]), NOTHING, "go on without its owner");
    child_end(children[0]);
    child_end(children[1]);
}

static void test_crowd(void)
{
    int crowd[WAITERS], others[2], late = child_make(), waiting = 0;

    for (unsigned i = 0; i < WAITERS; i++) {
        crowd[i] = child_make();
        waiting += take(crowd[i], 9, 0) == NOTHING;
    }
    is_int(waiting, WAITERS, "many may wait for what is never given");
    is_int(take(late, 9, 0), -EAGAIN, "but not any number");
    for (unsigned i = 0; i < 2; i++)
        others[i] = child_make();
    ask_for(6, others[0], 9, 0);
    is_int(answer(others[0]), NOTHING, "of one node");
    ask_for(TLS_NODE_MASTER, others[1], 9, 0);
    is_int(answer(others[1]), NOTHING, "the master's wait");
    child_end(crowd[0]);
    is_int(take(late, 9, 0), NOTHING, "until one has gone");
    for (unsigned i = 1; i < WAITERS; i++)
        child_end(crowd[i]);
    for (unsigned i = 0; i < 2; i++)
        child_end(others[i]);
    child_end(late);
}

int main(void)
{
    const struct rlimit files = { 1024, 1024 };

    setrlimit(RLIMIT_NOFILE, &files);
    base = event_base_new();
    shares_init(base);
    test_memory();
    test_broken();
    test_taker_ends();
    test_forks();
    test_crowd();
    event_base_free(base);
    return done_testing();
}
