/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/fault.h"
#include "proto/rawcall.h"
#include "migrate/space/pidfork.h"

#define STACK_BYTES 65536

/* With a pid of our choice, and all signals blocked. */
static pid_t pid_clone(struct clone_args *args, pid_t want, long (*call)(struct clone_args *args))
{
    sigset_t all, before;
    long pid;

    if (want > 0) {
        args->set_tid = (uint64_t)(uintptr_t)&want;
        args->set_tid_size = 1;
    }
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = call(args);
    if (pid == 0)
        return 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return (pid_t)pid;
}

static long clone_return(struct clone_args *args)
{
    return RAW2(SYS_clone3, args, sizeof(*args));
}

pid_t pidfork(pid_t want)
{
    struct clone_args args = { .exit_signal = SIGCHLD };

    return pid_clone(&args, want, clone_return);
}

pid_t pidfork_sibling(pid_t want)
{
    struct clone_args args = { .flags = CLONE_PARENT };

    return pid_clone(&args, want, clone_return);
}

/* ---- beside us ---- */

#ifdef PIDFORK_SHARES

/* Before 5.16 Linux ends with who dumps core all others who have its memory. */
static int others_are_spared;

void pidfork_init(void)
{
    struct utsname name;
    int major = 0, minor = 0;

    others_are_spared = FAULT(FAULT_LACK_SPARING) == 0 && uname(&name) == 0 &&
                        sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
                        (major > 5 || (major == 5 && minor >= 16));
}

/*
 * With fs.suid_dumpable at 1 a user may trace what has taken his ids, and write to our memory. Each
 * keeper looks, as it may change.
 */
static int memory_is_guarded(void)
{
    static int guarded = -1;
    char mode = '1';
    int fd;

    if (guarded >= 0)
        return guarded;
    fd = open("/proc/sys/fs/suid_dumpable", O_RDONLY | O_CLOEXEC);
    guarded = fd >= 0 && read(fd, &mode, 1) == 1 && mode != '1';
    if (fd >= 0)
        close(fd);
    return guarded;
}

/* The child takes from its stack what to call, and with what. */
static long clone_call(struct clone_args *args)
{
    long result;

    __asm__ volatile("syscall\n"
                     "    test %%rax, %%rax\n"
                     "    jnz 1f\n"
                     "    xor %%ebp, %%ebp\n"
                     "    pop %%rax\n"
                     "    pop %%rdi\n"
                     "    call *%%rax\n"
                     "    ud2\n"
                     "1:\n"
                     : "=a"(result)
                     : "a"(SYS_clone3), "D"(args), "S"(sizeof(*args))
                     : "rcx", "r11", "memory");
    return result;
}

static pid_t beside_start(pid_t want, struct pidfork_room *room, void (*run)(void *), void *arg)
{
    struct clone_args args = { .flags = CLONE_VM | CLONE_CHILD_CLEARTID, .exit_signal = SIGCHLD,
                               .child_tid = (uint64_t)(uintptr_t)&room->taken };
    void **top;
    pid_t pid;

    room->stack = malloc(STACK_BYTES);
    if (!room->stack)
        return -ENOMEM;
    top = (void **)((char *)room->stack + STACK_BYTES) - 2;
    top[0] = (void *)(uintptr_t)run;
    top[1] = arg;
    args.stack = (uint64_t)(uintptr_t)room->stack;
    args.stack_size = STACK_BYTES - 2 * sizeof(*top);
    room->taken = 1;
    pid = pid_clone(&args, want, clone_call);
    if (pid < 0)
        room->taken = 0;
    return pid;
}

#else

void pidfork_init(void)
{
}

#endif

pid_t pidfork_beside(pid_t want, struct pidfork_room *room, void (*run)(void *), void *arg)
{
    pid_t pid;

#ifdef PIDFORK_SHARES
    if (getpid() != 1 && others_are_spared && memory_is_guarded())
        return beside_start(want, room, run, arg);
#endif
    (void)room;
    pid = pidfork(want);
    if (pid == 0)
        run(arg);
    return pid;
}

int pidfork_is_beside(const struct pidfork_room *room)
{
    return __atomic_load_n(&room->taken, __ATOMIC_ACQUIRE) != 0;
}

void pidfork_room_free(struct pidfork_room *room)
{
    free(room->stack);
    room->stack = NULL;
}

/* ---- descriptors ---- */

/* Above all targets nothing can be overwritten by a dup2() onto one of them. */
static int above_all(const int *to, unsigned count)
{
    int above = STDERR_FILENO + 1;

    for (unsigned i = 0; i < count; i++)
        if (to[i] >= above)
            above = to[i] + 1;
    return above;
}

static int all_move(const int *from, unsigned count, int above, int *moved)
{
    for (unsigned i = 0; i < count; i++) {
        moved[i] = fcntl(from[i], F_DUPFD_CLOEXEC, above);
        if (moved[i] < 0)
            return -errno;
    }
    return 0;
}

static int all_place(const int *moved, const int *to, unsigned count)
{
    if (close_range(0, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
        return -errno;
    for (unsigned i = 0; i < count; i++)
        if (dup2(moved[i], to[i]) < 0)
            return -errno;
    return 0;
}

int pidfork_place(const int *from, const int *to, unsigned count)
{
    int moved[PIDFORK_PLACES];
    int error = count > PIDFORK_PLACES ? -EINVAL
                                       : all_move(from, count, above_all(to, count), moved);

    return error ? error : all_place(moved, to, count);
}
