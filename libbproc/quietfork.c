/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Only libc can fork a program with threads soundly: it runs the atfork handlers, holds the locks
 * of malloc and stdio across the call and forgets the other threads in the child. But libc asks
 * the kernel for SIGCHLD as exit signal. So its fork() is called while the kernel hands this
 * thread's system calls to a SIGSYS handler (syscall user dispatch), which carries them out as
 * they are, except that the one that makes the process has its exit signal taken off.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "libbproc/guard.h"
#include "libbproc/quietfork.h"

#define SETTLE_MS 5000

#ifdef __x86_64__

#include <linux/sched.h>
#include <sys/prctl.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#define PR_SYS_DISPATCH_ON 1
#endif

#define DISPATCHED 2             /* SYS_USER_DISPATCH, which libc does not name */
#define SELECTOR_ALLOW 0
#define SELECTOR_BLOCK 1
#define EXIT_SIGNAL_MASK 0xffUL
#define KERNEL_SIGSET 8
#define SA_RESTORER_FLAG 0x04000000

/* rt_sigaction(2) as the kernel takes it: libc would put its own restorer there. */
struct kernel_action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* The system calls between these two marks are never dispatched: the handler's own. */
extern const char quietfork_begin[], quietfork_end[];
long quietfork_syscall(long nr, long a, long b, long c, long d, long e, long f);
void quietfork_restorer(void);

__asm__(".pushsection .text\n"
        ".balign 16\n"
        ".hidden quietfork_begin, quietfork_end, quietfork_syscall, quietfork_restorer\n"
        ".globl quietfork_begin, quietfork_end, quietfork_syscall, quietfork_restorer\n"
        "quietfork_begin:\n"
        ".type quietfork_syscall, @function\n"
        "quietfork_syscall:\n"
        "  mov %rdi, %rax\n"
        "  mov %rsi, %rdi\n"
        "  mov %rdx, %rsi\n"
        "  mov %rcx, %rdx\n"
        "  mov %r8, %r10\n"
        "  mov %r9, %r8\n"
        "  mov 8(%rsp), %r9\n"
        "  syscall\n"
        "  ret\n"
        ".type quietfork_restorer, @function\n"
        "quietfork_restorer:\n"
        "  mov $15, %eax\n"
        "  syscall\n"
        "  nop\n"
        "quietfork_end:\n"
        ".popsection\n");

static struct kernel_action previous;
static __thread volatile char selector;
static __thread int quiet;       /* the fork under way is ours */

/* libc blocks every signal around its clone; a blocked SIGSYS would end the program. */
static long mask_change(ucontext_t *uc, int how, const uint64_t *set, uint64_t *old)
{
    uint64_t now, next;

    memcpy(&now, &uc->uc_sigmask, sizeof(now));
    if (old)
        *old = now;
    if (!set)
        return 0;
    if (how == SIG_BLOCK)
        next = now | *set;
    else if (how == SIG_UNBLOCK)
        next = now & ~*set;
    else
        next = *set;
    next &= ~(1ULL << (SIGSYS - 1));
    memcpy(&uc->uc_sigmask, &next, sizeof(next));
    return 0;
}

static long process_make(long nr, const greg_t *r)
{
    if (nr == SYS_fork || nr == SYS_vfork)
        return quietfork_syscall(SYS_clone, 0, 0, 0, 0, 0, 0);
    /* A handler of the program's own may start a thread: its stack is not ours to return on. */
    if (r[REG_RSI] != 0)
        return -EAGAIN;
    return quietfork_syscall(SYS_clone, (long)((unsigned long)r[REG_RDI] & ~EXIT_SIGNAL_MASK), 0,
                             r[REG_RDX], r[REG_R10], r[REG_R8], 0);
}

