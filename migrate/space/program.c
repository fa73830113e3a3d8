/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "proto/rawcall.h"
#include "migrate/space/group.h"
#include "migrate/space/pidfork.h"
#include "migrate/space/program.h"
#include "migrate/space/rootns.h"
#include "migrate/space/spec.h"

#define FD_SPEC 0           /* indexes of the message's descriptors */
#define FD_STATUS 1
#define MANY_WORDS 1000     /* of arguments and environment */

struct program {
    struct program *next;
    struct pidfork_room room;
    launch_exec_arg arg;
    exec_spec spec;
    char **argv, **envp;
    struct group group;
    int fds[BPROC_MAX_FDS];
    unsigned nfds;
    pid_t parent;
    int released;               /* a futex: the parent has answered for it */
};

static struct program *programs;    /* whose children read them, or did */

static void program_free(struct program *program)
{
    pidfork_room_free(&program->room);
    free(program->argv);
    free(program->envp);
    frame_free(FRAME_XDR(exec_spec), &program->spec, sizeof(program->spec));
    frame_free(FRAME_XDR(launch_exec_arg), &program->arg, sizeof(program->arg));
    free(program);
}

void programs_tidy(void)
{
    struct program **at = &programs;
    u_int words = 0;

    while (*at) {
        struct program *program = *at;

        if (pidfork_is_beside(&program->room)) {
            at = &program->next;
            continue;
        }
        words += program->spec.argv.argv_len + program->spec.envp.envp_len;
        *at = program->next;
        program_free(program);
    }
    /* A keeper stays for as long as its parent, and is forked. */
    if (words > MANY_WORDS)
        malloc_trim(0);
}

/* ---- the child ---- */

static void session_set(const struct program *program)
{
    const launch_who *who = &program->arg.who;

    if (who->sid == who->pid)
        RAW0(SYS_setsid);
    else if (RAW2(SYS_setpgid, 0, program->group.pgid) < 0)
        RAW2(SYS_setpgid, 0, program->group.fallback);
}

/* The lowest number that is nobody's target. */
static int above_all(const struct program *program)
{
    int above = spec_above(&program->spec);

    for (u_int i = 0; i < program->arg.targets.targets_len; i++)
        if (program->arg.targets.targets_val[i] >= above)
            above = program->arg.targets.targets_val[i] + 1;
    return above;
}

/* Above all targets nothing can be overwritten by a copy onto one of them. */
static long fds_place(struct program *program)
{
    const launch_exec_arg *arg = &program->arg;
    int above = above_all(program);
    long fd = 0;

    for (unsigned i = FD_STATUS; i < program->nfds; i++) {
        if (program->fds[i] >= above)
            continue;
        fd = RAW3(SYS_fcntl, program->fds[i], F_DUPFD_CLOEXEC, above);
        if (fd < 0)
            return fd;
        program->fds[i] = (int)fd;
    }
    fd = RAW3(SYS_close_range, 0, ~0u, CLOSE_RANGE_CLOEXEC);
    for (u_int i = 0; fd >= 0 && i < arg->targets.targets_len; i++)
        fd = RAW3(SYS_dup3, program->fds[arg->fd_index.fd_index_val[i]],
                  arg->targets.targets_val[i], 0);
    return fd < 0 ? fd : 0;
}

/* A program that signals its parent at once is to find one that has answered for it, or none. */
static void release_wait(const struct program *program)
{
    const struct timespec moment = { .tv_nsec = 10000000 };

    while (pidfork_is_beside(&program->room) && RAW0(SYS_getppid) == program->parent &&
           __atomic_load_n(&program->released, __ATOMIC_ACQUIRE) == 0)
        RAW4(SYS_futex, &program->released, FUTEX_WAIT_PRIVATE, 0, &moment);
}

static void child_run(void *arg)
{
    struct program *program = arg;
    int exe = program->arg.exe_index;
    int error;

    session_set(program);
    error = (int)fds_place(program);
    if (!error)
        error = rootns_enter();
    if (!error)
        error = (int)spec_take(&program->spec, &program->arg);
    release_wait(program);
    if (!error)
        error = (int)spec_exec(&program->spec, program->argv, program->envp,
                               exe ? program->fds[exe] : -1);
    error = -error;
    raw_call(SYS_sendto, program->fds[FD_STATUS], (long)&error, sizeof(error), MSG_NOSIGNAL, 0, 0);
    RAW1(SYS_exit_group, 127);
}

/* ---- who launches ---- */

void programs_release(void)
{
    for (struct program *program = programs; program; program = program->next) {
        if (program->released)
            continue;
        __atomic_store_n(&program->released, 1, __ATOMIC_RELEASE);
        RAW4(SYS_futex, &program->released, FUTEX_WAKE_PRIVATE, 1, NULL);
    }
}

static int arg_check(const launch_exec_arg *arg, unsigned nfds)
{
    if (arg->exe_index < 0 || (unsigned)arg->exe_index >= nfds || arg->exe_index == FD_STATUS)
        return -EPROTO;
    if (nfds <= FD_STATUS || arg->targets.targets_len != arg->fd_index.fd_index_len)
        return -EPROTO;
    for (u_int i = 0; i < arg->targets.targets_len; i++) {
        int index = arg->fd_index.fd_index_val[i];

        if (index <= FD_STATUS || (unsigned)index >= nfds || arg->targets.targets_val[i] < 0)
            return -EPROTO;
    }
    return 0;
}

/* argv and envp as the kernel wants them: with a NULL at the end. */
static char **vector_make(char *const *values, u_int count)
{
    char **vector = calloc((size_t)count + 1, sizeof(*vector));

    for (u_int i = 0; vector && i < count; i++)
        vector[i] = values[i];
    return vector;
}

static int program_read(struct program *program, const struct msg *msg)
{
    int error = frame_decode(FRAME_XDR(launch_exec_arg), msg->body, msg->header.body_len,
                             &program->arg, sizeof(program->arg));

    if (!error)
        error = arg_check(&program->arg, msg->header.nfds);
    if (!error)
        error = spec_read(msg->fds[FD_SPEC], &program->spec);
    if (error)
        return error;
    program->nfds = msg->header.nfds;
    memcpy(program->fds, msg->fds, program->nfds * sizeof(program->fds[0]));
    program->argv = vector_make(program->spec.argv.argv_val, program->spec.argv.argv_len);
    program->envp = vector_make(program->spec.envp.envp_val, program->spec.envp.envp_len);
    return program->argv && program->envp ? 0 : -ENOMEM;
}

static int program_fork(struct program *program, pid_t fallback)
{
    const launch_who *who = &program->arg.who;
    pid_t pid;

    program->parent = getpid();
    program->group = group_prepare(who->pgid, who->pid, fallback);
    pid = pidfork_beside(who->pid, &program->room, child_run, program);
    if (pid > 0 && who->sid != who->pid)
        group_join(&program->group, pid);
    group_release(&program->group);
    return pid < 0 ? pid : 0;
}

int program_start(const struct msg *msg, pid_t fallback)
{
    struct program *program = calloc(1, sizeof(*program));
    int error = program ? 0 : -ENOMEM;

    if (!error)
        error = program_read(program, msg);
    if (!error)
        error = program_fork(program, fallback);
    if (!program)
        return error;
    program->next = programs;
    programs = program;
    programs_tidy();
    return error;
}
