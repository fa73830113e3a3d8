/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keepers: processes of the space that stand for a parent that stayed elsewhere. A keeper has the
 * parent's number, so that getppid() of what it launches is right, leads the parent's process group
 * and is in the parent's session. A session comes to be here by the keeper that has its number; its
 * other keepers are made by that one, or by each other when it has gone. A keeper reports all
 * that happens to its children and knows nothing else.
 *
 * Life: made by the first launch under a parent; leaves with its last child, which it reports with
 * that, unless it leads their session; dismissed when the real parent has died: then its children
 * become init's, and getppid() says 1, as fork promises. One that leads a session stays for as long
 * as there is another keeper in it, and reaps those that have left when it is asked for the next
 * one, or a second later.
 *
 * One with the number of a group that is led elsewhere makes that group here. Such keepers, and
 * those that lead a session, stay for some seconds, since the commands of a shell are in one
 * session, those of a script in one group, and come one after the other. Few stay so, and none that
 * would be in the way of its number.
 *
 * Whoever may signal the parent may signal its keeper, which has the parent's user as its saved
 * one, and passes signals on. Of two the kernel tells us alone: SIGSTOP stops the keeper, which is
 * made to go on at once, and SIGKILL ends it.
 *
 * All calls are init's. They block for a message to and from the keeper, which itself never waits
 * for anybody but init.
 */
#ifndef BPROC_SPACE_KEEPER_H
#define BPROC_SPACE_KEEPER_H

#include <stdbool.h>

#include "migrate/space/launch.h"
#include "migrate/space/reap.h"

#define KEEPERS_MAX 4094        /* beyond them init is the parent */

struct keeper {
    pid_t pid;                  /* 0 when it has been reaped */
    int status;                 /* then: as wait(2) gives it */
    pid_t number;               /* what that was */
    pid_t sid;
    uid_t puid;                 /* whose the parent is */
    bool dismissed;             /* by us: its end says nothing of the parent's */
    bool leaving;               /* it has been told to end, and may be there still */
    int64_t until;              /* when it is to end if nobody needs it, monotonic ms; 0: never */
    int channel;                /* seqpacket; -1 when the keeper has gone */
    bool asked;                 /* to launch what it was made for; not yet answered */
    pid_t maker;                /* the keeper that was asked to make it; 0 when it has spoken */
    unsigned users;             /* registered processes that it is the parent of */
    bool childless;             /* it has never been a parent: what it hears is for nobody */
    struct keeper *next;
};

/* The list, for poll(2). Not changed by keeper_read(). */
extern struct keeper *keeper_list;

/*
 * What the keepers report goes to `report`, and signals for those they stand for to `signal`. 0 or
 * -errno.
 */
int keeper_init(reap_fn *report, void (*signal)(const signal_msg *signal));

/*
 * The keeper with the number of the parent, made if there is none, in the session of what is to be
 * launched if that can be had here; its group is here then, too. NULL when the number is in use
 * otherwise: then init has to be the parent. If it is to launch, keeper_launch() has to be called
 * next: a new keeper may begin with that.
 */
struct keeper *keeper_of_parent(const struct launch *launch);

/*
 * As launch_start(), in the keeper. -EPIPE when the keeper has gone or could not be made, -EAGAIN
 * when it goes over this: then what it may have started is ended.
 */
int keeper_launch(struct keeper *keeper, struct launch *launch);

/* Takes in one message of a keeper whose channel is readable. */
void keeper_read(struct keeper *keeper);

/*
 * One of whose processes init has reaped, so that it has gone, unless it has been told to. What its
 * end says of the parent is told now: whoever killed it may be that process, and nobody believes
 * one that has ended.
 */
void keeper_lost(struct keeper *keeper);

/* What has been reaped, or stops, may have been a keeper. */
void keeper_reaped(pid_t pid, int status);
void keeper_stopped(pid_t pid);

/* All processes are about to be killed, keepers too. */
void keepers_forsake(void);

/* Whether that is one; whether it is one that has processes, or leads a session of keepers. */
bool keeper_is(pid_t pid);
bool keeper_is_needed(pid_t pid);

/* Ends the keeper with that number, if there is one. */
void keeper_dismiss(pid_t ppid);

/*
 * Ends the keepers that have no users or have gone. For how many milliseconds there will be nothing
 * of the kind by itself; -1: ever.
 */
int keeper_tidy(void);

#endif
