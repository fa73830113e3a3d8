/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bproc_rexec() and bproc_execmove(): a program starts on a node in the place of the caller. No
 * image is needed: the caller's circumstances (exec_spec) are written to a memory file, and the
 * caller itself waits at the gate and becomes the ghost.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/depart.h"

#define IO_MASK (BPROC_IO_SEND_INFO | BPROC_IO_STDIN)
#define MAX_SPEC (8u << 20)

static size_t list_length(char *const list[])
{
    size_t count = 0;

    while (list && list[count])
        count++;
    return count;
}

static uint64_t signals_ignored(void)
{
    uint64_t ignored = 0;

    for (int signo = 1; signo < 65; signo++) {
        struct sigaction action;

        if (sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            ignored |= 1ULL << (signo - 1);
    }
    return ignored;
}

static mode_t umask_get(void)
{
    mode_t mode = umask(0);

    umask(mode);
    return mode;
}

static unsigned limits_get(limit_pair *pairs)
{
    unsigned count = 0;

    for (int which = 0; which < RLIM_NLIMITS; which++) {
        struct rlimit limit;

        if (getrlimit((__rlimit_resource_t)which, &limit) < 0)
            continue;
        pairs[count].which = which;
        pairs[count].soft = limit.rlim_cur;
        pairs[count].hard = limit.rlim_max;
        count++;
    }
    return count;
}

static int memory_file(const uint8_t *bytes, size_t len)
{
    int fd = memfd_create("bproc-exec", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, bytes + done, len - done);

        if (n < 0) {
            int error = -errno;

            close(fd);
            return error;
        }
        done += (size_t)n;
    }
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
    return fd;
}

/* A sealed memory file with all that the program needs to start as if it did here; -errno. */
static int spec_write(const char *cmd, char *const argv[], char *const envp[], uint64_t blocked)
{
    char cwd[PATH_MAX];
    limit_pair limits[32];
    exec_spec spec = { .cmd = (char *)(uintptr_t)cmd, .cwd = cwd };
    uint8_t *bytes;
    size_t len;
    int fd, error;

    if (!getcwd(cwd, sizeof(cwd)))
        strcpy(cwd, "/");
    if (strlen(cmd) >= PATH_MAX)
        return -ENAMETOOLONG;
    spec.argv.argv_len = (u_int)list_length(argv);
    spec.argv.argv_val = (arg_string *)(uintptr_t)argv;
    spec.envp.envp_len = (u_int)list_length(envp);
    spec.envp.envp_val = (arg_string *)(uintptr_t)envp;
    spec.umask_bits = umask_get();
    errno = 0;
    spec.nice_value = getpriority(PRIO_PROCESS, 0);
    spec.blocked = blocked;
    spec.ignored = signals_ignored();
    spec.limits.limits_len = limits_get(limits);
    spec.limits.limits_val = limits;
    error = frame_encode(FRAME_XDR(exec_spec), &spec, MAX_SPEC, &bytes, &len);
    if (error)
        return error == -EMSGSIZE ? -E2BIG : error;
    fd = memory_file(bytes, len);
    free(bytes);
    return fd;
}

/* The daemon's refusal comes on the connection, its consent at the gate. 0 or -errno. */
static int verdict_wait(struct depart *depart, int *node)
{
    struct pollfd fds[2] = { { .fd = depart->gate, .events = POLLIN },
                             { .fd = depart->conn, .events = POLLIN } };
    struct msg msg;
    int rank;
    int error;

    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return -errno;
    if (fds[0].revents & POLLIN && gate_wait(depart->gate, node, &rank) == GATE_GHOST)
        return 0;
    error = msg_recv(depart->conn, &msg);
    if (error)
        return error;
    error = msg.header.status > 0 ? -msg.header.status : -EPROTO;
    msg_free(&msg);
    return error;
}

static int spec_depart(struct depart *depart, const char *cmd, char *const argv[],
                       char *const envp[], int exe, uint64_t blocked, int *node)
{
    const int skip[] = { depart->conn, depart->gate, depart->gate_far, exe, -1 };
    struct streams *set = malloc(sizeof(*set));
    int spec = set ? spec_write(cmd, argv, envp, blocked) : -ENOMEM;
    int error = spec < 0 ? spec : 0;

    if (!error)
        error = streams_collect(set, depart->flags, depart->port, 1, skip);
    if (!error) {
        error = depart_handover(depart, getpid(), set, &spec, 1, exe);
        streams_free(set);
    }
    if (!error)
        error = verdict_wait(depart, node);
    if (spec >= 0)
        close(spec);
    free(set);
    return error;
}

/* Returns only when it failed: a negative errno. */
static int remote_exec(move_kind kind, int node, int flags, int port, const char *cmd, int exe,
                       char *const argv[], char *const envp[])
{
    struct depart depart;
    uint64_t mask;
    int error = depart_ask(&depart, kind, node, flags, port);

    if (error)
        return error;
    if (depart.same) {
        depart_close(&depart);
        execve(cmd, argv, envp);
        return -errno;
    }
    /* From here on a signal waits: for the ghost, or for the call to fail. */
    signals_block(&mask);
    error = depart_gate(&depart);
    if (!error)
        error = spec_depart(&depart, cmd, argv, envp, exe, mask, &node);
    if (!error)
        error = ghost_exec(depart.gate, node, argv);
    signals_restore(&mask);
    depart_close(&depart);
    return client_error(error);
}

int _bproc_rexec_io(int node, int flags, int port, const char *cmd, char *const argv[],
                    char *const envp[])
{
    if (!cmd || !argv)
        return client_result(-EFAULT);
    if (flags & ~IO_MASK)
        return client_result(-EINVAL);
    return client_result(remote_exec(MOVE_REXEC, node, flags, port, cmd, -1, argv, envp));
}

int bproc_rexec_io(int node, int port, const char *cmd, char *const argv[], char *const envp[])
{
    return _bproc_rexec_io(node, 0, port, cmd, argv, envp);
}

int bproc_rexec(int node, const char *cmd, char *const argv[], char *const envp[])
{
    return _bproc_rexec_io(node, 0, 0, cmd, argv, envp);
}

/* The executable, opened by the caller himself: he may send only what he may read and run. */
static int executable_open(const char *cmd)
{
    struct stat st;
    int fd, error = 0;

    if (access(cmd, X_OK) < 0)
        return -errno;
    fd = open(cmd, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0)
        error = -errno;
    else if (!S_ISREG(st.st_mode))
        error = -EACCES;
    else if (st.st_mode & (S_ISUID | S_ISGID))
        error = -EPERM;
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

int bproc_execmove_io(int node, int port, const char *cmd, char *const argv[], char *const envp[])
{
    int exe, error;

    if (!cmd || !argv)
        return client_result(-EFAULT);
    exe = executable_open(cmd);
    if (exe < 0)
        return client_result(exe);
    error = remote_exec(MOVE_EXECMOVE, node, 0, port, cmd, exe, argv, envp);
    close(exe);
    return client_result(error);
}

int bproc_execmove(int node, const char *cmd, char *const argv[], char *const envp[])
{
    return bproc_execmove_io(node, 0, cmd, argv, envp);
}
