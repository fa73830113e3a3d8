/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "migrate/memorygate.h"
#include "migrate/memoryward.h"
#include "migrate/pagestore.h"
#include "migrate/userfault.h"

#define ROUND_MS 100                    /* nobody who is answered needs it soon */
#define NOWHERE (1UL << 46)             /* an address that programs do not use */

/* There is none left to look at the others by. */
static int numbers_visit(int (*visit)(int fd))
{
    int most = (int)sysconf(_SC_OPEN_MAX), sum = 0;

    for (int fd = 0; fd < most; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            sum += visit(fd);
    return sum;
}

/* Calls `visit` with each descriptor there is; the sum of what that returns. */
static int descriptors_visit(int (*visit)(int fd))
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int sum = 0;

    if (!dir)
        return numbers_visit(visit);
    while ((entry = readdir(dir))) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] != '.' && fd != dirfd(dir))
            sum += visit(fd);
    }
    closedir(dir);
    return sum;
}

static int memory_count(int fd)
{
    return userfault_is(fd);
}

/* Who has the other ends is to see that the receiver has gone. */
static int other_close(int fd)
{
    return userfault_is(fd) ? 0 : close(fd);
}

static int memory_answer(int fd)
{
    struct uffd_msg msg;

    if (!userfault_is(fd))
        return 0;
    /* Some have been heard of already. */
    userfault_wake(fd);
    while (userfault_hear(fd, &msg))
        if (msg.event == UFFD_EVENT_PAGEFAULT)
            userfault_poison(fd, msg.arg.pagefault.address & ~(uint64_t)(PAGE_BYTES - 1));
    /* Nobody has that memory any more. */
    return userfault_poison(fd, NOWHERE) == -ESRCH ? close(fd) : 0;
}

/* Who was not killed could say why, and has ended it. */
static void process_end(const struct memoryward *ward)
{
    struct pollfd end = { .fd = ward->process_fd, .events = POLLIN };

    if (poll(&end, 1, 0) == 0)
        fprintf(stderr, "bproc-receiver: process %d lost its memory: what brought it was killed\n",
                ward->number);
    memorygate_kill(ward->process, ward->process_fd);
}

__attribute__((noreturn))
static void ward_run(const struct memoryward *ward)
{
    struct pollfd self = { .fd = ward->self, .events = POLLIN };

    /* Whoever kills us with all of our group shall not have it. */
    setsid();
    prctl(PR_SET_NAME, "bproc-ward");
    while (poll(&self, 1, -1) < 0 && errno == EINTR)
        continue;
    if (descriptors_visit(memory_count) > 0)
        process_end(ward);
    descriptors_visit(other_close);
    while (descriptors_visit(memory_count) > 0) {
        descriptors_visit(memory_answer);
        poll(NULL, 0, ROUND_MS);
    }
    _exit(0);
}

static void ward_reap(struct memoryward *ward)
{
    while (ward->pid > 0 && waitpid(ward->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    ward->pid = 0;
    fd_close(&ward->fd);
}

int memoryward_start(struct memoryward *ward)
{
    ward_reap(ward);
    if (ward->self < 0)
        ward->self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (ward->self < 0)
        return -errno;
    ward->pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, NULL, NULL, 0);
    if (ward->pid == 0)
        ward_run(ward);
    if (ward->pid < 0)
        return -errno;
    ward->fd = (int)syscall(SYS_pidfd_open, ward->pid, 0);
    return ward->fd < 0 ? -errno : 0;
}

void memoryward_end(struct memoryward *ward)
{
    if (ward->pid > 0)
        kill(ward->pid, SIGKILL);
    ward_reap(ward);
    fd_close(&ward->self);
}
