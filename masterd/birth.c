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
#include "masterd/pids.h"
#include "masterd/proctable.h"

#define ATTEMPTS 20
#define FORK_MS 100             /* for the parent's ghost to fork */
#define PARENT_MS 20            /* between two looks at a parent that has no ghost yet */
#define STOPPED_MS 500          /* the same, at one that is stopped */
#define GHOST_SECONDS 5         /* for the forked ghost to connect */

struct birth {
    TAILQ_ENTRY(birth) entry;
    born_msg born;
    int node;
    unsigned attempts;
    int64_t due;
};

static TAILQ_HEAD(, birth) births = TAILQ_HEAD_INITIALIZER(births);
static struct event *on_turn;
static struct birth *current;   /* the fork is under way; not in the list */
static pid_t last_before;       /* the number to go on with after it */
static unsigned last_uid;
static struct log_limit birth_limit;

static void birth_free(struct birth *birth)
{
    free(birth->born.args.args_val);
    free(birth);
}

static void turn_at(int64_t due)
{
    int64_t ms = due - master_now();
    struct timeval wait = { ms > 0 ? ms / 1000 : 0, ms > 0 ? ms % 1000 * 1000 : 0 };

    event_add(on_turn, &wait);
}

static struct proc *birth_proc(const struct birth *birth)
{
    return proc_find(birth->born.id.pid, birth->node);
}

static void birth_give_up(struct birth *birth, const char *why)
{
    struct proc *proc = birth_proc(birth);

    log_limited(&birth_limit, 10, "process %d on node %d has no ghost: %s", birth->born.id.pid,
                birth->node, why);
    if (proc)
        proc_unexpect(proc);
    birth_free(birth);
}

static void birth_later(struct birth *birth, int ms)
{
    birth->due = master_now() + ms;
    TAILQ_INSERT_TAIL(&births, birth, entry);
}

static void birth_failed(struct birth *birth, int error)
{
    if (++birth->attempts >= ATTEMPTS)
        birth_give_up(birth, strerror(error));
    else
        birth_later(birth, (int)birth->attempts);
}

/* ---- the fork ---- */

static void fork_over(int error)
{
    struct birth *birth = current;
    struct proc *proc = birth_proc(birth);

    current = NULL;
    pids_last_set(last_before);
    if (error) {
        birth_failed(birth, error);
    } else {
        if (proc)
            proc_expect(proc, GHOST_SECONDS);
        birth_free(birth);
    }
    turn_at(master_now());
}

void birth_forked(int pid, int error)
{
    if (current && current->born.id.pid == pid)
        fork_over(error);
}

static void fork_begin(struct birth *birth, struct ghost *parent)
{
    ghost_fork_arg arg = { .pid = birth->born.id.pid, .node = birth->node,
                           .args = { birth->born.args.args_len, birth->born.args.args_val } };
    int error = pids_last_get(&last_before);

    current = birth;
    turn_at(master_now() + FORK_MS);
    last_uid = birth->born.uid;
    /* First the word: it takes longer to be heard than the number to be set. */
    if (!error)
        error = ghost_tell_fork(parent, &arg);
    if (!error)
        error = pids_last_set(birth->born.id.pid - 1);
    if (error)
        fork_over(-error);
}

static int parent_is_coming(int ppid)
{
    const struct birth *birth;

    TAILQ_FOREACH(birth, &births, entry)
        if (birth->born.id.pid == ppid)
            return 1;
    return 0;
}

static void orphan_fork(struct birth *birth)
{
    struct proc *proc = birth_proc(birth);
    int error = ghostfork_orphan(&birth->born, birth->node);

    last_uid = birth->born.uid;
    if (error) {
        birth_failed(birth, -error);
        return;
    }
    proc_expect(proc, GHOST_SECONDS);
    birth_free(birth);
}

/* ---- turns ---- */

static void birth_try(struct birth *birth)
{
    int pid = birth->born.id.pid;
    struct proc *proc = birth_proc(birth);
    struct ghost *parent = ghost_of(birth->born.ppid);

    if (!proc || proc_is_over(proc)) {
        if (proc)
            proc_unexpect(proc);
        birth_free(birth);
    } else if (kill(pid, 0) == 0 || errno != ESRCH) {
        birth_give_up(birth, "its number is taken on the master");
    } else if (!parent && parent_is_coming(birth->born.ppid)) {
        birth_later(birth, PARENT_MS);
    } else if (parent && ghost_is_stopped(parent)) {
        birth_later(birth, STOPPED_MS);
    } else if (parent) {
        fork_begin(birth, parent);
    } else {
        orphan_fork(birth);
    }
}

static struct birth *birth_next(void)
{
    int64_t now = master_now();
    struct birth *birth, *same = NULL;

    TAILQ_FOREACH(birth, &births, entry) {
        if (birth->due > now)
            continue;
        if (birth->born.uid != last_uid)
            return birth;
        if (!same)
            same = birth;
    }
    return same;
}

static int64_t due_first(void)
{
    const struct birth *birth;
    int64_t first = INT64_MAX;

    TAILQ_FOREACH(birth, &births, entry)
        if (birth->due < first)
            first = birth->due;
    return first;
}

static void turn_come(evutil_socket_t fd, short what, void *arg)
{
    struct birth *birth;

    (void)fd;
    (void)what;
    (void)arg;
    if (current) {
        fork_over(ETIMEDOUT);
        return;
    }
    birth = birth_next();
    if (birth) {
        TAILQ_REMOVE(&births, birth, entry);
        birth_try(birth);
    }
    if (!current && !TAILQ_EMPTY(&births))
        turn_at(due_first());
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
    birth_later(birth, 0);
    if (!current)
        turn_at(master_now());
    return 0;
}

int birth_start(void)
{
    on_turn = event_new(master.base, -1, 0, turn_come, NULL);
    return on_turn ? 0 : -ENOMEM;
}

void birth_stop(void)
{
    struct birth *birth;

    if (current)
        pids_last_set(last_before);
    if (current)
        birth_free(current);
    while ((birth = TAILQ_FIRST(&births)) != NULL) {
        TAILQ_REMOVE(&births, birth, entry);
        birth_free(birth);
    }
    if (on_turn)
        event_free(on_turn);
    on_turn = NULL;
    current = NULL;
}
