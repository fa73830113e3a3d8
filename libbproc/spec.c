/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libbproc/spec.h"
#include "proto/frame.h"
#include "proto/rawcall.h"

#define MOST_BYTES 4096             /* of most specs; what is longer takes memory for it */

static size_t list_length(char *const list[])
{
    size_t count = 0;

    while (list && list[count])
        count++;
    return count;
}

/* From the kernel: of some, and not of the same ones, a libc does not tell. */
static uint64_t signals_ignored(void)
{
    uint64_t ignored = 0;

    for (int signo = 1; signo < 65; signo++) {
        struct kernel_action action;

        if (syscall(SYS_rt_sigaction, signo, NULL, &action, KERNEL_SIGSET) == 0 &&
            action.handler == SIG_IGN)
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

    for (int which = 0; which < RLIM_NLIMITS && count < SPEC_LIMITS; which++) {
        struct rlimit limit;

        if (getrlimit(which, &limit) < 0)
            continue;
        pairs[count].which = which;
        pairs[count].soft = limit.rlim_cur;
        pairs[count].hard = limit.rlim_max;
        count++;
    }
    return count;
}

/* Beyond that limit a write to memory files, too, ends the process by a signal. */
static bool file_fits(const struct circumstances *now, size_t len)
{
    for (unsigned i = 0; i < now->limit_count; i++)
        if (now->limits[i].which == RLIMIT_FSIZE)
            return len <= now->limits[i].soft;
    return true;
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

static unsigned files_fill(exec_file *files, const struct io *io)
{
    unsigned count = 0;

    for (unsigned i = 0; i < io->count; i++) {
        const struct io_item *item = &io->items[i];

        if (item->is_file)
            files[count++] = (exec_file){ .target = item->fd, .flags = item->open_flags,
                                          .mode = item->mode, .offset = item->offset,
                                          .delay = item->delay,
                                          .path = (char *)(uintptr_t)item->name };
    }
    return count;
}

static unsigned closed_fill(int *closed, const struct io *io)
{
    unsigned count = 0;

    for (int fd = STDIN_FILENO; io->exact && fd <= STDERR_FILENO; fd++)
        if (!io_has(io, fd))
            closed[count++] = fd;
    return count;
}

void circumstances_note(struct circumstances *now, uint64_t blocked)
{
    if (!getcwd(now->cwd, sizeof(now->cwd)))
        strcpy(now->cwd, "/");
    now->umask_bits = umask_get();
    errno = 0;
    now->nice_value = getpriority(PRIO_PROCESS, 0);
    now->blocked = blocked;
    now->ignored = signals_ignored();
    now->limit_count = limits_get(now->limits);
}

int spec_write(const struct circumstances *now, const char *cmd, char *const argv[],
               char *const envp[], const struct io *io)
{
    exec_file files[BPROC_MAX_IO];
    int closed[3];
    exec_spec spec = { .cmd = (char *)(uintptr_t)cmd, .cwd = (char *)(uintptr_t)now->cwd,
                       .umask_bits = now->umask_bits, .nice_value = now->nice_value,
                       .blocked = now->blocked, .ignored = now->ignored };
    uint8_t here[MOST_BYTES], *bytes = here;
    size_t len = sizeof(here);
    int fd, error;

    if (strlen(cmd) >= PATH_MAX)
        return -ENAMETOOLONG;
    spec.argv.argv_len = (u_int)list_length(argv);
    spec.argv.argv_val = (arg_string *)(uintptr_t)argv;
    spec.envp.envp_len = (u_int)list_length(envp);
    spec.envp.envp_val = (arg_string *)(uintptr_t)envp;
    spec.limits.limits_len = now->limit_count;
    spec.limits.limits_val = (limit_pair *)(uintptr_t)now->limits;
    spec.files.files_len = files_fill(files, io);
    spec.files.files_val = files;
    spec.closed.closed_len = closed_fill(closed, io);
    spec.closed.closed_val = closed;
    error = frame_encode_here(FRAME_XDR(exec_spec), &spec, here, &len);
    if (error)
        error = frame_encode(FRAME_XDR(exec_spec), &spec, BPROC_MAX_SPEC, &bytes, &len);
    if (error)
        return error == -EMSGSIZE ? -E2BIG : error;
    fd = file_fits(now, len) ? memory_file(bytes, len) : -EFBIG;
    if (bytes != here)
        free(bytes);
    return fd;
}