static long process_make3(const greg_t *r)
{
    struct clone_args args;
    size_t size = (size_t)r[REG_RSI];

    if (size > sizeof(args))
        size = sizeof(args);
    memset(&args, 0, sizeof(args));
    memcpy(&args, (const void *)r[REG_RDI], size);
    if (args.stack != 0)
        return -EAGAIN;
    args.exit_signal = 0;
    return quietfork_syscall(SYS_clone3, (long)&args, (long)size, 0, 0, 0, 0);
}

static void dispatch(int signo, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *r = uc->uc_mcontext.gregs;
    long nr = r[REG_RAX];

    if (info->si_code != DISPATCHED) {
        if ((previous.flags & SA_SIGINFO) && previous.handler)
            previous.handler(signo, info, context);
        return;
    }
    if (nr == SYS_clone || nr == SYS_fork || nr == SYS_vfork)
        r[REG_RAX] = process_make(nr, r);
    else if (nr == SYS_clone3)
        r[REG_RAX] = process_make3(r);
    else if (nr == SYS_rt_sigprocmask)
        r[REG_RAX] = mask_change(uc, (int)r[REG_RDI], (const uint64_t *)r[REG_RSI],
                                 (uint64_t *)r[REG_RDX]);
    else
        r[REG_RAX] = quietfork_syscall(nr, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10],
                                       r[REG_R8], r[REG_R9]);
}

static int dispatch_on(void)
{
    selector = SELECTOR_ALLOW;
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, (unsigned long)quietfork_begin,
              (unsigned long)(quietfork_end - quietfork_begin), &selector) == 0)
        return 0;
    errno = ENOSYS;
    return -1;
}

static void dispatch_off(void)
{
    int saved = errno;

    prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
    errno = saved;
}

/*
 * The handler is all threads'. It is put in place as late as can be, when the program's own atfork
 * handlers have taken their locks: one thread might hold those and wait for the guard.
 */
static void fork_begins(void)
{
    struct kernel_action ours = { .handler = dispatch, .restorer = quietfork_restorer,
                                  .flags = SA_SIGINFO | SA_NODEFER | SA_RESTORER_FLAG };

    if (!quiet)
        return;
    guard_enter();
    syscall(SYS_rt_sigaction, SIGSYS, &ours, &previous, KERNEL_SIGSET);
    selector = SELECTOR_BLOCK;
}

static void fork_ends(void)
{
    if (!quiet)
        return;
    selector = SELECTOR_ALLOW;
    syscall(SYS_rt_sigaction, SIGSYS, &previous, NULL, KERNEL_SIGSET);
    guard_leave();
}

__attribute__((constructor))
static void fork_watch(void)
{
    pthread_atfork(fork_begins, fork_ends, fork_ends);
}

pid_t quietfork(void)
{
    uint64_t all = ~0ULL & ~(1ULL << (SIGSYS - 1));
    uint64_t before;
    pid_t pid = -1;

    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGSET);
    if (dispatch_on() == 0) {
        quiet = 1;
        pid = fork();
        quiet = 0;
        dispatch_off();
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGSET);
    return pid;
}

#else

pid_t quietfork(void)
{
    errno = ENOSYS;
    return -1;
}

#endif

/* A quiet child is waited for by __WCLONE alone, an ordinary one never. */
static pid_t quiet_wait(pid_t pid, int options)
{
    pid_t got;

    do {
        got = waitpid(pid, NULL, __WCLONE | options);
    } while (got < 0 && errno == EINTR);
    return got;
}

int quietfork_undo(pid_t pid)
{
    int saved = errno, ordinary;

    kill(pid, SIGKILL);
    ordinary = quiet_wait(pid, 0) < 0;
    errno = saved;
    return ordinary;
}

int quietfork_settle(pid_t pid)
{
    const struct timespec pause = { 0, 1000000 };
    int saved = errno;
    pid_t got = 0;

    for (int i = 0; i < SETTLE_MS && got == 0; i++) {
        got = quiet_wait(pid, WNOHANG);
        if (got == 0)
            nanosleep(&pause, NULL);
    }
    errno = saved;
    return got == 0 ? quietfork_undo(pid) : got < 0;
}
