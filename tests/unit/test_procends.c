/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A number that is launched again before the master has acknowledged the end of the process that
 * had it: no end may be lost, nor be taken for another's.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "moves/move.h"
#include "slaved/link.h"
#include "slaved/proctable_impl.h"
#include "slaved/seconds.h"
#include "slaved/space.h"
#include "slaved/transfer.h"
#include "tests/unit/tap.h"

#define NUMBER 4711

static struct transfer *const carrier = (struct transfer *)&proctable_all;
static unsigned told, status;           /* ends, over all links; of the last one */

int link_event(bproc_proc proc, xdrproc_t encode, const void *body)
{
    (void)encode;
    if (proc == P_EXITED) {
        told++;
        status = (unsigned)((const status_msg *)body)->status;
    }
    return 0;
}

void transfer_drain(struct transfer *transfer)
{
    (void)transfer;
    proc_drained(NUMBER, carrier);
}

void transfer_continue(struct transfer *transfer, struct conn *channel)
{
    (void)transfer;
    (void)channel;
}

void early_send(struct early **early)
{
    *early = NULL;
}

void proc_tell_children(struct proc *parent)
{
    (void)parent;
}

void proc_tell_doubtful(uid_t uid)
{
    (void)uid;
}

struct move *move_find(pid_t pid)
{
    (void)pid;
    return NULL;
}

int seconds_has(pid_t pid)
{
    return pid < 0;
}

void space_kill(pid_t pid, int second)
{
    (void)pid;
    (void)second;
}

void space_signal(const signal_msg *signal, int second)
{
    (void)signal;
    (void)second;
}

static int launched(void)
{
    commit_msg commit = { .serial = 1 };
    int error = proc_add(NUMBER, 1, carrier, 1, 0);

    if (!error)
        proc_commit(NUMBER, carrier, &commit);
    return error;
}

/* As procreport.c does it when the space says so. */
static void ended(int with)
{
    struct proc *proc = proc_find(NUMBER);

    proc->exited = true;
    proc->status = with;
    proc_settle(proc);
}

static void test_one(void)
{
    is_int(launched(), 0, "a process");
    is_int(launched(), -EEXIST, "has its number alone");
    ended(1 << 8);
    is_int(told, 1, "its end is told");
    proc_report_all();
    is_int(told, 2, "and again over the next link");
    proc_acknowledged(NUMBER);
    is_int(proc_count(), 0, "until that is acknowledged");
}

static void test_late_word(void)
{
    told = 0;
    launched();
    ended(1 << 8);
    is_int(launched(), 0, "the number goes to another one before the word of that");
    ended(2 << 8);
    is_int(told, 2, "whose end is told, too");
    proc_acknowledged(NUMBER);
    is_int(proc_count(), 1, "the word for the first one is not for the second");
    proc_acknowledged(NUMBER);
    is_int(proc_count(), 0, "which has its own");
}

static void test_three(void)
{
    launched();
    ended(1 << 8);
    launched();
    ended(2 << 8);
    launched();
    proc_acknowledged(NUMBER);
    ended(3 << 8);
    proc_acknowledged(NUMBER);
    is_int(proc_count(), 1, "two words are for the first two of three");
    proc_acknowledged(NUMBER);
    is_int(proc_count(), 0, "the third one has its own");
}

static void test_broken_link(void)
{
    launched();
    ended(1 << 8);
    launched();
    ended(2 << 8);
    told = 0;
    proc_report_all();
    is_int(told, 1, "over the next link the last one alone is told");
    is_int(status, 2 << 8, "with its status");
    proc_acknowledged(NUMBER);
    is_int(proc_count(), 0, "and the first word there is its");
}

static void test_refused(void)
{
    is_int(proc_add(NUMBER, 1, carrier, 5, 0), 0, "a launch is asked for");
    proc_abandon(NUMBER, carrier);
    proc_refused(6);
    is_int(proc_count(), 1, "who wanted it goes before there is an answer");
    proc_refused(5);
    is_int(proc_count(), 0, "with a refusal the number is free");
    is_int(launched(), 0, "one that runs");
    proc_refused(1);
    is_int(proc_count(), 1, "is not to be refused any more");
    ended(1 << 8);
    proc_acknowledged(NUMBER);
}

int main(void)
{
    test_one();
    test_late_word();
    test_three();
    test_broken_link();
    test_refused();
    return done_testing();
}
