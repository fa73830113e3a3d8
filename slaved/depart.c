/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/queue.h>

#include "moves/move.h"
#include "moves/task.h"
#include "slaved/depart.h"
#include "slaved/ghost.h"
#include "slaved/link.h"
#include "slaved/proctable.h"
#include "slaved/space.h"

#define ORIGIN_MS 5
#define ORIGIN_WAITS 1000

/* What the master is told of a move. */
struct leave {
    LIST_ENTRY(leave) entry;
    struct move *move;
    uint32_t serial;            /* of the call under way; 0 */
    struct event *on_wait;      /* for the origin's own transfer to be over */
    unsigned waits;
    int ghost;                  /* one is to stay here */
};

static LIST_HEAD(, leave) leaves = LIST_HEAD_INITIALIZER(leaves);
static struct event_base *leave_base;
static uint32_t last_serial;

/* ---- who it is ---- */

static int task_find(const struct caller *caller, int number, pid_t *task, pid_t *space, char *text,
                     size_t len)
{
    pid_t list[BPROC_MAX_CHILDREN];
    int count;

    *space = space_of(caller->pid);
    if (!*space) {
        snprintf(text, len, "BProc did not start process %d: on a node only what bpsh or the like "
                 "has started can start others elsewhere", caller->pid);
        return EOPNOTSUPP;
    }
    *task = caller->pid;
    if (task_number(caller->pid) == number)
        return 0;
    count = task_children(caller->pid, list, BPROC_MAX_CHILDREN);
    for (int i = 0; i < count && i < BPROC_MAX_CHILDREN; i++) {
        *task = list[i];
        if (task_number(list[i]) == number)
            return 0;
    }
    snprintf(text, len, "process %d is no child of process %d", number, caller->pid);
    return ESRCH;
}

/* The nearest of it and its ancestors that the master has sent here. */
static int origin_find(pid_t task, int *counts)
{
    static struct task look;

    *counts = 1;
    while (task > 0 && task_read(task, &look) == 0 && look.number > 1) {
        if (proc_is_here(look.number, counts))
            return look.number;
        task = look.ppid;
    }
    return 0;
}

/* ---- what the master is asked ---- */

static struct leave *leave_new(struct move *move)
{
    struct leave *leave = calloc(1, sizeof(*leave));

    if (!leave)
        return NULL;
    leave->move = move;
    leave->ghost = move->kind == MOVE_RFORK ||
                   (move->kind != MOVE_DUMP && ghost_is_needed(move->task, move->dump_task));
    LIST_INSERT_HEAD(&leaves, leave, entry);
    move->owner = leave;
    return leave;
}

static void leave_free(struct leave *leave)
{
    if (leave->on_wait)
        event_free(leave->on_wait);
    LIST_REMOVE(leave, entry);
    leave->move->owner = NULL;
    free(leave);
}

static int master_call(struct leave *leave, bproc_proc proc, xdrproc_t encode, const void *arg)
{
    leave->serial = ++last_serial ? last_serial : ++last_serial;
    return link_call(proc, leave->serial, encode, arg);
}

static void master_tell(bproc_proc proc, int pid)
{
    pid_msg msg = { .pid = pid };

    link_event(proc, FRAME_XDR(pid_msg), &msg);
}

static void allow_ask(struct move *move, int origin)
{
    char args[BPROC_MAX_TEXT];
    depart_arg arg = { .kind = move->kind, .node = move->node, .flags = move->flags,
                       .who = { .id = { move->pid, move->pgid, move->sid },
                                .ppid = move->ppid, .uid = move->uid, .gid = move->gid,
                                .args = { 0, args } },
                       .origin = origin, .ghost = ((struct leave *)move->owner)->ghost,
                       .groups = { move->ngroups, move->groups },
                       .children = { move->nchildren, move->children } };
    int error;

    arg.who.args.args_len = task_words(move->task, args, sizeof(args));
    error = master_call(move->owner, P_DEPART_ALLOW, FRAME_XDR(depart_arg), &arg);
    if (error == -ENOTCONN)
        move_fail(move, EBUSY, "this node has no connection to its master");
    else if (error)
        move_fail(move, -error, "cannot ask the master: %s", strerror(-error));
}

