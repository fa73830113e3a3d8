/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bproc_rexec() and bproc_execmove(): a program starts on a node in the place of the caller. No
 * image is needed: the caller's circumstances (exec_spec) are written to a memory file, and the
 * caller itself waits at the gate and becomes the ghost.
 */
#include "config.h"

#include <errno.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"
#include "libbproc/program.h"
#include "libbproc/remain.h"
#include "libbproc/rexec.h"

#define IO_MASK (BPROC_IO_SEND_INFO | BPROC_IO_STDIN)

/* Returns only when it failed: a negative errno. */
static int remote_exec(int node, int flags, const struct program *program)
{
    struct depart depart;
    struct remain remain;
    uint64_t mask;
    int error = depart_ask(&depart, program->kind, node, flags);

    if (error)
        return error;
    if (depart.same) {
        depart_close(&depart);
        return program_exec(program);
    }
    /* From here on a signal waits: for the ghost, or for the call to fail. */
    signals_block(&mask);
    error = depart_gate(&depart);
    if (!error)
        error = program_hand_over(&depart, program, mask);
    if (!error)
        error = remain_wait(&remain, depart.gate, depart.conn);
    if (!error)
        error = remain_become(&remain, depart.gate, depart.parent, program->argv);
    signals_restore(&mask);
    depart_close(&depart);
    return client_error(error == -BPROC_PID_TAKEN ? -EAGAIN : error);
}

int rexec_run(int node, int flags, const struct io *io, const char *cmd, char *const argv[],
              char *const envp[])
{
    struct program program = { .kind = MOVE_REXEC, .cmd = cmd, .argv = argv, .envp = envp,
                               .exe = -1, .io = io };

    if (!cmd || !argv)
        return -EFAULT;
    return remote_exec(node, flags, &program);
}

int execmove_run(int node, int flags, const struct io *io, const char *cmd, char *const argv[],
                 char *const envp[])
{
    struct program program = { .kind = MOVE_EXECMOVE, .cmd = cmd, .argv = argv, .envp = envp,
                               .io = io };
    int error;

    if (!cmd || !argv)
        return -EFAULT;
    program.exe = program_open(cmd);
    if (program.exe < 0)
        return program.exe;
    error = remote_exec(node, flags, &program);
    close(program.exe);
    return error;
}

int _bproc_rexec(int node, int flags, const char *cmd, char *const argv[], char *const envp[])
{
    const struct io io = { .count = 0 };
    int error = flags & ~IO_MASK ? -EINVAL : 0;

    return client_result(error ? error : rexec_run(node, flags, &io, cmd, argv, envp));
}

int bproc_rexec(int node, const char *cmd, char *const argv[], char *const envp[])
{
    return _bproc_rexec(node, 0, cmd, argv, envp);
}

int bproc_rexec_io(int node, int port, const char *cmd, char *const argv[], char *const envp[])
{
    struct io io;
    int error = io_from_port(&io, port, 0);

    return client_result(error ? error : rexec_run(node, 0, &io, cmd, argv, envp));
}

int _bproc_rexec_io(int node, int port, const char *cmd, char *const argv[], char *const envp[])
{
    return bproc_rexec_io(node, port, cmd, argv, envp);
}

int bproc_execmove_io(int node, int port, const char *cmd, char *const argv[], char *const envp[])
{
    struct io io;
    int error = io_from_port(&io, port, 0);

    return client_result(error ? error : execmove_run(node, 0, &io, cmd, argv, envp));
}

int _bproc_execmove_io(int node, int port, const char *cmd, char *const argv[],
                       char *const envp[])
{
    return bproc_execmove_io(node, port, cmd, argv, envp);
}

int _bproc_execmove(int node, int flags, const char *cmd, char *const argv[], char *const envp[])
{
    const struct io io = { .count = 0 };
    int error = flags & ~IO_MASK ? -EINVAL : 0;

    return client_result(error ? error : execmove_run(node, flags, &io, cmd, argv, envp));
}

int bproc_execmove(int node, const char *cmd, char *const argv[], char *const envp[])
{
    return bproc_execmove_io(node, 0, cmd, argv, envp);
}
