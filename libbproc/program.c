/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbproc/program.h"
#include "libbproc/spec.h"

int program_open(const char *cmd)
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

int program_hand_over(struct depart *depart, const struct program *program, uint64_t blocked)
{
    const int skip[] = { depart->conn, depart->gate, depart->gate_far, program->exe, -1 };
    struct streams *set = malloc(sizeof(*set));
    struct circumstances now;
    int spec, error;

    circumstances_note(&now, blocked);
    spec = set ? spec_write(&now, program->cmd, program->argv, program->envp, program->io)
               : -ENOMEM;
    error = spec < 0 ? spec : 0;
    if (!error)
        error = streams_collect(set, depart->flags, program->io, 1, skip);
    if (!error) {
        error = depart_handover(depart, getpid(), set, &spec, 1, program->exe);
        streams_free(set);
    }
    if (spec >= 0)
        close(spec);
    free(set);
    return error;
}

int program_exec(const struct program *program)
{
    if (program->io->exact || program->io->count > 0)
        return io_exec(program->io, program->cmd, program->argv, program->envp);
    execve(program->cmd, program->argv, program->envp);
    return -errno;
}
