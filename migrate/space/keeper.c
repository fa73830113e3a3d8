/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "migrate/space/keeper_child.h"
#include "migrate/space/keeper_impl.h"

#define WAKE_USEC 10000             /* that init waits for a word before it looks */

struct keeper *keeper_list;
unsigned keeper_count;

static int signals;                 /* for all keepers */

int keeper_init(reap_fn *report, void (*signal)(const signal_msg *signal))
{
    keeper_talk_init(report, signal);
    signals = keeper_child_init();
    return signals < 0 ? signals : 0;
}

/* One that has never spoken is not there, and its number may be another's. */
void keeper_close(struct keeper *keeper)
{
    if (keeper->channel >= 0)
        close(keeper->channel);
    keeper->channel = -1;
    if (keeper->maker) {
        keeper->pid = 0;
        keeper->dismissed = true;
    }
}

struct keeper *keeper_find(pid_t ppid)
{
    struct keeper *keeper = keeper_list;

    while (keeper && (keeper->pid != ppid || keeper->channel < 0 || keeper->leaving))
        keeper = keeper->next;
    return keeper;
}

/* Its leader, as that one then reaps those that have left; any other when there is none. */
static struct keeper *keeper_of_session(pid_t sid)
{
    struct keeper *keeper = keeper_list, *leader = keeper_find(sid);

    if (leader && leader->sid == sid)
        return leader;
    while (keeper && (keeper->sid != sid || keeper->channel < 0 || keeper->leaving))
        keeper = keeper->next;
    return keeper;
}

/* The first one of a session, or one of init's own session. */
static pid_t keeper_fork(pid_t ppid, pid_t sid, int channel)
{
    struct room *room = room_take(sizeof(struct keeper_birth));
    struct keeper_birth *birth;

    if (!room)
        return -ENOMEM;
    birth = room_bytes(room);
    *birth = (struct keeper_birth){ .channel = channel, .signals = signals, .lead = ppid == sid };
    return room_start(room, ppid, ROOM_CHILD, false, keeper_child_run);
}

/* What is made by another one is there when it answers: it, or the elder in its place. */
static int keeper_order(struct keeper *keeper, struct keeper *elder, int channel)
{
    const struct errand errand = { .kind = ERRAND_KEEPER, .pid = keeper->number,
                                   .beside = room_is_safe() };
    int error = keeper_ask(elder, &errand, &channel, 1);

    if (error)
        return error;
    keeper->pid = keeper->number;
    keeper->maker = elder->number;
    return 0;
}

/* 0 or -errno: nothing has come of it. */
static int keeper_start(struct keeper *keeper, struct keeper *elder, int channel)
{
    if (elder)
        return keeper_order(keeper, elder, channel);
    keeper->pid = keeper_fork(keeper->number, keeper->sid, channel);
    return keeper->pid < 0 ? keeper->pid : 0;
}

/* One that leads its session has others to wait for. */
static int launch_ask(struct keeper *keeper, const struct launch *launch)
{
    struct errand errand = launch->errand;
    int error;

    errand.leaves = keeper->number != keeper->sid;
    error = keeper_ask(keeper, &errand, launch->fds, launch->nfds);
    keeper->asked = !error;
    return error;
}

/* With a channel, whose other end is in *channel. NULL: there is no room for one. */
static struct keeper *keeper_new(pid_t ppid, pid_t sid, int *channel)
{
    const struct timeval patience = { .tv_usec = WAKE_USEC };
    struct keeper *keeper = keeper_count < KEEPERS_MAX ? calloc(1, sizeof(*keeper)) : NULL;
    int channels[2];

