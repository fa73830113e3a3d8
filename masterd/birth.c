/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <event2/event.h>

#include "common/log.h"
#include "masterd/birth.h"
#include "masterd/ghost.h"
#include "masterd/ghostfork.h"
#include "masterd/master.h"
#include "masterd/proctable.h"
#include "masterd/rights.h"
#include "moves/task.h"

#define AT_ONCE 8
#define PARENT_MS 20            /* between two looks at a parent that has no ghost yet */
#define STOPPED_MS 500          /* the same, at one that is stopped */
#define FORK_MS 5000            /* for the parent's ghost to see to it */
#define LEFT_MS 200             /* for what it had begun when it ended */
#define GHOST_SECONDS 5         /* for the forked ghost to connect */
#define TAKEN_MS 2000           /* for who had the number before to be gone */

struct birth {
    TAILQ_ENTRY(birth) entry;
    born_msg born;
    int node;
    int told;                   /* the parent's ghost was told, until `due` */
    int64_t due;
    int64_t taken;              /* when its number was first found taken; 0: was not */
};

static TAILQ_HEAD(, birth) births = TAILQ_HEAD_INITIALIZER(births);
static struct event *on_turn;
static unsigned told_count;
static unsigned last_uid;
static struct log_limit birth_limit;

static void turn_at(int64_t due)
{
    int64_t ms = due - master_now();
    struct timeval wait = { ms > 0 ? ms / 1000 : 0, ms > 0 ? ms % 1000 * 1000 : 0 };

    event_add(on_turn, &wait);
}

static void told_set(struct birth *birth, int told)
{
    told_count += (unsigned)(told - birth->told);
    birth->told = told;
}

static void birth_free(struct birth *birth)
{
    TAILQ_REMOVE(&births, birth, entry);
    told_set(birth, 0);
    free(birth->born.args.args_val);
    free(birth);
}

static struct proc *birth_proc(const struct birth *birth)
{
    return proc_find(birth->born.id.pid, birth->node);
}

static void birth_give_up(struct birth *birth, int error)
{
    struct proc *proc = birth_proc(birth);

    if (proc && !proc_is_over(proc))
        log_limited(&birth_limit, 10, "process %d on node %d has no ghost: %s",
                    birth->born.id.pid, birth->node,
                    error == EEXIST ? "its number is taken on the master" : strerror(error));
    birth_free(birth);
    if (proc)
        proc_unexpect(proc);
}

static void birth_done(struct birth *birth)
{
    struct proc *proc = birth_proc(birth);

    if (proc && proc_awaits_ghost(proc)) {
        proc_ghost_made(proc);
        proc_expect(proc, GHOST_SECONDS);
    }
    birth_free(birth);
}

/* To the end of the queue: others come first. */
static void birth_later(struct birth *birth, int ms)
{
    told_set(birth, 0);
    birth->due = master_now() + ms;
    TAILQ_REMOVE(&births, birth, entry);
    TAILQ_INSERT_TAIL(&births, birth, entry);
}

/* Mostly by the ghost of an earlier process, whose parent has not waited for it yet. */
static void birth_taken(struct birth *birth)
{
    ghost_make_way(birth->born.id.pid);
    if (!birth->taken)
        birth->taken = master_now();
    if (master_now() - birth->taken < TAKEN_MS)
        birth_later(birth, PARENT_MS);
    else
        birth_give_up(birth, EEXIST);
}

/* Whose it is the node alone does not say. */
static void orphan_fork(struct birth *birth)
{
    struct proc *proc = birth_proc(birth);
    struct rights *rights = proc ? proc_rights(proc) : NULL;
    int error = !rights || rights_limit(rights, &birth->born.uid, &birth->born.gid) < 0
                    ? -EPERM
                    : ghostfork_orphan(&birth->born, birth->node, rights);

    if (error == -EEXIST)
        birth_taken(birth);
    else if (error)
        birth_give_up(birth, -error);
    else
        birth_done(birth);
}

static struct birth *birth_of(int pid)
{
    struct birth *birth;

    TAILQ_FOREACH(birth, &births, entry)
        if (birth->born.id.pid == pid)
            return birth;
    return NULL;
}

static struct birth *birth_at(int pid, int node)
{
    struct birth *birth;

    TAILQ_FOREACH(birth, &births, entry)
        if (birth->born.id.pid == pid && birth->node == node)
            return birth;
    return NULL;
}

void birth_forget(int pid, int node)
{
    struct birth *birth = birth_at(pid, node);

    if (birth)
        birth_free(birth);
}

void birth_move(int pid, int node, int to)
{
    struct birth *birth = birth_at(pid, node);

    if (birth)
        birth->node = to;
}

/* ---- the parent's ghost ---- */