/*
 * A program that was executed here may run some milliseconds before the master counts it, and one
 * that came out of a file before who undumped it has ended.
 */
static void origin_due(evutil_socket_t fd, short what, void *arg)
{
    struct timeval pause = { 0, ORIGIN_MS * 1000 };
    struct leave *leave = arg;
    int counts, origin = origin_find(leave->move->task, &counts);

    (void)fd;
    (void)what;
    if ((counts && !move_is_early(leave->move)) || leave->waits++ >= ORIGIN_WAITS)
        allow_ask(leave->move, origin);
    else
        event_add(leave->on_wait, &pause);
}

static void move_allow(struct move *move)
{
    struct leave *leave;

    leave = leave_new(move);
    if (leave)
        leave->on_wait = evtimer_new(leave_base, origin_due, leave);
    if (!leave || !leave->on_wait)
        move_fail(move, ENOMEM, "out of memory");
    else
        origin_due(-1, 0, leave);
}

static void move_enter(struct move *move)
{
    const struct leave *leave = move->owner;
    pid_msg msg = { .pid = move->pid };
    int error;

    /* Now: the master may tell of its end before the mover tells that it runs. */
    if (leave->ghost)
        ghost_expect(move->pid);
    error = master_call(move->owner, P_DEPART_READY, FRAME_XDR(pid_msg), &msg);
    if (error)
        move_fail(move, EIO, "cannot tell the master: %s", strerror(-error));
}

/* The ghosts of its children are where it is now. */
static void children_dismiss(const struct move *move)
{
    for (unsigned i = 0; i < move->nchildren; i++)
        ghost_dismiss(move->children[i]);
}

static int move_committed(struct move *move)
{
    const struct leave *leave = move->owner;

    children_dismiss(move);
    if (move->kind == MOVE_UNDUMP ? proc_become(move->pid, move->channel)
                                  : move->kind != MOVE_RFORK &&
                                    proc_leave(move->pid, move->channel))
        move->channel = NULL;
    return leave->ghost;
}

static int move_ghost(struct move *move, struct conn *gate, int pidfd)
{
    return ghost_start(move->pid, move->task, gate, pidfd);
}

static void move_signal(struct move *move, signal_msg *msg)
{
    msg->pid = move->pid;
    link_event(P_SIGNAL_FROM, FRAME_XDR(signal_msg), msg);
}

/* Nobody else can tell of a parent that was born here and that the master has not heard of. */
static void done_tell(const struct move *move)
{
    pid_t parent = task_parent(move->task);
    departed_msg msg = { .pid = move->pid };

    msg.orphan = parent > 0 ? parent != move->parent : kill(move->parent, 0) < 0;
    link_event(P_DEPART_DONE, FRAME_XDR(departed_msg), &msg);
}

static void move_done(struct move *move, int64_t usec)
{
    (void)usec;
    done_tell(move);
    leave_free(move->owner);
}

/* What was to be the ghost was killed: that is for the process, which runs. */
static void ghost_missed(struct move *move)
{
    signal_msg kill = { .signo = SIGKILL };

    move_signal(move, &kill);
    master_tell(P_GHOST_GONE, move->pid);
    done_tell(move);
}

static void move_undo(struct move *move, int error, const char *text)
{
    failed_msg msg = { .pid = move->pid, .error = error, .text = (char *)(uintptr_t)text };

    if (!move->owner)
        return;
    if (move->phase == MOVE_GATE)
        ghost_missed(move);
    ghost_forget(move->pid);
    proc_unhold(move->pid);
    proc_stay(move->pid);
    if (move->phase != MOVE_GATE)
        link_event(P_DEPART_FAILED, FRAME_XDR(failed_msg), &msg);
    leave_free(move->owner);
}

