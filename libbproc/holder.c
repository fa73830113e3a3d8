/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libbproc/holder.h"

static int holder_run(void *arg)
{
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    /* It may have been killed before that was said. */
    if (syscall(SYS_getppid) != (long)(intptr_t)arg)
        return 1;
    syscall(SYS_prctl, PR_SET_NAME, "bproc-pages", 0, 0, 0);
    syscall(SYS_close_range, 0U, ~0U, 0U);
    for (;;)
        syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
    return 0;
}

long holder_make(char *stack, size_t size)
{
    return clone(holder_run, stack + size, CLONE_VM | SIGCHLD,
                 (void *)(intptr_t)syscall(SYS_getpid));
}