static void parent_tell(struct birth *birth, struct ghost *parent)
{
    if (ghost_tell_fork(parent, birth->born.id.pid) < 0) {
        birth_later(birth, PARENT_MS);
        return;
    }
    told_set(birth, 1);
    birth->due = master_now() + FORK_MS;
    proc_ghost_made(birth_proc(birth));
}

int birth_find(pid_t helper, int pid, ghost_fork_arg *arg)
{
    struct birth *birth = birth_of(pid);
    struct task task;

    if (!birth || !birth->told || task_read(helper, &task) < 0 || task.ppid != birth->born.ppid)
        return -EPERM;
    arg->node = birth->node;
    arg->args.args_len = birth->born.args.args_len;
    arg->args.args_val = birth->born.args.args_val;
    return 0;
}

/* A ghost that may not gain rights, or whose user has too many processes, cannot see to it. */
void birth_forked(int parent, int pid, int error)
{
    struct birth *birth = birth_of(pid);

    if (!birth || !birth->told || birth->born.ppid != parent)
        return;
    if (error == 0)
        birth_done(birth);
    else if (error == EEXIST)
        birth_taken(birth);
    else
        orphan_fork(birth);
    turn_at(master_now());
}

/* ---- turns ---- */

/* The first that is due, if possible another user's than the last one. */
static struct birth *birth_next(void)
{
    int64_t now = master_now();
    struct birth *birth, *same = NULL;

    TAILQ_FOREACH(birth, &births, entry) {
        if (birth->due > now || birth->told)
            continue;
        if (birth->born.uid != last_uid)
            return birth;
        if (!same)
            same = birth;
    }
    return same;
}

/* Whoever was told and did nothing may have been stopped meanwhile. */
static int64_t late_again(void)
{
    int64_t now = master_now(), first = INT64_MAX;
    struct birth *birth, *next;

    for (birth = TAILQ_FIRST(&births); birth; birth = next) {
        next = TAILQ_NEXT(birth, entry);
        if (birth->told && birth->due <= now)
            birth_later(birth, 0);
        if ((birth->told || told_count < AT_ONCE) && birth->due < first)
            first = birth->due;
    }
    return first;
}

void birth_parent_gone(int parent)
{
    int64_t due = master_now() + LEFT_MS;
    struct birth *birth;
    int found = 0;

    TAILQ_FOREACH(birth, &births, entry) {
        if (!birth->told || birth->born.ppid != parent || birth->due <= due)
            continue;
        birth->due = due;
        found = 1;
    }
    if (found)
        turn_at(late_again());
}

static int parent_is_coming(const struct birth *birth)
{
    const struct proc *parent = proc_find(birth->born.ppid, birth->node);

    return birth_of(birth->born.ppid) || (parent && proc_awaits_ghost(parent));
}

static void birth_try(struct birth *birth)
{
    int pid = birth->born.id.pid;
    struct proc *proc = birth_proc(birth);
    struct ghost *parent = ghost_of(birth->born.ppid);

    last_uid = birth->born.uid;
    if (!proc || proc_is_over(proc))
        birth_give_up(birth, ESRCH);
    else if (kill(pid, 0) == 0 || errno != ESRCH)
        birth_taken(birth);
    else if (!parent && parent_is_coming(birth))
        birth_later(birth, PARENT_MS);
    else if (!parent)
        orphan_fork(birth);
    else if (ghost_is_stopped(parent))
        birth_later(birth, STOPPED_MS);
    else
        parent_tell(birth, parent);
}

static void turn_come(evutil_socket_t fd, short what, void *arg)
{
    struct birth *birth;

    (void)fd;
    (void)what;
    (void)arg;
    if (told_count < AT_ONCE && (birth = birth_next()) != NULL)
        birth_try(birth);
    if (!TAILQ_EMPTY(&births))
        turn_at(late_again());
}

int birth_request(const born_msg *born, int node)
{
    struct birth *birth = calloc(1, sizeof(*birth));
    char *args = malloc(born->args.args_len + 1);

    if (!birth || !args) {
        free(birth);
        free(args);
        return -ENOMEM;
    }
    memcpy(args, born->args.args_val, born->args.args_len);
    birth->born = *born;
    birth->born.args.args_val = args;
    birth->node = node;
    birth->due = master_now();
    TAILQ_INSERT_TAIL(&births, birth, entry);
    turn_at(birth->due);
    return 0;
}

int birth_start(void)
{
    on_turn = event_new(master.base, -1, 0, turn_come, NULL);
    return on_turn ? 0 : -ENOMEM;
}

void birth_stop(void)
{
    while (!TAILQ_EMPTY(&births))
        birth_free(TAILQ_FIRST(&births));
    if (on_turn)
        event_free(on_turn);
    on_turn = NULL;
}
