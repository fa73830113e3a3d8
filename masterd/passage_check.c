/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/bproc.h>

#include "masterd/passage_check.h"
#include "masterd/proctable.h"
#include "masterd/rights.h"

struct rights *passage_origin(const struct node *from, const depart_arg *arg)
{
    struct proc *origin = proc_find(arg->origin, from->number);

    return origin ? proc_rights(origin) : NULL;
}

/*
 * The node's word is good for processes of those whom it has processes of: it cannot make itself
 * another user's, nor one in another group.
 */
static int owner_check(const struct node *from, const depart_arg *arg, char *text, size_t len)
{
    const struct rights *rights = passage_origin(from, arg);

    if (rights && rights_cover(rights, arg->who.uid, arg->who.gid, arg->groups.groups_val,
                               arg->groups.groups_len))
        return 0;
    snprintf(text, len, "node %d has no process with the rights of uid %u gid %u to be the origin "
             "of process %d", from->number, arg->who.uid, arg->who.gid, arg->who.id.pid);
    return EPERM;
}

/*
 * A parent, group or session is one that what it comes from was in already, its user's, or nobody's
 * whom we know of.
 */
static int is_kin(const struct node *from, const depart_arg *arg, int number)
{
    struct rights *rights = passage_origin(from, arg);
    const struct proc *proc = proc_find(arg->who.id.pid, from->number);

    return number <= 1 || number == arg->who.id.pid || rights_uid(rights) == 0 ||
           rights_has_kin(rights, number) || (proc && number == proc_ppid(proc)) ||
           proctable_use(number, rights_uid(rights)) != USE_OTHERS;
}

static int kin_check(const struct node *from, const depart_arg *arg, char *text, size_t len)
{
    const struct { const char *what; int number; } kin[] = {
        { "parent", arg->who.ppid }, { "group", arg->who.id.pgid }, { "session", arg->who.id.sid }
    };

    for (size_t i = 0; i < sizeof(kin) / sizeof(kin[0]); i++) {
        if (is_kin(from, arg, kin[i].number))
            continue;
        snprintf(text, len, "process %d of node %d cannot have another user's %s, %d",
                 arg->who.id.pid, from->number, kin[i].what, kin[i].number);
        return EPERM;
    }
    return 0;
}

/* A number that is not in the table: one that the node has given out and not reported yet. */
static int is_of_node(const struct node *node, int pid)
{
    const numbers_msg *numbers = &node->numbers;

    if (proc_find_anywhere(pid))
        return 0;
    if (numbers->count > 0)
        return pid >= numbers->first && pid - numbers->first < numbers->count;
    return kill(pid, 0) < 0 && errno == ESRCH;
}

static int number_check(const struct node *from, const depart_arg *arg, char *text, size_t len)
{
    const struct proc *proc = proc_find(arg->who.id.pid, from->number);

    if (arg->kind == MOVE_RFORK && proc) {
        snprintf(text, len, "process %d is on node %d", arg->who.id.pid, from->number);
        return BPROC_PID_TAKEN;
    }
    if (!proc && !is_of_node(from, arg->who.id.pid)) {
        snprintf(text, len, "process %d is none of node %d's", arg->who.id.pid, from->number);
        return arg->kind == MOVE_RFORK ? BPROC_PID_TAKEN : EPERM;
    }
    return 0;
}

int passage_check(const struct node *from, const depart_arg *arg, char *text, size_t len)
{
    int error = number_check(from, arg, text, len);

    if (!error)
        error = owner_check(from, arg, text, len);
    return error ? error : kin_check(from, arg, text, len);
}
