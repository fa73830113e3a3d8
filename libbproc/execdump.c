/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bproc_execdump(): an image of a program that has been executed and has not run yet.
 *
 * A child that nobody sees makes room for the program as for one that is dumped, and forks. The
 * child's child lets itself be traced and executes the program, which entry.c has wait at the gate;
 * there it is dumped. Both are gone when the file is written.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/depart.h"
#include "libbproc/descriptors.h"
#include "libbproc/entry.h"
#include "libbproc/placeholders.h"
#include "libbproc/program.h"
#include "libbproc/quietwork.h"

struct execdump {
    int out;
    int flags;
    const char *cmd;
    char *const *argv, *const *envp;
};

/* ---- the program ---- */

__attribute__((noreturn))
static void program_become(const struct quietwork *was, const struct execdump *what, int gate,
                           int status)
{
    int error, moved = fcntl(status, F_DUPFD_CLOEXEC, ENTRY_GATE + 1);

    if (moved < 0 || ptrace(PTRACE_TRACEME, 0, 0, 0) < 0 ||
        (gate == ENTRY_GATE ? fcntl(gate, F_SETFD, 0) : dup2(gate, ENTRY_GATE)) < 0) {
        error = -errno;
    } else {
        syscall(SYS_close_range, ENTRY_GATE + 1, ~0U, CLOSE_RANGE_CLOEXEC);
        quietwork_leave(was);
        raise(SIGSTOP);
        execve(what->cmd, what->argv, what->envp);
        error = -errno;
    }
    (void)!write(moved < 0 ? status : moved, &error, sizeof(error));
    _exit(0);
}

/* A signal that comes meanwhile stops it as well, and is not what is waited for. */
static int stop_wait(pid_t pid, int want)
{
    int state;

    if (waitpid(pid, &state, __WALL) != pid || !WIFSTOPPED(state))
        return -EIO;
    return state >> 8 == want ? 0 : -EINTR;
}

/* Up to the end of execve(2), where its registers are its own. */
static int exec_wait(pid_t pid, int status)
{
    int failed = 0, error = stop_wait(pid, SIGSTOP);

    if (!error && (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC) < 0 ||
                   ptrace(PTRACE_CONT, pid, 0, 0) < 0))
        error = -errno;
    if (!error && read(status, &failed, sizeof(failed)) == sizeof(failed))
        return failed;
    if (!error)
        error = stop_wait(pid, SIGTRAP | PTRACE_EVENT_EXEC << 8);
    if (!error && ptrace(PTRACE_SYSCALL, pid, 0, 0) < 0)
        error = -errno;
    return error ? error : stop_wait(pid, SIGTRAP);
}

/* Its pid, once it waits at its gate; -errno. */
static pid_t program_start(const struct quietwork *was, const struct execdump *what, int gate,
                           const char *cwd)
{
    int pair[2], error = client_pipe(pair);
    pid_t pid = error ? -1 : fork();

    if (pid == 0)
        program_become(was, what, gate, pair[1]);
    if (!error && pid < 0)
        error = -errno;
    client_close(pair[1]);
    if (!error)
        error = exec_wait(pid, pair[0]);
    client_close(pair[0]);
    if (!error)
        error = entry_hold(pid, cwd);
    if (error && pid > 0)
        kill(pid, SIGKILL);
    return error ? error : pid;
}

/* ---- its image ---- */

static int program_dump(struct depart *depart, const struct quietwork *was,
                        const struct execdump *what, struct streams *set)
{
    const int keep[] = { depart->conn, depart->gate, depart->gate_far, what->out, was->out,
                         -1 };
    char *cwd = getcwd(NULL, 0);
    int error = descriptors_close(keep);
    pid_t pid = 0;

    if (!error)
        error = placeholders_put(set);
    if (!error)
        pid = program_start(was, what, depart->gate, cwd);
    if (!error && pid > 0)
        error = depart_handover(depart, pid, set, &what->out, 1, -1);
    if (!error && pid > 0)
        error = depart_answer(depart->conn);
    if (pid > 0)
        kill(pid, SIGKILL);
    free(cwd);
    return pid < 0 ? pid : error;
}

static int work(const struct quietwork *was, void *arg)
{
    const struct execdump *what = arg;
    struct streams *set = calloc(1, sizeof(*set));
    struct depart depart;
    int error = set ? depart_ask(&depart, MOVE_DUMP, BPROC_NODE_SELF, what->flags) : -ENOMEM;

    if (!error)
        error = depart_gate(&depart);
    if (!error)
        error = program_dump(&depart, was, what, set);
    return error;
}

int bproc_execdump(int fd, int flags, const char *cmd, char *const argv[], char *const envp[])
{
    struct execdump what = { .flags = flags, .cmd = cmd, .argv = argv, .envp = envp };
    int exe, result;

    if (!cmd || !argv)
        return client_result(-EFAULT);
    if (flags & ~BPROC_DUMP_ALL)
        return client_result(-EINVAL);
    exe = program_open(cmd);
    if (exe < 0)
        return client_result(exe);
    close(exe);
    /* Out of the way of the placeholders and of the gate. */
    what.out = fcntl(fd, F_DUPFD_CLOEXEC, ENTRY_GATE + 1);
    if (what.out < 0)
        return -1;
    result = quietwork_run(work, &what);
    close(what.out);
    return client_result(client_error(result));
}
