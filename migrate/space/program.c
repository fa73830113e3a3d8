/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "migrate/criuready.h"
#include "migrate/space/pending.h"
#include "migrate/space/program.h"
#include "migrate/space/rootns.h"
#include "migrate/space/spec.h"
#include "proto/rawcall.h"

enum { WORKER_NULL = PROGRAM_FDS, WORKER_ERRORS, WORKER_FDS };  /* what CRIU gets besides */

/* ---- init ---- */

static int arg_check(const launch_exec_arg *arg, unsigned nfds)
{
    if (arg->exe_index < 0 || (unsigned)arg->exe_index >= nfds || arg->exe_index == PROGRAM_STATUS)
        return -EPROTO;
    if (nfds <= PROGRAM_STATUS || arg->targets.targets_len != arg->fd_index.fd_index_len)
        return -EPROTO;
    for (u_int i = 0; i < arg->targets.targets_len; i++) {
        int index = arg->fd_index.fd_index_val[i];

        if (index <= PROGRAM_STATUS || (unsigned)index >= nfds || arg->targets.targets_val[i] < 0)
            return -EPROTO;
    }
    return 0;
}

#define SLOT(field) flat_member(offsetof(struct program, field))

static void string_own(struct flat *flat, size_t slot, const char *string)
{
    flat_own(flat, slot, string, strlen(string) + 1);
}

/* As the kernel wants it: with a NULL at the end. */
static void vector_own(struct flat *flat, size_t slot, char *const *values, size_t count)
{
    size_t at = flat_own(flat, slot, NULL, (count + 1) * sizeof(*values));

    for (size_t i = 0; i < count; i++)
        string_own(flat, at + i * sizeof(*values), values[i]);
}

static void files_own(struct flat *flat, const exec_spec *spec)
{
    size_t at = flat_own(flat, SLOT(spec.files.files_val), spec->files.files_val,
                         spec->files.files_len * sizeof(exec_file));

    for (u_int i = 0; i < spec->files.files_len; i++)
        string_own(flat, at + i * sizeof(exec_file) + offsetof(exec_file, path),
                   spec->files.files_val[i].path);
}

