/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/bpcp_loop.h"
#include "tools/bpsh_line.h"

/* What one turn waits for; owners[i] and tasks[i] belong to polls[i], NULL for signals. */
struct wait_set {
    struct pollfd *polls;
    struct transfer **owners;
    struct task **tasks;
    size_t count;
};

static int set_init(struct wait_set *set, const struct transfer *transfers, size_t count)
{
    size_t room = 2;

    /* A report and two streams for each task. */
    for (size_t i = 0; i < count; i++)
        room += 3 * (1 + transfers[i].count);
    set->polls = calloc(room, sizeof(*set->polls));
    set->owners = calloc(room, sizeof(*set->owners));
    set->tasks = calloc(room, sizeof(*set->tasks));
    return set->polls && set->owners && set->tasks ? 0 : -ENOMEM;
}

static void set_free(struct wait_set *set)
{
    free(set->polls);
    free(set->owners);
    free(set->tasks);
}

static void set_add(struct wait_set *set, struct transfer *owner, struct task *task, int fd,
                    short events)
{
    if (fd < 0)
        return;
    set->polls[set->count] = (struct pollfd) { .fd = fd, .events = events };
    set->owners[set->count] = owner;
    set->tasks[set->count++] = task;
}

static void set_fill(struct wait_set *set, struct transfer *transfer)
{
    set_add(set, transfer, &transfer->source, transfer->source.report_fd, POLLIN);
    if (!transfer->eof && ring_room(&transfer->stream) > 0)
        set_add(set, transfer, &transfer->source, transfer->source.out[0].fd, POLLIN);
    for (size_t i = 0; i < transfer->count; i++) {
        struct task *task = &transfer->targets[i];

        set_add(set, transfer, task, task->report_fd, POLLIN);
        set_add(set, transfer, task, task->out[0].fd, POLLIN);
        /* Without events this still tells when the node closes its end. */
        set_add(set, transfer, task, task->input_fd,
                branch_wants(&transfer->branches[i], &transfer->stream) ? POLLOUT : 0);
    }
}

static void event_handle(struct transfer *transfer, struct task *task,
                         const struct task_plan *plan, const struct pollfd *event)
{
    if (event->fd == task->report_fd) {
        task_report(task, plan);
    } else if (task == &transfer->source) {
        transfer_read(transfer);
    } else {
        struct branch *branch = &transfer->branches[task - transfer->targets];

        if (event->fd == task->out[0].fd)
            branch_read(branch, &transfer->stream);
        else if (event->revents & POLLERR)
            task_close_input(task);
        else
            branch_write(branch, &transfer->stream);
    }
}

static void caller_end(int signo)
{
    sigset_t mask;

    signal(signo, SIG_DFL);
    sigemptyset(&mask);
    sigaddset(&mask, signo);
    raise(signo);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

static void signal_handle(struct transfer *transfers, size_t count, int signal_fd)
{
    struct signalfd_siginfo info;
    int signo;

    if (read(signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    signo = (int)info.ssi_signo;
    for (size_t i = 0; i < count; i++) {
        if (signo == SIGCHLD)
            transfer_reap(&transfers[i]);
        else if (info.ssi_code != SI_KERNEL)
            transfer_signal(&transfers[i], signo);
    }
    if (signo != SIGCHLD)
        caller_end(signo);
}

/* Tells the progress; is anything left to do? */
static bool transfers_settle(struct transfer *transfers, size_t count, struct bar *bar)
{
    uint64_t done = 0, total = 0;
    bool over = true, headed = true;

    for (size_t i = 0; i < count; i++) {
        transfer_settle(&transfers[i]);
        over = over && transfer_over(&transfers[i]);
        done += transfer_done(&transfers[i]);
        total += transfers[i].total;
        headed = headed && transfers[i].headed;
    }
    bar_show(bar, done, headed ? total : 0);
    return !over;
}

int transfers_run(struct transfer *transfers, size_t count, const struct task_plan *plan,
                  int signal_fd, struct bar *bar)
{
    struct wait_set set = { 0 };
    int error = set_init(&set, transfers, count);

    while (!error && transfers_settle(transfers, count, bar)) {
        set.count = 0;
        set_add(&set, NULL, NULL, signal_fd, POLLIN);
        set_add(&set, NULL, NULL, plan->line->daemon.conn, POLLIN);
        for (size_t i = 0; i < count; i++)
            set_fill(&set, &transfers[i]);
        if (poll(set.polls, set.count, bar_timeout(bar)) < 0) {
            error = errno == EINTR ? 0 : -errno;
            continue;
        }
        for (size_t i = 0; i < set.count; i++) {
            if (!set.polls[i].revents)
                continue;
            if (set.tasks[i])
                event_handle(set.owners[i], set.tasks[i], plan, &set.polls[i]);
            else if (set.polls[i].fd == signal_fd)
                signal_handle(transfers, count, signal_fd);
            else
                line_hear(plan->line, plan);
        }
    }
    set_free(&set);
    return error;
}
