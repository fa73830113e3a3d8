/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "migrate/space/keeper_impl.h"

#define REAP_LOOKS 200
#define REMAINS_MS 1000             /* that one that has left stays a zombie at most */
#define NEVER INT64_MAX
#define LINGER_MS 5000              /* of one without processes: the next may come soon */
#define LINGER_MOST 32              /* of such; each is looked at with each launch */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * The leader of its session, whose child it was, reaps it when it has something else to do, or when
 * it is asked, and reports its end like any other's.
 */
static void end_hear(pid_t sid)
{
    struct keeper *leader = keeper_find(sid);

    if (leader)
        keeper_hear(leader);
}

/* Until its number is free and all that was reported under it has been heard. */
static void keeper_wait(pid_t pid, pid_t sid)
{
    const struct timespec moment = { .tv_nsec = 500000 };

    if (waitpid(pid, NULL, 0) == pid)
        return;
    for (int i = 0; i < REAP_LOOKS; i++) {
        end_hear(sid);
        if (kill(pid, 0) < 0)
            return;
        nanosleep(&moment, NULL);
    }
}

/*
 * By SIGKILL, as far as can be known in a moment: it reports all others. One that has ended by
 * itself, because it had no memory, say, tells nothing of its parent.
 */
static bool was_killed(struct keeper *keeper)
{
    const struct timespec moment = { .tv_nsec = 500000 };
    int status = 0;

    for (int i = 0; i < REAP_LOOKS && keeper->pid > 0; i++) {
        pid_t pid = waitpid(keeper->pid, &status, WNOHANG);

        if (pid > 0) {
            keeper->status = status;
            keeper->pid = 0;
        } else if (pid < 0) {
            end_hear(keeper->sid);
        }
        if (keeper->pid > 0)
            nanosleep(&moment, NULL);
    }
    return keeper->pid == 0 && WIFSIGNALED(keeper->status) && WTERMSIG(keeper->status) == SIGKILL;
}

static void keeper_unlink(const struct keeper *keeper)
{
    struct keeper **at = &keeper_list;

    while (*at != keeper)
        at = &(*at)->next;
    *at = keeper->next;
    keeper_count--;
}

static void keeper_free(struct keeper *keeper)
{
    registry_forget_keeper(keeper);
    keeper_unlink(keeper);
    free(keeper);
}

/* It has gone; if nobody has told it to, that may be news for the parent. */
static void death_tell(struct keeper *keeper)
{
    if (!keeper->dismissed && was_killed(keeper))
        keeper_signal_guess(keeper, SIGKILL);
    keeper->dismissed = true;
}

void keeper_lost(struct keeper *keeper)
{
    if (keeper->leaving || keeper->dismissed)
        return;
    while (keeper->channel >= 0)
        keeper_read(keeper);
    death_tell(keeper);
}

static void leave_ask(const struct keeper *keeper)
{
    const struct errand errand = { .kind = ERRAND_LEAVE };

    errand_send(keeper->channel, &errand, NULL, 0);
}

/* Everything the keeper said before it left counts. */
static void keeper_end(struct keeper *keeper)
{
    if (keeper->channel < 0)
        death_tell(keeper);
    keeper->dismissed = true;
    if (keeper->channel >= 0)
        leave_ask(keeper);
    while (keeper->channel >= 0)
        keeper_read(keeper);
    if (keeper->pid > 0) {
        /* It is on its way out, unless somebody stopped it there. */
        kill(keeper->pid, SIGKILL);
        keeper_wait(keeper->pid, keeper->sid);
    }
    keeper_free(keeper);
}

/* Nobody waits for that: it is gone when its end has been heard (keeper_reaped()). */
static void keeper_leave(struct keeper *keeper)
{
    keeper->dismissed = keeper->leaving = true;
    keeper->until = 0;
    leave_ask(keeper);
}

/* Who would tell of it may be gone as well. */
static bool has_left(const struct keeper *keeper)
{
    return keeper->leaving && keeper->channel < 0 &&
           (keeper->pid == 0 || (!keeper_find(keeper->sid) && kill(keeper->pid, 0) < 0));
}

