/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libbproc/client.h"
#include "libbproc/program.h"
#include "libbproc/spawn.h"

static const struct io no_io = { .count = 0 };

/* ---- on the caller's own node ---- */

static void circumstances_restore(const struct circumstances *now)
{
    for (unsigned i = 0; i < now->limit_count; i++) {
        struct rlimit limit = { now->limits[i].soft, now->limits[i].hard };

        setrlimit((__rlimit_resource_t)now->limits[i].which, &limit);
    }
    for (int signo = 1; signo < NSIG; signo++)
        if (!(now->ignored & 1ULL << (signo - 1)))
            signal(signo, SIG_DFL);
    signals_restore(&now->blocked);
}

/* The standard descriptors, then the report's; nothing else stays open. */
static int descriptors_place(const int *fds, int report)
{
    int moved[3];

    report = fcntl(report, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    for (int i = 0; i < 3; i++) {
        moved[i] = fds[i] < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : fds[i];
        moved[i] = fcntl(moved[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    }
    for (int i = 0; i < 3; i++)
        if (moved[i] < 0 || dup2(moved[i], i) < 0)
            return -errno;
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    return report < 0 ? -EMFILE : report;
}

__attribute__((noreturn))
static void here_run(const struct spawn *spawn, int report)
{
    int error;

    report = descriptors_place(spawn->fds, report);
    if (report < 0)
        _exit(1);
    circumstances_restore(spawn->now);
    execve(spawn->cmd, spawn->argv, spawn->envp);
    error = errno;
    if (write(report, &error, sizeof(error)) < 0)
        _exit(2);
    _exit(1);
}

static int here_start(struct spawn *spawn)
{
    int ends[2];
    int error = client_pipe(ends);

    if (error)
        return error;
    spawn->pid = fork();
    if (spawn->pid == 0)
        here_run(spawn, ends[1]);
    error = spawn->pid < 0 ? -errno : 0;
    client_close(ends[1]);
    if (!error)
        return ends[0];
    client_close(ends[0]);
    spawn->pid = 0;
    return error;
}

static int here_answer(int fd)
{
    int error = 0;

    while (read(fd, &error, sizeof(error)) < 0 && errno == EINTR)
        continue;
    return -error;
}

/* ---- on another ---- */

/* SIGPIPE is what a tool ignores for its own sake; what its process does about it is another's. */
static int attributes_fill(posix_spawnattr_t *attributes, const struct circumstances *now)
{
    sigset_t all, own;

    sigfillset(&all);
    sigemptyset(&own);
    if (!(now->ignored & 1ULL << (SIGPIPE - 1)))
        sigaddset(&own, SIGPIPE);
    posix_spawnattr_setsigmask(attributes, &all);
    posix_spawnattr_setsigdefault(attributes, &own);
    return -posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int ghost_spawn(struct spawn *spawn, int gate)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    struct ghost_environment environment;
    int error;

    ghost_environment_fill(&environment, spawn->node, 1);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    error = attributes_fill(&attributes, spawn->now);
    if (!error)
        error = -posix_spawn_file_actions_adddup2(&actions, gate, GHOST_GATE);
    if (!error)
        error = -posix_spawn_file_actions_addclosefrom_np(&actions, GHOST_GATE + 1);
    if (!error)
        error = -posix_spawn(&spawn->pid, GHOST_PATH, &actions, &attributes, spawn->argv,
                             environment.list);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error)
        spawn->pid = 0;
    return error;
}

static int program_give(struct depart *depart, const struct spawn *spawn, int exe)
{
    struct streams *set = malloc(sizeof(*set));
    int spec = set ? spec_write(spawn->now, spawn->cmd, spawn->argv, spawn->envp, &no_io)
                   : -ENOMEM;
    int error = spec < 0 ? spec : 0;

    if (!error)
        error = streams_take(set, spawn->fds);
    if (!error) {
        error = depart_handover(depart, spawn->pid, set, &spec, 1, exe);
        streams_free(set);
    }
    if (spec >= 0)
        close(spec);
    free(set);
    return error;
}

/* The ghost has its end of the gate alone, so that each sees the other's end. */
static int remote_start(struct spawn *spawn, int exe)
{
    struct depart depart;
    int error = depart_open(&depart, spawn->send ? MOVE_EXECMOVE : MOVE_REXEC, spawn->node, 0);

    if (error)
        return error;
    error = depart_gate(&depart);
    if (!error)
        error = ghost_spawn(spawn, depart.gate);
    client_close(depart.gate);
    depart.gate = -1;
    if (!error)
        error = program_give(&depart, spawn, exe);
    if (!error)
        return depart.conn;
    /* What may be a ghost already finds its gate closed, and ends. */
    depart_close(&depart);
    return client_error(error);
}

int spawn_start(struct spawn *spawn)
{
    int exe = -1, result;

    spawn->pid = 0;
    if (spawn->here)
        return here_start(spawn);
    if (spawn->send) {
        exe = program_open(spawn->cmd);
        if (exe < 0)
            return exe;
    }
    result = remote_start(spawn, exe);
    if (exe >= 0)
        close(exe);
    return result;
}

int spawn_answer(int fd, int here)
{
    int error = here ? here_answer(fd) : client_error(depart_answer(fd));

    client_close(fd);
    return error == -BPROC_PID_TAKEN ? -EAGAIN : error;
}
