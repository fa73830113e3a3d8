/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <signal.h>

#include "migrate/space/census.h"
#include "migrate/space/fate.h"
#include "migrate/space/keeper.h"

void fate_status(bproc_proc event, pid_t pid, int status)
{
    status_msg body = { .pid = pid, .status = status };

    msg_send(SLAVED, K_EVENT, event, 0, 0, FRAME_XDR(status_msg), &body, NULL, 0);
}

static void entry_exited(struct entry *entry, int status)
{
    fate_status(P_SPACE_EXITED, entry->pid, status);
    registry_remove(entry);
}

/* When nothing can make the process any more and it is not there, it never will be. */
void fate_kill(struct entry *entry)
{
    entry->killed = true;
    if (kill(entry->pid, SIGKILL) == 0)
        return;
    if (entry->worker)
        kill(entry->worker, SIGKILL);
    else
        entry_exited(entry, SIGKILL);
}

static void worker_exited(pid_t pid)
{
    struct entry *entry = registry_find_worker(pid);

    if (!entry)
        return;
    entry->worker = 0;
    if (entry->killed)
        fate_kill(entry);
}

void fate_report(bproc_proc event, pid_t pid, int status)
{
    struct entry *entry = registry_find(pid);

    if (event == P_SPACE_EXITED && entry)
        entry_exited(entry, status);
    else if (entry)
        fate_status(event, pid, status);
    else if (event == P_SPACE_EXITED) {
        worker_exited(pid);
        keeper_reaped(pid, status);
        census_reaped(pid, status);
    } else if (event == P_SPACE_STOPPED) {
        keeper_stopped(pid);
    }
}

void fate_reaped(bproc_proc event, pid_t pid, int status)
{
    const struct entry *entry = registry_find(pid);

    if (event == P_SPACE_EXITED && entry && entry->keeper)
        keeper_lost(entry->keeper);
    fate_report(event, pid, status);
}

void fate_signal(const signal_msg *signal)
{
    msg_send(SLAVED, K_EVENT, P_SPACE_SIGNAL, 0, 0, FRAME_XDR(signal_msg), signal, NULL, 0);
}

void fate_born(const born_msg *born)
{
    msg_send(SLAVED, K_EVENT, P_SPACE_BORN, 0, 0, FRAME_XDR(born_msg), born, NULL, 0);
}

void fate_group(const group_msg *group)
{
    msg_send(SLAVED, K_EVENT, P_SPACE_GROUP, 0, 0, FRAME_XDR(group_msg), group, NULL, 0);
}
