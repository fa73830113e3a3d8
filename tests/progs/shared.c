/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that several processes have open for reading. As with fork(2) they compete for what
 * comes: nobody gets a byte that he has not asked for.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "tests/progs/prog.h"

#define TASKS 300
#define WORKERS 3

static void wait_poll(int fd)
{
    struct pollfd polled = { .fd = fd, .events = POLLIN };

    CHECK(poll(&polled, 1, 20000) == 1, "poll: nothing came");
}

static void wait_select(int fd)
{
    struct timeval limit = { 20, 0 };
    fd_set set;

    FD_ZERO(&set);
    FD_SET(fd, &set);
    CHECK(select(fd + 1, &set, NULL, NULL, &limit) == 1, "select: nothing came");
}

static void wait_epoll(int fd)
{
    struct epoll_event event = { .events = EPOLLIN };
    int epoll = epoll_create1(0);

    MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    CHECK(epoll_wait(epoll, &event, 1, 20000) == 1, "epoll_wait: nothing came");
    close(epoll);
}

/* What the documentation of many a library shows: nobody closes the end he does not use. */
static void both_open(void (*wait)(int fd))
{
    int fds[2];
    pid_t pid;

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    pid = fork_to(0);
    if (pid == 0) {
        if (wait)
            wait(fds[1]);
        text_expect(fds[1], "question");
        write_all(fds[1], "answer", 6);
        _exit(0);
    }
    write_all(fds[0], "question", 8);
    text_expect(fds[0], "answer");
    child_expect(pid, 0);
}

static void run_both_open(int argc, char **argv)
{
    (void)argc, (void)argv;
    both_open(NULL);
    both_open(wait_poll);
    both_open(wait_select);
    both_open(wait_epoll);
}

/* A child that has the parent's input open and does not read it takes nothing of it. */
static void run_parent_reads(int argc, char **argv)
{
    int input[2], stop[2];
    pid_t pid;

    (void)argc, (void)argv;
    MUST(pipe(input));
    MUST(pipe(stop));
    pid = fork_to(0);
    if (pid == 0) {
        close(stop[1]);
        end_expect(stop[0]);
        _exit(0);
    }
    close(stop[0]);
    for (int i = 0; i < 50; i++) {
        write_all(input[1], "0123456789", 10);
        text_expect(input[0], "0123456789");
    }
    close(stop[1]);
    child_expect(pid, 0);
}

static void work(int in, int out)
{
    uint32_t task;
    ssize_t n;

    while ((n = read(in, &task, sizeof(task))) == sizeof(task))
        write_all(out, &task, sizeof(task));
    CHECK(n == 0, "a task of %zd bytes", n);
}

/* Workers on all nodes, and one here, take tasks from one pipe. */
static void crowd(int parent_keeps, int local)
{
    int tasks[2], results[2], seen[TASKS] = { 0 };
    pid_t pids[WORKERS + 1];
    int count = WORKERS + local;
    uint32_t task;

    MUST(pipe(tasks));
    MUST(pipe(results));
    for (int i = 0; i < count; i++) {
        pids[i] = i < WORKERS ? fork_to(i) : fork();
        if (pids[i] == 0) {
            close(tasks[1]);
            close(results[0]);
            work(tasks[0], results[1]);
            _exit(0);
        }
    }
    close(results[1]);
    if (!parent_keeps)
        close(tasks[0]);
    for (task = 0; task < TASKS; task++)
        write_all(tasks[1], &task, sizeof(task));
    close(tasks[1]);
    while (read_all(results[0], &task, sizeof(task)) == sizeof(task)) {
        CHECK(task < TASKS, "there is no task %u", (unsigned)task);
        seen[task]++;
    }
    for (task = 0; task < TASKS; task++)
        CHECK(seen[task] == 1, "task %u was done %d times", (unsigned)task, seen[task]);
    for (int i = 0; i < count; i++)
        child_expect(pids[i], 0);
}

static void run_crowd(int argc, char **argv)
{
    CHECK(argc == 2, "crowd PARENT_KEEPS LOCAL");
    crowd(atoi(argv[0]), atoi(argv[1]));
}

int main(int argc, char **argv)
{
    static const struct prog_case cases[] = {
        { "both-open", run_both_open },
        { "parent-reads", run_parent_reads },
        { "crowd", run_crowd },
        { NULL, NULL }
    };

    return prog_run(cases, argc, argv);
}
