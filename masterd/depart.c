/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/bproc.h>

#include "common/criuprobe.h"
#include "common/fault.h"
#include "common/log.h"
#include "masterd/depart.h"
#include "masterd/ghost.h"
#include "masterd/heartbeat.h"
#include "masterd/libraries.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodeghost.h"
#include "masterd/proctable.h"
#include "masterd/rights.h"
#include "masterd/stats.h"
#include "moves/mover.h"
#include "moves/task.h"

static char tls_dir[PATH_MAX + 8];
static char criu_path[PATH_MAX];
static char criu_missing[300];
static struct mover_settings settings = { .tls_dir = tls_dir, .criu = criu_path };
static struct log_limit depart_limit;

int depart_check_node(const struct caller *caller, int number, struct node **node, char *text,
                      size_t len)
{
    *node = NULL;
    if (number == caller->node || number == BPROC_NODE_SELF)
        return 0;
    *node = node_at(number);
    if (!*node) {
        snprintf(text, len, "there is no node %d", number);
        return BE_INVALIDNODE;
    }
    if (!(*node)->link) {
        snprintf(text, len, "node %d is not connected", number);
        return BE_NODEDOWN;
    }
    /* Everybody may come to the master. */
    if (number != BPROC_NODE_MASTER && caller_may_use(caller, *node) < 0) {
        snprintf(text, len, "node %d does not let uid %u in", number, (unsigned)caller->uid);
        return EPERM;
    }
    return 0;
}

int depart_flags(int flags, const struct node *node)
{
    if (flags != -1)
        return flags;
    return BPROC_DUMP_EXEC | BPROC_DUMP_OTHER |
           (node && node->state != NODE_UP ? BPROC_DUMP_LIBS : 0);
}

static int needs_criu(move_kind kind)
{
    return kind == MOVE_RFORK || kind == MOVE_MOVE || kind == MOVE_DUMP || kind == MOVE_UNDUMP;
}

/* What comes out of a file lives with those that came home. */
static int undump_place(struct node **node, char *text, size_t len)
{
    *node = node_at(BPROC_NODE_MASTER);
    if ((*node)->link)
        return 0;
    snprintf(text, len, "the master's own slave is not connected");
    return BE_NODEDOWN;
}

int depart_ask(const struct caller *caller, const move_ask_arg *arg, move_ask_ret *ret, char *text,
               size_t len)
{
    struct node *node;
    int error = depart_check_node(caller, arg->node, &node, text, len);

    /* A node's slave has looked for its own. */
    if (!error && (node || arg->kind >= MOVE_DUMP) && caller->node == BPROC_NODE_MASTER &&
        needs_criu(arg->kind) && mover_criu_missing()) {
        error = ENOSYS;
        snprintf(text, len, "no usable CRIU here: %s", mover_criu_missing());
        log_limited(&depart_limit, 60, "rfork to node %d refused: %s", arg->node, text);
    }
    if (error)
        return error;
    ret->node = node ? node->number : caller->node;
    ret->same = node == NULL;
    ret->flags = depart_flags(arg->flags, node);
    if (FAULT(FAULT_MASTERD_ASKED) == 0)
        return 0;
    snprintf(text, len, "fault on purpose");
    return EIO;
}

/* ---- the operations of a move ---- */

static int task_find(const struct caller *caller, int number, pid_t *task, pid_t *space, char *text,
                     size_t len)
{
    (void)caller;
    (void)text;
    (void)len;
    *task = number;
    *space = 0;
    return 0;
}

static void move_allow(struct move *move)
{
    struct caller caller = { .pid = move->task, .uid = move->uid, .gid = move->gid,
                             .groups = move->groups, .ngroups = move->ngroups,
                             .node = BPROC_NODE_MASTER };
    struct move_place place = { .io_direct = (unsigned)master.conf->io_direct,
                                .ping_timeout = (unsigned)master.conf->ping_timeout,
                                .libraries = *libraries_list() };
    struct node *node;
    char text[200];
    int error = move->kind == MOVE_UNDUMP
                    ? undump_place(&node, text, sizeof(text))
                    : depart_check_node(&caller, move->node, &node, text, sizeof(text));

    if (!error && move->kind == MOVE_DUMP) {
        place.flags = depart_flags(move->flags, NULL);
        move_start(move, &place);
        return;
    }
    if (!error && !node) {
        snprintf(text, sizeof(text), "the process is on that node already");
        error = BE_SAMENODE;
    }
    if (error) {
        move_fail(move, error, "%s", text);
        return;
    }
    move->node = node->number;
    place.to = (node_place){ .node = node->number, .addr = node->addr,
                             .data_port = node->data_port, .instance = node->instance };
    place.flags = depart_flags(move->flags, node);
    place.node_is_up = node->state == NODE_UP;
    move_start(move, &place);
}

