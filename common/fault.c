/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fault.h"

static struct {
    int known;
    int number;
    char action;
} fault_wanted;

static void wish_read(void)
{
    const char *text = getenv("BPROC_FAULT");
    char *end;

    fault_wanted.known = 1;
    if (!text)
        return;
    fault_wanted.number = (int)strtol(text, &end, 10);
    fault_wanted.action = strcmp(end, ":exit") == 0    ? 'x'
                          : strcmp(end, ":error") == 0 ? 'e'
                          : strcmp(end, ":stop") == 0  ? 's'
                                                       : 'k';
}

int fault_point(int number)
{
    if (!fault_wanted.known)
        wish_read();
    if (number != fault_wanted.number || number == FAULT_NONE)
        return 0;
    if (fault_wanted.action == 'e')
        return -EIO;
    if (fault_wanted.action == 'x')
        _exit(1);
    /*
     * At this very place, so by the thread that is here. raise() goes by libc's idea of which that
     * is, which is wrong after a bare clone(2).
     */
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid),
            fault_wanted.action == 's' ? SIGSTOP : SIGKILL);
    return 0;
}