static const struct move_ops ops = { .find = task_find, .allow = move_allow, .enter = move_enter,
                                     .committed = move_committed, .ghost = move_ghost,
                                     .signal = move_signal, .done = move_done, .undo = move_undo };

int depart_start(struct event_base *base, const struct mover_settings *settings, char *text,
                 size_t len)
{
    leave_base = base;
    moves_init(base, &ops);
    return mover_start(base, settings, text, len);
}

void depart_stop(void)
{
    moves_stop();
    mover_stop();
}

/* ---- what it answers ---- */

static struct leave *leave_find(uint32_t serial)
{
    struct leave *leave;

    LIST_FOREACH(leave, &leaves, entry)
        if (leave->serial == serial)
            break;
    return leave;
}

static void refusal_take(struct move *move, const struct frame_header *header, const uint8_t *body)
{
    error_ret ret;

    if (header->body_len == 0 || conn_decode(error_ret, header, body, &ret) < 0) {
        move_fail(move, header->status, "the master refuses");
        return;
    }
    move_fail(move, header->status, "%s", ret.text);
    frame_free(FRAME_XDR(error_ret), &ret, sizeof(ret));
}

/* Of a dump the master hears no more. */
static void answered_go(struct leave *leave, const struct move_place *place)
{
    struct move *move = leave->move;

    if (move->kind == MOVE_DUMP)
        leave_free(leave);
    move_start(move, place);
}

static int answer_take(const struct frame_header *header, const uint8_t *body)
{
    struct leave *leave = leave_find(header->serial);
    struct move_place place;
    depart_ret ret;

    /* The move may have failed meanwhile. */
    if (!leave || header->serial == 0)
        return 0;
    leave->serial = 0;
    if (header->status > 0) {
        refusal_take(leave->move, header, body);
        return 0;
    }
    if (header->proc == P_DEPART_READY) {
        move_commit(leave->move);
        return 0;
    }
    if (conn_decode(depart_ret, header, body, &ret) < 0)
        return -EPROTO;
    place = (struct move_place){ .to = ret.to, .flags = ret.flags,
                                 .node_is_up = ret.node_is_up, .io_direct = ret.io_direct,
                                 .ping_timeout = ret.ping_timeout,
                                 .ticket = ret.ticket, .libraries = ret.libraries };
    answered_go(leave, &place);
    frame_free(FRAME_XDR(depart_ret), &ret, sizeof(ret));
    return 0;
}

/*
 * It was to run where it is lost now, and we have let go of it: to the master it is back here, as
 * he has not heard that it ran.
 */
static void lost_take(int pid)
{
    status_msg msg = { .pid = pid, .status = SIGKILL };

    ghost_end(pid, SIGKILL);
    if (!proc_is_known(pid))
        link_event(P_EXITED, FRAME_XDR(status_msg), &msg);
}

int depart_message(const struct frame_header *header, const uint8_t *body)
{
    struct move *move;
    failed_msg msg;

    if (header->proc != P_DEPART_FAILED)
        return header->kind == K_REPLY ? answer_take(header, body) : -EPROTO;
    if (conn_decode(failed_msg, header, body, &msg) < 0)
        return -EPROTO;
    move = move_find(msg.pid);
    if (move && move->phase < MOVE_GATE)
        move_fail(move, msg.error > 0 ? msg.error : EIO, "%s", msg.text);
    else
        lost_take(msg.pid);
    frame_free(FRAME_XDR(failed_msg), &msg, sizeof(msg));
    return 0;
}

void depart_link_down(void)
{
    struct leave *leave, *next;

    for (leave = LIST_FIRST(&leaves); leave; leave = next) {
        next = LIST_NEXT(leave, entry);
        if (leave->serial)
            move_fail(leave->move, EIO, "the master went away");
    }
}