#define list_own(flat, owner, name, program) \
    flat_own(flat, SLOT(owner.name.name##_val), (program)->owner.name.name##_val, \
             (program)->owner.name.name##_len * sizeof(*(program)->owner.name.name##_val))

static int program_flatten(const struct program *program, struct flat *flat)
{
    const exec_spec *spec = &program->spec;

    flat_begin(flat, program, sizeof(*program));
    list_own(flat, arg, groups, program);
    list_own(flat, arg, targets, program);
    list_own(flat, arg, fd_index, program);
    list_own(flat, spec, limits, program);
    list_own(flat, spec, closed, program);
    files_own(flat, spec);
    string_own(flat, SLOT(spec.cmd), spec->cmd);
    string_own(flat, SLOT(spec.cwd), spec->cwd);
    vector_own(flat, SLOT(argv), spec->argv.argv_val, spec->argv.argv_len);
    vector_own(flat, SLOT(envp), spec->envp.envp_val, spec->envp.envp_len);
    return flat_end(flat);
}

static int exec_read(const struct msg *msg, struct flat *flat)
{
    struct program program = { .nfds = 0 };
    int error = frame_decode(FRAME_XDR(launch_exec_arg), msg->body, msg->header.body_len,
                             &program.arg, sizeof(program.arg));

    if (error)
        return error;
    error = arg_check(&program.arg, msg->header.nfds);
    if (!error)
        error = spec_read(msg->fds[PROGRAM_SPEC], &program.spec);
    if (!error)
        error = program_flatten(&program, flat);
    frame_free(FRAME_XDR(exec_spec), &program.spec, sizeof(program.spec));
    frame_free(FRAME_XDR(launch_exec_arg), &program.arg, sizeof(program.arg));
    return error;
}

/* What is loaded into CRIU, by the descriptor that init has of it (launch_init()). */
#define LIBRARY_PATH "/proc/1/fd/5"

static bool is_of_ours(const char *variable)
{
    return strncmp(variable, "LD_PRELOAD=", 11) == 0 ||
           strncmp(variable, READY_ENV "=", sizeof(READY_ENV)) == 0;
}

/* Our own environment, but that what is loaded is told to wait. */
static char **worker_environment(u_int *count)
{
    char **variables;
    u_int all = 0;

    *count = 0;
    while (environ[all])
        all++;
    variables = calloc((size_t)all + 2, sizeof(*variables));
    if (!variables)
        return NULL;
    variables[(*count)++] = (char[]){ "LD_PRELOAD=" LIBRARY_PATH };
    variables[(*count)++] = (char[]){ READY_ENV "=" READY_WORKER };
    for (u_int i = 0; i < all; i++)
        if (!is_of_ours(environ[i]))
            variables[(*count)++] = environ[i];
    return variables;
}

static int worker_flatten(const launch_criu_arg *arg, struct flat *flat)
{
    char *argv[] = { arg->criu, (char[]){ "swrk" }, (char[]){ "3" } };
    int targets[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, READY_SOCKET };
    int sources[] = { WORKER_NULL, WORKER_NULL, WORKER_ERRORS, PROGRAM_HANDOFF };
    struct program worker = { .is_worker = true };
    int error;

    worker.arg.who = arg->who;
    worker.arg.targets.targets_len = worker.arg.fd_index.fd_index_len = 4;
    worker.arg.targets.targets_val = targets;
    worker.arg.fd_index.fd_index_val = sources;
    worker.spec.cmd = arg->criu;
    worker.spec.cwd = (char[]){ "" };
    worker.spec.argv.argv_len = 3;
    worker.spec.argv.argv_val = argv;
    worker.spec.envp.envp_val = worker_environment(&worker.spec.envp.envp_len);
    error = worker.spec.envp.envp_val ? program_flatten(&worker, flat) : -ENOMEM;
    free(worker.spec.envp.envp_val);
    return error;
}

static int worker_read(const struct msg *msg, struct flat *flat)
{
    launch_criu_arg arg;
    int error = frame_decode(FRAME_XDR(launch_criu_arg), msg->body, msg->header.body_len, &arg,
                             sizeof(arg));

    if (error)
        return error;
    error = msg->header.nfds == 1 ? worker_flatten(&arg, flat) : -EPROTO;
    frame_free(FRAME_XDR(launch_criu_arg), &arg, sizeof(arg));
    return error;
}

int program_read(const struct msg *msg, struct flat *flat)
{
    return msg->header.proc == P_LAUNCH_EXEC ? exec_read(msg, flat) : worker_read(msg, flat);
}

/* ---- the child ---- */

static void session_set(const struct program *program)
{
    const launch_who *who = &program->arg.who;

    /* A process that CRIU makes sees to that by itself. */
    if (who->sid == who->pid && !program->is_worker)
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

    /* Init writes there for others. */
    RAW1(SYS_close, program->fds[0]);
    for (unsigned i = PROGRAM_STATUS; i < program->nfds; i++) {
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

static long worker_open(struct program *program)
{
    long null = RAW4(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);

    program->fds[WORKER_NULL] = (int)null;
    program->fds[WORKER_ERRORS] = STDERR_FILENO;
    program->nfds = WORKER_FDS;
    return null < 0 ? null : 0;
}

/* Until all is as it is to be but for the signals. */
static long all_take(struct program *program)
{
    long error = program->is_worker ? worker_open(program) : 0;

    pending_widen();
    session_set(program);
    if (!error)
        error = fds_place(program);
    if (!error)
        error = rootns_enter();
    if (!error && !program->is_worker)
        error = spec_take(&program->spec, &program->arg);
    return error;
}

void program_run(struct room *room)
{
    struct program *program = flat_object(room_bytes(room));
    int exe = program->arg.exe_index, status;
    long error = all_take(program);

    /* If it signals its parent at once it is to find one that has answered for it, or none. */
    room_wait(room, program->parent);
    if (!error)
        error = spec_exec(&program->spec, program->argv, program->envp,
                          exe ? program->fds[exe] : -1);
    status = (int)-error;
    /* The end of the hand-off socket is what tells of CRIU's failure. */
    if (!program->is_worker)
        raw_call(SYS_write, program->fds[PROGRAM_STATUS], (long)&status, sizeof(status), 0, 0, 0);
    RAW1(SYS_exit_group, 127);
    __builtin_unreachable();
}
