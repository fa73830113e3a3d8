/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libbproc/depart.h"
#include "libbproc/standin.h"
#include "proto/rawcall.h"

#define PATIENCE_MS 70
#define COMMAND_MS 25       /* what runs longer is no short command */
#define STACK_BYTES 8192
#define LONGEST 64          /* bytes of a message that is taken here */

/* What it touches lies together, as each page that it touches has to be made. */
struct standin {
    alignas(16) char stack[STACK_BYTES];
    struct standin *next;       /* of those that are free */
    size_t room;
    int gate;
    struct kernel_action on_pipe;
    const char *name;
    struct ghost_environment environment;
    char *argv[];               /* then what it points to */
};

/* The first two words of a body. */
struct news {
    struct frame_header header;
    int words[2];
};

/*
 * In the child: memory is the parent's, who goes on meanwhile, so there is nothing but the stack
 * to be written to, and no call of libc's that could write to errno.
 */

static void gate_keep(int gate)
{
    if (gate == GHOST_GATE)
        RAW3(SYS_fcntl, gate, F_SETFD, 0);
    else
        RAW3(SYS_dup3, gate, GHOST_GATE, 0);
    RAW3(SYS_close_range, STDIN_FILENO, STDERR_FILENO, 0);
    RAW3(SYS_close_range, GHOST_GATE + 1, ~0U, 0);
}

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Whether there is something to be read before that time. */
static int news_wait(int64_t until)
{
    struct pollfd gate = { .fd = GHOST_GATE, .events = POLLIN };
    int64_t left = until - clock_ms();

    struct timespec wait = { left / 1000, left % 1000 * 1000000 };

    return left > 0 && RAW4(SYS_ppoll, &gate, 1, &wait, NULL) > 0;
}

/* 0 when it is not all there, or too long for here; it stays to be read. */
static int news_look(struct news *news, int runs)
{
    uint8_t bytes[FRAME_PREFIX + sizeof(news->words)];
    long got = raw_call(SYS_recvfrom, GHOST_GATE, (long)bytes, sizeof(bytes), MSG_PEEK, 0, 0);

    /* There is to be no process. */
    if (got <= 0 && !runs)
        RAW2(SYS_kill, RAW0(SYS_getpid), SIGKILL);
    if (got != (long)sizeof(bytes) || frame_parse_header(bytes, &news->header) < 0 ||
        news->header.body_len > LONGEST - FRAME_PREFIX)
        return 0;
    memcpy(news->words, bytes + FRAME_PREFIX, sizeof(news->words));
    for (unsigned i = 0; i < 2; i++)
        news->words[i] = (int)ntohl((uint32_t)news->words[i]);
    return 1;
}

static int verdict_take(const struct news *news)
{
    char bytes[LONGEST];
    size_t len = FRAME_PREFIX + news->header.body_len;

    if (news->header.proc != P_GATE || news->words[0] != GATE_GHOST)
        return 0;
    return raw_call(SYS_recvfrom, GHOST_GATE, (long)bytes, (long)len, MSG_WAITALL, 0, 0) ==
           (long)len;
}

/* Ends as the process has, if that is all there is to it. */
static void exit_take(const struct news *news)
{
    if (news->header.proc == P_GHOST_EXIT && WIFEXITED(news->words[1]))
        RAW1(SYS_exit_group, WEXITSTATUS(news->words[1]));
}

static int standin_run(void *arg)
{
    int64_t until = clock_ms() + PATIENCE_MS;
    struct standin *self = arg;
    struct news news;
    int runs = 0;

    gate_keep(self->gate);
    RAW4(SYS_rt_sigaction, SIGPIPE, &self->on_pipe, NULL, KERNEL_SIGSET);
    RAW2(SYS_prctl, PR_SET_NAME, self->name);
    while (news_wait(until) && news_look(&news, runs)) {
        if (runs)
            exit_take(&news);
        if (runs || !verdict_take(&news))
            break;
        runs = 1;
        until = min_ms(until, clock_ms() + COMMAND_MS);
        ghost_environment_runs(&self->environment);
    }
    RAW3(SYS_execve, GHOST_PATH, self->argv, self->environment.list);
    RAW1(SYS_exit_group, 1);
    return 1;
}

/* ---- in the parent ---- */

/* Of those that have ended: the next one costs no new pages. */
static struct standin *spares;

static struct standin *room_take(size_t room)
{
    struct standin *child = spares;

    if (child && child->room >= room) {
        spares = child->next;
        return child;
    }
    child = malloc(room);
    if (child)
        child->room = room;
    return child;
}

void standin_free(void *memory)
{
    struct standin *child = memory;

    if (!child)
        return;
    child->next = spares;
    spares = child;
}

/* With a copy of `argv`, as its parent may be through with that when the child needs it. */
static struct standin *standin_new(char *const argv[])
{
    size_t count = 0, bytes = 0;
    struct standin *child;
    char *at;

    for (; argv[count]; count++)
        bytes += strlen(argv[count]) + 1;
    child = room_take(sizeof(*child) + (count + 1) * sizeof(*argv) + bytes);
    if (!child)
        return NULL;
    at = (char *)(child->argv + count + 1);
    for (size_t i = 0; i < count; i++) {
        child->argv[i] = at;
        at = stpcpy(at, argv[i]) + 1;
    }
    child->argv[count] = NULL;
    return child;
}

static const char *name_of(char *const argv[])
{
    const char *slash = argv[0] ? strrchr(argv[0], '/') : NULL;

    return slash ? slash + 1 : argv[0] ? argv[0] : "bproc-ghost";
}

pid_t standin_start(int gate, int node, char *const argv[], const struct circumstances *now,
                    void **memory)
{
    struct standin *child = standin_new(argv);
    uint64_t mask;
    pid_t pid;

    if (!child)
        return -ENOMEM;
    child->gate = gate;
    child->name = name_of(child->argv);
    child->on_pipe = (struct kernel_action) { .handler = SIG_DFL };
    /* That is what a tool ignores for its own sake; what its process does about it is another's. */
    if (now->ignored & 1ULL << (SIGPIPE - 1))
        child->on_pipe.handler = SIG_IGN;
    ghost_environment_fill(&child->environment, node, getpid(), 1);
    signals_block(&mask);
    pid = clone(standin_run, child->stack + STACK_BYTES, CLONE_VM | SIGCHLD, child);
    if (pid < 0)
        pid = -errno;
    signals_restore(&mask);
    if (pid < 0) {
        standin_free(child);
        return pid;
    }
    *memory = child;
    return pid;
}