    if (!keeper)
        return NULL;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channels) < 0) {
        free(keeper);
        return NULL;
    }
    setsockopt(channels[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    keeper->channel = channels[0];
    keeper->sid = sid;
    keeper->number = ppid;
    *channel = channels[1];
    return keeper;
}

/* What it is to launch waits for it when it begins; `first` NULL: nothing. */
static struct keeper *keeper_make(pid_t ppid, pid_t sid, struct keeper *elder,
                                  const struct launch *first)
{
    int channel = -1, error;
    struct keeper *keeper = keeper_new(ppid, sid, &channel);

    if (!keeper)
        return NULL;
    if (first)
        launch_ask(keeper, first);
    error = keeper_start(keeper, elder, channel);
    close(channel);
    if (error) {
        keeper_close(keeper);
        free(keeper);
        return NULL;
    }
    keeper->next = keeper_list;
    keeper_list = keeper;
    keeper_count++;
    return !elder || first || keeper_hear(keeper) == 0 ? keeper : NULL;
}

/*
 * That with this number, made if there is none, in the session `sid` if that can be had here (0 or
 * 1: init's). NULL when the number is in use otherwise. Any elder but the leader may have left
 * before it hears what it is asked, which we know then: each turn has one less to ask.
 */
static struct keeper *keeper_get(pid_t ppid, pid_t sid, const struct launch *first)
{
    struct keeper *keeper = keeper_find(ppid), *elder = NULL;

    if (ppid <= 1 || (keeper && !keeper_is_outlived(keeper, sid)))
        return keeper;
    keeper_dismiss(ppid);
    while (sid > 1 && (elder = keeper_of_session(sid)) != NULL) {
        keeper = keeper_make(ppid, sid, elder, first);
        if (keeper || elder->channel >= 0)
            return keeper;
    }
    if (sid > 1)
        keeper_dismiss(sid);
    if (sid > 1 && sid != ppid)
        elder = keeper_make(sid, sid, NULL, NULL);
    if (!elder && sid != ppid)
        sid = getsid(0);
    return keeper_make(ppid, sid, elder, first);
}

/*
 * Whether the group is there, or none is to be. A keeper that leads it stays for longer; one that
 * has left still has it until it is reaped.
 */
static bool is_led(pid_t pgid, pid_t sid)
{
    struct keeper *keeper = pgid > 1 ? keeper_find(pgid) : NULL;

    if (keeper && keeper_is_outlived(keeper, sid))
        return false;
    if (keeper)
        keeper->until = 0;
    else if (pgid > 1)
        keeper_dismiss(pgid);
    return pgid <= 1 || keeper || kill(-pgid, 0) == 0;
}

/* Nobody can join before it leads, which it does before it has been heard. */
static void group_lead(pid_t pgid, pid_t sid)
{
    struct keeper *keeper = keeper_get(pgid, sid, NULL);

    if (!keeper)
        return;
    keeper->childless = true;
    keeper_hear(keeper);
}

/* One that leads its session has left its parent's, whose number nobody has told. */
struct keeper *keeper_of_parent(const struct launch *launch)
{
    pid_t sid = launch->sid == launch->pid ? 0 : launch->sid;
    bool ready = launch->pgid == launch->pid || launch->pgid == launch->ppid ||
                 is_led(launch->pgid, sid);
    bool first = ready && launch->errand.kind != 0;
    struct keeper *keeper = keeper_get(launch->ppid, sid, first ? launch : NULL);

    if (!ready && keeper)
        group_lead(launch->pgid, keeper->sid);
    return keeper;
}

int keeper_launch(struct keeper *keeper, struct launch *launch)
{
    struct report answer;
    int error = keeper->asked ? 0 : launch_ask(keeper, launch);

    keeper->asked = false;
    if (!error)
        error = keeper_answer(keeper, &answer);
    /* Nobody watches over that process, be it there or yet to come. */
    if (error == -EAGAIN) {
        launch_revoke();
        kill(launch->pid, SIGKILL);
    }
    if (error)
        return error;
    keeper->puid = launch->puid;
    launch->worker = answer.worker;
    launch->session = answer.session;
    return 0;
}

void keeper_reaped(pid_t pid, int status)
{
    for (struct keeper *keeper = keeper_list; keeper; keeper = keeper->next)
        if (keeper->pid == pid) {
            keeper->pid = 0;
            keeper->status = status;
        }
}

bool keeper_is(pid_t pid)
{
    const struct keeper *keeper = keeper_list;

    while (keeper && keeper->pid != pid)
        keeper = keeper->next;
    return keeper != NULL;
}