static int children_stand(const struct move *move)
{
    int error = 0;

    for (unsigned i = 0; !error && i < move->nchildren; i++)
        error = nodeghost_add(move->children[i], move->node, move->pid, BPROC_NODE_MASTER);
    return error;
}

static int process_enter(struct move *move)
{
    struct rights *rights = rights_new(move->uid, move->gid, move->groups, move->ngroups,
                                       &move->least, move->task, move->parent);

    if (!rights)
        return -ENOMEM;
    move->owner = proc_new(move->pid, move->node);
    if (move->owner)
        proc_describe(move->owner, move->ppid, rights);
    rights_release(rights);
    return move->owner ? 0 : -errno;
}

static void move_enter(struct move *move)
{
    int error = children_stand(move);

    if (!error)
        error = process_enter(move);
    if (!error)
        move_commit(move);
    else if (error == -EEXIST)
        move_fail(move, BPROC_PID_TAKEN, "an older process still has number %d on node %d",
                  move->pid, move->node);
    else
        move_fail(move, -error, "cannot enter the process: %s", strerror(-error));
}

static int move_committed(struct move *move)
{
    (void)move;
    return 1;
}

static int move_ghost(struct move *move, struct conn *gate, int pidfd)
{
    return ghost_start(gate, pidfd, move->pid, move->ppid, move->node);
}

static void move_done(struct move *move, int64_t usec)
{
    ghost_claim(move->owner, move->pid, move->node);
    stats_moved((uint64_t)usec);
}

static int move_is_silent(const struct move *move)
{
    const struct node *node = node_at(move->node);

    return node && node->link && heartbeat_is_awaited(node->link);
}

/* What was refused was not sent, and the library tries again what could not have its number. */
static int is_failure(const struct move *move, int error)
{
    return move->phase != MOVE_ASKING && move->kind != MOVE_DUMP && error != BPROC_PID_TAKEN &&
           error != BPROC_IMAGE_LOST;
}

static void move_undo(struct move *move, int error, const char *text)
{
    (void)text;
    if (is_failure(move, error))
        stats_failed();
    for (unsigned i = 0; i < move->nchildren; i++)
        nodeghost_remove(move->children[i], move->node);
    if (move->owner)
        proc_drop(move->owner);
    else if (move->runs)
        link_kill(node_at(move->node), move->pid);
}

static const struct move_ops ops = { .vectors = 1, .hears = 1, .find = task_find,
                                     .allow = move_allow, .enter = move_enter,
                                     .committed = move_committed, .ghost = move_ghost,
                                     .done = move_done, .sent = stats_sent,
                                     .is_silent = move_is_silent, .undo = move_undo };

/* ---- start ---- */

/* Without a CRIU programs can still be executed on nodes: the master runs on, and says so. */
static void criu_choose(void)
{
    if (criuprobe_find(master.conf->criu, criu_path, sizeof(criu_path), criu_missing,
                       sizeof(criu_missing)) < 0) {
        log_warnx("no process can be forked onto nodes: %s", criu_missing);
        snprintf(criu_path, sizeof(criu_path), "criu");
        settings.criu_missing = criu_missing;
        return;
    }
    if (!criuprobe_cache_works())
        log_warnx("/run is no tmpfs: each transfer takes some 40 ms longer");
}

int depart_start(char *text, size_t len)
{
    static char run_dir[PATH_MAX];

    snprintf(tls_dir, sizeof(tls_dir), "%s/tls", master.conf->state_dir);
    snprintf(run_dir, sizeof(run_dir), "%s", master.conf->run_dir);
    settings.run_dir = run_dir;
    criu_choose();
    moves_init(master.base, &ops);
    return mover_start(master.base, &settings, text, len);
}

void depart_stop(void)
{
    moves_stop();
    mover_stop();
}