static bool is_member(const struct keeper *keeper, pid_t sid)
{
    return keeper->sid == sid && keeper->number != sid;
}

/* Without it nobody could get its number again, as that would still name the session. */
static bool is_leading(const struct keeper *keeper, unsigned users)
{
    const struct keeper *other = keeper_list;

    if (keeper->number != keeper->sid)
        return false;
    while (other && (!is_member(other, keeper->sid) || other->leaving || other->users < users))
        other = other->next;
    return other != NULL;
}

/* By processes that are there. */
static bool is_in_use(const struct keeper *keeper)
{
    return keeper->users > 0 || is_leading(keeper, 1);
}

bool keeper_is_needed(pid_t pid)
{
    const struct keeper *keeper = keeper_find(pid);

    return keeper && is_in_use(keeper);
}

bool keeper_is_outlived(const struct keeper *keeper, pid_t sid)
{
    return sid > 1 && keeper->sid != sid && !is_in_use(keeper);
}

/* Those that only stay would keep the number in use as the session's. */
static void members_end(pid_t sid)
{
    struct keeper *keeper = keeper_list;

    while (keeper && (!is_member(keeper, sid) || keeper->users > 0))
        keeper = keeper->next;
    if (!keeper)
        return;
    keeper_end(keeper);
    members_end(sid);
}

void keeper_dismiss(pid_t ppid)
{
    members_end(ppid);
    for (struct keeper **at = &keeper_list; *at; at = &(*at)->next) {
        struct keeper *keeper = *at;

        if (keeper->pid != ppid)
            continue;
        keeper_end(keeper);
        return;
    }
}

/*
 * That of a session or a group stays for a moment, as its shell may have the next command. A leader
 * is the last one of its session to go.
 */
static bool is_wanted(struct keeper *keeper, int64_t now)
{
    bool used = is_in_use(keeper);
    bool stays = keeper->number == keeper->sid || keeper->childless;

    if (used || keeper->channel < 0 || !stays) {
        keeper->until = 0;
        return used;
    }
    if (keeper->until == 0)
        keeper->until = now + LINGER_MS;
    return now < keeper->until || is_leading(keeper, 0);
}

void keepers_forsake(void)
{
    for (struct keeper *keeper = keeper_list; keeper; keeper = keeper->next)
        keeper->dismissed = true;
}

/* Its end has woken nobody: a launch has its leader do something before long, as a rule. */
static int64_t remains_look(struct keeper *keeper, int64_t now)
{
    if (keeper->until != 0 && now >= keeper->until)
        end_hear(keeper->sid);
    if (keeper->pid == 0)
        return now;
    if (now >= keeper->until)
        keeper->until = now + REMAINS_MS;
    return keeper->until;
}

/* When something is to be done next, if nothing happens; NEVER also when it is gone. */
static int64_t keeper_look(struct keeper *keeper, int64_t now)
{
    if (has_left(keeper))
        keeper_free(keeper);
    else if (keeper->leaving)
        return keeper->channel < 0 ? remains_look(keeper, now) : NEVER;
    else if (keeper->channel < 0)
        keeper_end(keeper);
    else if (!is_wanted(keeper, now))
        keeper_leave(keeper);
    else if (keeper->until > now)
        return keeper->until;
    return NEVER;
}

int keeper_tidy(void)
{
    struct keeper *keeper = keeper_list, *next, *eldest = NULL;
    int64_t now = now_ms(), soon = NEVER;
    unsigned staying = 0;

    for (; keeper; keeper = next) {
        int64_t due;

        next = keeper->next;
        due = keeper_look(keeper, now);
        soon = due < soon ? due : soon;
        if (due == NEVER || keeper->leaving)
            continue;
        staying++;
        if (!eldest || due < eldest->until)
            eldest = keeper;
    }
    if (staying > LINGER_MOST) {
        keeper_leave(eldest);
        return 0;
    }
    return soon == NEVER ? -1 : (int)(soon - now) + 1;
}
