/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/siginfo.h"

int siginfo_send(const signal_msg *msg, int pidfd)
{
    siginfo_t info, *with = NULL;
    long result;

    if (msg->code == SI_QUEUE) {
        memset(&info, 0, sizeof(info));
        info.si_signo = msg->signo;
        info.si_code = SI_QUEUE;
        info.si_pid = msg->from_pid;
        info.si_uid = msg->from_uid;
        info.si_value.sival_ptr = (void *)(uintptr_t)msg->value;
        with = &info;
    }
    if (pidfd >= 0)
        result = syscall(SYS_pidfd_send_signal, pidfd, msg->signo, with, 0);
    else if (with)
        result = syscall(SYS_rt_sigqueueinfo, msg->pid, msg->signo, with);
    else
        result = kill(msg->pid, msg->signo);
    return result < 0 ? -errno : 0;
}
