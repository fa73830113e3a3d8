/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>

#include "common/log.h"
#include "masterd/link.h"
#include "masterd/master.h"
#include "masterd/nodeghost.h"
#include "masterd/passage_impl.h"
#include "masterd/proctable.h"
#include "masterd/rights.h"
#include "masterd/stats.h"
#include "moves/move.h"

static LIST_HEAD(, passage) passages = LIST_HEAD_INITIALIZER(passages);
static struct log_limit passage_limit;

unsigned passages_from(int node)
{
    const struct passage *passage;
    unsigned count = 0;

    LIST_FOREACH(passage, &passages, entry)
        count += passage->from == node;
    return count;
}

struct passage *passage_find(int pid, int from)
{
    struct passage *passage;

    LIST_FOREACH(passage, &passages, entry)
        if (passage->pid == pid && passage->from == from)
            break;
    return passage;
}

void passage_insert(struct passage *passage)
{
    LIST_INSERT_HEAD(&passages, passage, entry);
}

static void passage_free(struct passage *passage)
{
    LIST_REMOVE(passage, entry);
    rights_release(passage->rights);
    free(passage->children);
    free(passage);
}

static void ghosts_leave(const struct passage *passage)
{
    if (passage->ghost)
        nodeghost_remove(passage->pid, passage->from);
    for (unsigned i = 0; i < passage->nchildren; i++)
        nodeghost_remove(passage->children[i], passage->to);
}

/* Whether it got to run there nobody knows any more: then it is not to. */
void passage_undo(struct passage *passage)
{
    struct proc *proc = passage->entered ? proc_find(passage->pid, passage->to) : NULL;

    ghosts_leave(passage);
    if (proc && passage->fresh) {
        proc_drop(proc);
    } else if (proc && passage->to != passage->from) {
        link_kill(node_at(passage->to), passage->pid);
        proc_move(proc, passage->from);
    }
    passage_free(passage);
}

/* ---- it waits there ---- */

static int entry_make(struct passage *passage)
{
    struct proc *proc = proc_find(passage->pid, passage->from);

    /* One that was forked on the node need not be known yet. */
    passage->fresh = proc == NULL;
    if (proc)
        return proc_move(proc, passage->to);
    return proctable_passed(node_at(passage->to), &passage->who, passage->rights) ? 0 : -errno;
}

static void ready_take(struct passage *passage, struct conn *conn,
                       const struct frame_header *header)
{
    int error;

    if (!passage || passage->entered) {
        conn_refuse(conn, header, passage ? EALREADY : BE_SLAVEDIED, "%s",
                    passage ? "it was ready before" : "the node was lost");
        return;
    }
    error = entry_make(passage);
    if (error == -EEXIST) {
        conn_refuse(conn, header, BPROC_PID_TAKEN,
                    "an older process still has number %d on node %d", passage->pid, passage->to);
        return;
    }
    if (error) {
        conn_refuse(conn, header, -error, "cannot enter process %d: %s", passage->pid,
                    strerror(-error));
        return;
    }
    passage->entered = 1;
    conn_reply(conn, header, NULL, NULL);
}

/* ---- its end ---- */

static int done_take(const struct node *from, const struct frame_header *header,
                     const uint8_t *body)
{
    struct passage *passage;
    struct proc *proc;
    departed_msg msg;

    if (conn_decode(departed_msg, header, body, &msg) < 0)
        return -EPROTO;
    passage = passage_find(msg.pid, from->number);
    if (!passage)
        return 0;
    proc = passage->fresh ? proc_find(passage->pid, passage->to) : NULL;
    if (proc)
        proc_ask_ghost(proc, &passage->who);
    /* Its parent may have ended while it was on its way. */
    if (proc && msg.orphan && !proc_find_anywhere(passage->who.ppid) &&
        kill(passage->who.ppid, 0) < 0)
        link_orphan(node_at(passage->to), passage->who.ppid);
    for (unsigned i = 0; i < passage->nchildren; i++)
        nodeghost_group(passage->children[i], passage->to);
    log_info("process %d went from %s to %s in %lld ms", passage->pid,
             move_node_name(passage->from), move_node_name(passage->to),
             (long long)(master_now() - passage->started));
    stats_moved((uint64_t)(master_now() - passage->started) * 1000);
    passage_free(passage);
    return 0;
}

static int failed_take(struct passage *passage, const struct frame_header *header,
                       const uint8_t *body)
{
    failed_msg msg;
    int error = conn_decode(failed_msg, header, body, &msg);

    if (error)
        return error;
    if (passage && msg.error != BPROC_PID_TAKEN) {
        log_limited(&passage_limit, 60, "process %d from %s to %s failed: %s", msg.pid,
                    move_node_name(passage->from), move_node_name(passage->to), msg.text);
        stats_failed();
    }
    if (passage)
        passage_undo(passage);
    frame_free(FRAME_XDR(failed_msg), &msg, sizeof(msg));
    return 0;
}

int passage_message(struct node *from, struct conn *conn, const struct frame_header *header,
                    const uint8_t *body)
{
    struct passage *passage;
    failed_msg failed;
    pid_msg msg;

    if (header->proc == P_DEPART_ALLOW)
        return passage_allow(from, conn, header, body);
    if (header->proc == P_DEPART_FAILED) {
        if (conn_decode(failed_msg, header, body, &failed) < 0)
            return -EPROTO;
        passage = passage_find(failed.pid, from->number);
        frame_free(FRAME_XDR(failed_msg), &failed, sizeof(failed));
        return failed_take(passage, header, body);
    }
    if (header->proc == P_DEPART_DONE)
        return done_take(from, header, body);
    if (conn_decode(pid_msg, header, body, &msg) < 0)
        return -EPROTO;
    ready_take(passage_find(msg.pid, from->number), conn, header);
    return 0;
}

static void lost_tell(const struct passage *passage)
{
    char text[60];
    failed_msg msg = { .pid = passage->pid, .error = BE_SLAVEDIED, .text = text };

    snprintf(text, sizeof(text), "node %d was lost", passage->to);
    link_event(node_at(passage->from), P_DEPART_FAILED, FRAME_XDR(failed_msg), &msg);
}

void passages_node_lost(int node)
{
    struct passage *passage, *next;

    for (passage = LIST_FIRST(&passages); passage; passage = next) {
        next = LIST_NEXT(passage, entry);
        if (passage->to == node)
            lost_tell(passage);
        if (passage->to == node || passage->from == node)
            passage_undo(passage);
    }
}
