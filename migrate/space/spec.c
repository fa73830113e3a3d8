/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "migrate/space/spec.h"
#include "proto/frame.h"

static int bytes_read(int fd, uint8_t *bytes, size_t len)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = pread(fd, bytes + got, len - got, (off_t)got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EPROTO;
        got += (size_t)n;
    }
    return 0;
}

int spec_read(int fd, exec_spec *spec)
{
    struct stat st;
    uint8_t *bytes;
    int error;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size <= 0 || st.st_size > SPEC_MAX)
        return -E2BIG;
    bytes = malloc((size_t)st.st_size);
    if (!bytes)
        return -ENOMEM;
    error = bytes_read(fd, bytes, (size_t)st.st_size);
    if (!error)
        error = frame_decode(FRAME_XDR(exec_spec), bytes, (size_t)st.st_size, spec, sizeof(*spec));
    free(bytes);
    return error;
}

int spec_above(const exec_spec *spec)
{
    int above = STDERR_FILENO + 1;

    for (u_int i = 0; i < spec->files.files_len; i++)
        if (spec->files.files_val[i].target >= above && spec->files.files_val[i].target < INT_MAX)
            above = spec->files.files_val[i].target + 1;
    return above;
}

/* What init has, and all that it forks until somebody sets it. */
static struct rlimit limits[RLIM_NLIMITS];

void spec_init(void)
{
    for (int which = 0; which < RLIM_NLIMITS; which++)
        getrlimit((__rlimit_resource_t)which, &limits[which]);
}

static bool is_set(int which, const struct rlimit *limit)
{
    return limits[which].rlim_cur == limit->rlim_cur && limits[which].rlim_max == limit->rlim_max;
}

/*
 * The numbers are the user's word, so what takes a right is set as the user. What this node does
 * not grant him is left as it is: the node's word is the last.
 */
static void limits_set(const exec_spec *spec)
{
    for (u_int i = 0; i < spec->limits.limits_len; i++) {
        const limit_pair *pair = &spec->limits.limits_val[i];
        struct rlimit limit = { .rlim_cur = pair->soft, .rlim_max = pair->hard };

        if (pair->which >= 0 && pair->which < RLIM_NLIMITS && !is_set(pair->which, &limit))
            setrlimit((__rlimit_resource_t)pair->which, &limit);
    }
}

static int credentials_set(const launch_exec_arg *who)
{
    /* "As it is" to these calls: root's. */
    if (who->uid == (uid_t)-1 || who->gid == (gid_t)-1)
        return -EINVAL;
    if (setgroups(who->groups.groups_len, who->groups.groups_val) < 0)
        return -errno;
    if (setresgid(who->gid, who->gid, who->gid) < 0)
        return -errno;
    if (setresuid(who->uid, who->uid, who->uid) < 0)
        return -errno;
    return 0;
}

static void folder_set(const char *cwd)
{
    if (chdir(cwd) < 0 && chdir("/") < 0)
        _exit(127);
}

/* The mask comes last: a signal that came meanwhile then does what it does to the program. */
static void signals_set(const exec_spec *spec)
{
    sigset_t blocked;

    sigemptyset(&blocked);
    for (int signo = 1; signo < NSIG; signo++) {
        uint64_t bit = (uint64_t)1 << (signo - 1);

        if (spec->ignored & bit)
            signal(signo, SIG_IGN);
        if (spec->blocked & bit)
            sigaddset(&blocked, signo);
    }
    sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* argv and envp as the kernel wants them: with a NULL at the end. */
static char **vector_make(char *const *values, u_int count)
{
    char **vector = calloc((size_t)count + 1, sizeof(*vector));

    for (u_int i = 0; vector && i < count; i++)
        vector[i] = values[i];
    return vector;
}

/* An interpreter opens its script by the descriptor, so that has to outlive the exec. */
static void script_keep(int exe)
{
    char mark[2];

    if (pread(exe, mark, sizeof(mark), 0) == sizeof(mark) && mark[0] == '#' && mark[1] == '!')
        fcntl(exe, F_SETFD, 0);
}

static int file_open(const exec_file *file)
{
    int fd = open(file->path, file->flags & ~O_CLOEXEC, file->mode);
    int error = 0;

    if (fd < 0)
        return -errno;
    if (file->offset != 0 && lseek(fd, file->offset, SEEK_SET) < 0)
        error = -errno;
    if (!error && fd == file->target)
        return 0;
    if (!error && dup2(fd, file->target) < 0)
        error = -errno;
    close(fd);
    return error;
}

/* As the user, in his directory. One that may fail is left out then. */
static int files_open(const exec_spec *spec)
{
    for (u_int i = 0; i < spec->closed.closed_len; i++)
        close(spec->closed.closed_val[i]);
    for (u_int i = 0; i < spec->files.files_len; i++) {
        const exec_file *file = &spec->files.files_val[i];
        int error = file_open(file);

        if (error && file->delay)
            close(file->target);
        else if (error)
            return error;
    }
    return 0;
}

int spec_exec(const exec_spec *spec, const launch_exec_arg *who, int exe)
{
    char **argv = vector_make(spec->argv.argv_val, spec->argv.argv_len);
    char **envp = vector_make(spec->envp.envp_val, spec->envp.envp_len);
    int error;

    if (!argv || !envp)
        return -ENOMEM;
    setpriority(PRIO_PROCESS, 0, spec->nice_value > 0 ? spec->nice_value : 0);
    error = credentials_set(who);
    if (error)
        return error;
    limits_set(spec);
    if (spec->nice_value < 0)
        setpriority(PRIO_PROCESS, 0, spec->nice_value);
    umask(spec->umask_bits & 0777);
    folder_set(spec->cwd);
    error = files_open(spec);
    if (error)
        return error;
    signals_set(spec);
    if (exe >= 0) {
        script_keep(exe);
        execveat(exe, "", argv, envp, AT_EMPTY_PATH);
    } else {
        execve(spec->cmd, argv, envp);
    }
    return -errno;
}
