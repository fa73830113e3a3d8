/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libbproc/client.h"
#include "libbproc/program.h"
#include "libbproc/spawn.h"
#include "libbproc/standin.h"

static const struct io no_io = { .count = 0 };

/* ---- on the caller's own node ---- */

static void circumstances_restore(const struct circumstances *now)
{
    for (unsigned i = 0; i < now->limit_count; i++) {
        struct rlimit limit = { now->limits[i].soft, now->limits[i].hard };

        setrlimit(now->limits[i].which, &limit);
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
    syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
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
    spawn->place = SPAWN_HERE;
    spawn->pid = fork();
    if (spawn->pid == 0)
        here_run(spawn, ends[1]);
    error = spawn->pid < 0 ? -errno : 0;
    client_close(ends[1]);
    spawn->report = ends[0];
    if (!error)
        return 0;
    client_close(ends[0]);
    spawn->report = -1;
    spawn->pid = 0;
    return error;
}

int spawn_report(int report)
{
    int error = 0;

    while (read(report, &error, sizeof(error)) < 0 && errno == EINTR)
        continue;
    client_close(report);
    return -error;
}

/* ---- on another ---- */

/* The child alone has its end of the gate, so that each sees the other's end. */
static int child_start(struct spawn *spawn, struct depart *depart)
{
    pid_t pid = standin_start(depart->gate, spawn->node, spawn->argv, spawn->now, &spawn->memory);

    client_close(depart->gate);
    depart->gate = -1;
    depart->ahead = 1;
    spawn->pid = pid > 0 ? pid : 0;
    return pid > 0 ? 0 : (int)pid;
}

/*
 * A question can be refused and what was handed over with it be taken, as a node may come up in
 * between: a process that runs goes with its child.
 */
static void child_undo(struct spawn *spawn, struct depart *depart)
{
    client_close(depart->gate_far);
    depart->gate_far = -1;
    if (spawn->pid > 0)
        kill(spawn->pid, SIGKILL);
    while (spawn->pid > 0 && waitpid(spawn->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    standin_free(spawn->memory);
    spawn->memory = NULL;
    spawn->pid = 0;
}

/*
 * Of a daemon that goes before it has answered, but not before it has read all, the child tells by
 * its end what has become of the program, as behind any handover.
 */
static int question_settle(struct depart *depart, const struct spawnline *line)
{
    int error = spawnline_wait(line);

    if (error)
        return error == -EPIPE ? 0 : error;
    return depart_ask_hear(depart);
}

/*
 * Who does not know where the node is asks and hands over at once: for its own node the daemon
 * refuses what was handed over, and says so to the question.
 */
static int program_give(struct depart *depart, const struct spawn *spawn, struct spawnline *line,
                        int exe)
{
    struct streams *set = line->set;
    int asks = spawn->place == SPAWN_ANYWHERE;
    int spec = spec_write(spawn->now, spawn->cmd, spawn->argv, spawn->envp, &no_io);
    int error = spec < 0 ? spec : 0;

    if (!error)
        error = streams_take(set, spawn->fds);
    if (!error) {
        error = asks ? depart_ask_send(depart) : 0;
        if (!error)
            error = depart_handover(depart, spawn->pid, set, &spec, 1, exe);
        streams_free(set);
    }
    if (spec >= 0)
        close(spec);
    return !error && asks ? question_settle(depart, line) : error;
}

/* Then the daemon has not read of the program. */
static int is_lost(int error)
{
    return error == -EPIPE || error == -ECONNRESET || error == -ENOTCONN;
}

static int remote_start(struct spawn *spawn, struct spawnline *line, int exe)
{
    struct depart depart;
    int error = spawnline_open(line);

    if (error)
        return client_error(error);
    depart_init(&depart, spawn->send ? MOVE_EXECMOVE : MOVE_REXEC, spawn->node, 0);
    depart.conn = line->conn;
    depart.serial = line->serial;
    error = depart_gate(&depart);
    if (!error)
        error = child_start(spawn, &depart);
    if (!error)
        error = program_give(&depart, spawn, line, exe);
    depart.conn = -1;
    line->serial = spawn->serial = depart.serial;
    if (!error && !depart.same) {
        spawn->place = SPAWN_AWAY;
        return 0;
    }
    child_undo(spawn, &depart);
    depart_close(&depart);
    if (is_lost(error))
        return -EPIPE;
    return error ? client_error(error) : here_start(spawn);
}

int spawn_start(struct spawn *spawn, struct spawnline *line)
{
    int exe = -1, result;

    spawn->pid = 0;
    spawn->memory = NULL;
    spawn->report = -1;
    if (spawn->place == SPAWN_HERE)
        return here_start(spawn);
    if (spawn->send) {
        exe = program_open(spawn->cmd);
        if (exe < 0)
            return exe;
    }
    result = remote_start(spawn, line, exe);
    if (exe >= 0)
        close(exe);
    return result;
}
