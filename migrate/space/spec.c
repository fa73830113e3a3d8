/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/rawcall.h"
#include "migrate/space/spec.h"
#include "proto/frame.h"

/* Its threads' own, 32 and 33, with which it lets no program have its way. */
#define SIGNALS_OF_LIBC ((uint64_t)3 << 31)

#define FEW_BYTES 8192

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

/* Few are long; a large chunk has the heap tidied up each time. */
int spec_read(int fd, exec_spec *spec)
{
    uint8_t few[FEW_BYTES], *bytes = few;
    struct stat st;
    int error;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size <= 0 || st.st_size > BPROC_MAX_SPEC)
        return -E2BIG;
    if ((size_t)st.st_size > sizeof(few))
        bytes = malloc((size_t)st.st_size);
    if (!bytes)
        return -ENOMEM;
    error = bytes_read(fd, bytes, (size_t)st.st_size);
    if (!error)
        error = frame_decode(FRAME_XDR(exec_spec), bytes, (size_t)st.st_size, spec, sizeof(*spec));
    if (bytes != few)
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
static uint64_t bounding;           /* capabilities, bit n for number n */

void spec_init(void)
{
    for (int which = 0; which < RLIM_NLIMITS; which++)
        getrlimit((__rlimit_resource_t)which, &limits[which]);
    for (int i = 0; i < 64; i++)
        if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) > 0)
            bounding |= (uint64_t)1 << i;
}

static bool is_set(int which, const struct rlimit *limit)
{
    return limits[which].rlim_cur == limit->rlim_cur && limits[which].rlim_max == limit->rlim_max;
}

/* ---- what follows may share the memory of another process: no libc, no errno ---- */

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
            RAW4(SYS_prlimit64, 0, pair->which, &limit, NULL);
    }
}

static long credentials_set(const launch_exec_arg *who)
{
    long error;

    /* "As it is" to these calls: root's. */
    if (who->uid == (uid_t)-1 || who->gid == (gid_t)-1)
        return -EINVAL;
    error = RAW2(SYS_setgroups, who->groups.groups_len, who->groups.groups_val);
    if (error == 0)
        error = RAW3(SYS_setresgid, who->gid, who->gid, who->gid);
    if (error == 0)
        error = RAW3(SYS_setresuid, who->uid, who->uid, who->uid);
    return error;
}

static long bounding_drop(uint64_t dropped)
{
    long error = 0;

    for (int i = 0; error == 0 && dropped != 0; i++, dropped >>= 1)
        if (dropped & 1)
            error = RAW2(SYS_prctl, PR_CAPBSET_DROP, i);
    return error;
}

/* Root's too: what is opened and set before the exec is the caller's word. */
static long capabilities_limit(uint64_t kept)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    long error = RAW2(SYS_capget, &header, data);

    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        uint32_t word = (uint32_t)(kept >> 32 * i);

        data[i].effective &= word;
        data[i].permitted &= word;
        data[i].inheritable &= word;
    }
    return error ? error : RAW2(SYS_capset, &header, data);
}

/* Only what a process of init's would have and this one is not to costs a call. */
static long rights_set(const launch_exec_arg *who)
{
    uint64_t dropped = bounding & ~who->least.capabilities;
    long error = bounding_drop(dropped);

    if (!error)
        error = credentials_set(who);
    if (!error && dropped)
        error = capabilities_limit(who->least.capabilities);
    if (!error && who->least.no_new_privs)
        error = raw_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
    return error;
}

static long folder_set(const char *cwd)
{
    return RAW1(SYS_chdir, cwd) == 0 ? 0 : RAW1(SYS_chdir, "/");
}

/* The mask comes last: a signal that came meanwhile then does what it does to the program. */
static void signals_set(const exec_spec *spec)
{
    const struct kernel_action ignore = { .handler = SIG_IGN };
    uint64_t blocked = spec->blocked & ~SIGNALS_OF_LIBC;
    uint64_t ignored = spec->ignored & ~SIGNALS_OF_LIBC;

    for (int signo = 1; ignored != 0; signo++, ignored >>= 1)
        if (ignored & 1)
            RAW4(SYS_rt_sigaction, signo, &ignore, NULL, KERNEL_SIGSET);
    RAW4(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, KERNEL_SIGSET);
}

/* An interpreter opens its script by the descriptor, so that has to outlive the exec. */
static void script_keep(int exe)
{
    char mark[2];

    if (RAW4(SYS_pread64, exe, mark, sizeof(mark), 0) == (long)sizeof(mark) && mark[0] == '#' &&
        mark[1] == '!')
        RAW3(SYS_fcntl, exe, F_SETFD, 0);
}

static long file_open(const exec_file *file)
{
    long fd = RAW4(SYS_openat, AT_FDCWD, file->path, file->flags & ~O_CLOEXEC, file->mode);
    long error = 0;

    if (fd < 0)
        return fd;
    if (file->offset != 0)
        error = RAW3(SYS_lseek, fd, file->offset, SEEK_SET);
    if (error >= 0 && fd == file->target)
        return 0;
    if (error >= 0)
        error = RAW3(SYS_dup3, fd, file->target, 0);
    RAW1(SYS_close, fd);
    return error < 0 ? error : 0;
}

/* As the user, in his directory. One that may fail is left out then. */
static long files_open(const exec_spec *spec)
{
    for (u_int i = 0; i < spec->closed.closed_len; i++)
        RAW1(SYS_close, spec->closed.closed_val[i]);
    for (u_int i = 0; i < spec->files.files_len; i++) {
        const exec_file *file = &spec->files.files_val[i];
        long error = file_open(file);

        if (error && file->delay)
            RAW1(SYS_close, file->target);
        else if (error)
            return error;
    }
    return 0;
}

long spec_take(const exec_spec *spec, const launch_exec_arg *who)
{
    long error;

    RAW3(SYS_setpriority, PRIO_PROCESS, 0, spec->nice_value > 0 ? spec->nice_value : 0);
    error = rights_set(who);
    if (error)
        return error;
    limits_set(spec);
    if (spec->nice_value < 0)
        RAW3(SYS_setpriority, PRIO_PROCESS, 0, spec->nice_value);
    RAW1(SYS_umask, spec->umask_bits & 0777);
    error = folder_set(spec->cwd);
    if (!error)
        error = files_open(spec);
    return error;
}

long spec_exec(const exec_spec *spec, char *const *argv, char *const *envp, int exe)
{
    signals_set(spec);
    if (exe < 0)
        return RAW3(SYS_execve, spec->cmd, argv, envp);
    script_keep(exe);
    return raw_call(SYS_execveat, exe, (long)"", (long)argv, (long)envp, AT_EMPTY_PATH, 0);
}
