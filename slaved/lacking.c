/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/log.h"
#include "migrate/pagestore.h"
#include "migrate/treekill.h"
#include "migrate/userfault.h"
#include "proto/msg.h"
#include "slaved/lacking.h"

#define MEMORIES_MAX 1024               /* more that are there at once have the ward alone */
#define STACK_BYTES (256UL << 10)
#define ROUND_MS 100                    /* nobody who is answered needs it soon */
#define PACKET_FDS 3

struct lacking {
    lack_arg who;
    int sock;
    int process;                        /* its pidfd */
    unsigned count;
    int memories[MEMORIES_MAX];
};

static void memory_drop(struct lacking *l, unsigned i)
{
    close(l->memories[i]);
    l->memories[i] = l->memories[--l->count];
}

static void memories_sweep(struct lacking *l)
{
    for (unsigned i = l->count; i-- > 0;)
        if (userfault_is_over(l->memories[i]))
            memory_drop(l, i);
}

/* Takes `fd`, if there is one. */
static void memory_keep(struct lacking *l, int fd)
{
    if (l->count < MEMORIES_MAX && fd >= 0)
        l->memories[l->count++] = fd;
    else
        fd_close(&fd);
}

static void lacking_free(struct lacking *l)
{
    while (l->count > 0)
        memory_drop(l, l->count - 1);
    fd_close(&l->process);
    fd_close(&l->sock);
    free(l);
}

/* ---- when nobody brings the memory any more ---- */

static void memory_refuse(struct lacking *l, int fd)
{
    struct uffd_msg msg;

    /* Some have been heard of already. */
    userfault_wake(fd);
    while (userfault_hear(fd, &msg)) {
        if (msg.event == UFFD_EVENT_PAGEFAULT)
            userfault_poison(fd, msg.arg.pagefault.address & ~(uint64_t)(PAGE_BYTES - 1));
        else if (msg.event == UFFD_EVENT_FORK)
            memory_keep(l, (int)msg.arg.fork.ufd);
    }
}

static void process_end(const struct lacking *l)
{
    struct pollfd end = { .fd = l->process, .events = POLLIN };

    /* Who was not killed could say why, and has ended it. */
    if (poll(&end, 1, 0) == 0)
        log_warnx("process %d lost its memory: what brought it was killed", l->who.pid);
    treekill(l->who.task, l->process);
}

static void lacking_lost(struct lacking *l)
{
    process_end(l);
    for (; l->count > 0; memories_sweep(l)) {
        /* What they have forked meanwhile comes to stand behind them. */
        for (unsigned i = 0; i < l->count; i++)
            memory_refuse(l, l->memories[i]);
        poll(NULL, 0, ROUND_MS);
    }
}

/* ---- while somebody does ---- */

static void say(const struct lacking *l, bproc_proc proc)
{
    msg_send(l->sock, K_REPLY, proc, 0, 0, NULL, NULL, NULL, 0);
}

static void *lacking_run(void *arg)
{
    struct lacking *l = arg;
    struct msg msg;
    int over = 0;

    say(l, P_LACK);
    while (!over && msg_recv(l->sock, &msg) == 0) {
        over = msg.header.proc == P_LACK_OVER;
        if (l->count == MEMORIES_MAX)
            memories_sweep(l);
        if (!over)
            memory_keep(l, msg_take_fd(&msg, 0));
        msg_free(&msg);
    }
    if (over) {
        /* Who asked has them as well: the last one to close a memory may have to wait for it. */
        while (l->count > 0)
            memory_drop(l, l->count - 1);
        say(l, P_LACK_OVER);
    } else {
        lacking_lost(l);
    }
    lacking_free(l);
    return NULL;
}

static int thread_start(struct lacking *l)
{
    pthread_attr_t attr;
    sigset_t all, old;
    pthread_t thread;
    int error;

    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    /* Signals are the loop's. */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = pthread_create(&thread, &attr, lacking_run, l);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return -error;
}

int lacking_new(const struct frame_header *header, const uint8_t *body, int *fds)
{
    struct lacking *l = malloc(sizeof(*l));
    int error;

    if (!l)
        return 0;
    if (header->nfds != PACKET_FDS || conn_decode(lack_arg, header, body, &l->who) < 0) {
        free(l);
        return -EPROTO;
    }
    l->sock = fds[0];
    l->process = fds[1];
    l->memories[0] = fds[2];
    l->count = 1;
    for (unsigned i = 0; i < PACKET_FDS; i++)
        fds[i] = -1;
    error = thread_start(l);
    if (error) {
        log_warnx("process %d cannot run without its memory: %s", l->who.pid, strerror(-error));
        lacking_free(l);
    }
    return 0;
}
