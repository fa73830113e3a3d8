/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fd.h"
#include "common/log.h"
#include "common/path.h"
#include "masterd/master.h"
#include "masterd/nodeup.h"
#include "common/reaper.h"
#include "common/spawn.h"

#define MAX_SCRIPTS 64

struct script {
    TAILQ_ENTRY(script) entry;
    int waiting;                /* in `waiters` */
    pid_t pid;
    struct event *deadline;
};

static struct script scripts[BPROC_MAX_NODES];
static TAILQ_HEAD(, script) waiters = TAILQ_HEAD_INITIALIZER(waiters);
static unsigned running;

static void script_wait(struct script *script)
{
    script->waiting = 1;
    TAILQ_INSERT_TAIL(&waiters, script, entry);
}

static void script_wait_over(struct script *script)
{
    script->waiting = 0;
    TAILQ_REMOVE(&waiters, script, entry);
}

static void script_forget(struct script *script)
{
    struct script *next;

    if (script->deadline)
        event_free(script->deadline);
    *script = (struct script){ 0 };
    running--;
    while (running < MAX_SCRIPTS && (next = TAILQ_FIRST(&waiters)) != NULL) {
        script_wait_over(next);
        nodeup_start(node_find((int)(next - scripts)));
    }
}

static void script_ended(pid_t pid, int status, void *arg)
{
    int number = (int)(intptr_t)arg;
    struct node *node = node_find(number);
    char reason[100];

    if (WIFSTOPPED(status) || scripts[number].pid != pid)
        return;
    script_forget(&scripts[number]);
    if (!node)
        return;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        node_event(node, NODE_EV_SCRIPT_OK, "node_up succeeded");
        return;
    }
    snprintf(reason, sizeof(reason), "node_up %s %d",
             WIFEXITED(status) ? "exited with" : "was killed by signal",
             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    node_event(node, NODE_EV_SCRIPT_FAILED, reason);
}

static void script_kill(struct script *script)
{
    kill(-script->pid, SIGKILL);
    reaper_forget(script->pid);
    script_forget(script);
}

static void script_late(evutil_socket_t fd, short what, void *arg)
{
    int number = (int)(intptr_t)arg;
    struct node *node = node_find(number);
    char reason[100];

    (void)fd;
    (void)what;
    script_kill(&scripts[number]);
    snprintf(reason, sizeof(reason), "node_up took longer than %d s", master.conf->node_up_timeout);
    if (node)
        node_event(node, NODE_EV_SCRIPT_FAILED, reason);
}

static void deadline_set(int number)
{
    struct timeval limit = { master.conf->node_up_timeout, 0 };
    struct event *deadline = evtimer_new(master.base, script_late, (void *)(intptr_t)number);

    if (deadline)
        event_add(deadline, &limit);
    scripts[number].deadline = deadline;
}

static int output_open(int number)
{
    char path[PATH_MAX + 32];
    int fd, error = fd_mkdirs(master.conf->log_dir, 0755);

    if (error)
        return error;
    snprintf(path, sizeof(path), "%s/node.%d", master.conf->log_dir, number);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    return fd < 0 ? -errno : fd;
}

/* 0 when it runs, else -errno with a reason. */
static int script_start(struct node *node, char *text, size_t len)
{
    char number[16];
    char *argv[] = { master.conf->node_up, number, NULL };
    int fd = -1;
    int error = path_check(master.conf->node_up, text, len);
    pid_t pid;

    if (error)
        return error;
    fd = output_open(node->number);
    if (fd < 0) {
        snprintf(text, len, "cannot write its log: %s", strerror(-fd));
        return fd;
    }
    snprintf(number, sizeof(number), "%d", node->number);
    pid = spawn(argv, fd, -1);
    close(fd);
    if (pid > 0)
        error = reaper_watch(pid, script_ended, (void *)(intptr_t)node->number);
    else
        error = (int)pid;
    if (error)
        snprintf(text, len, "cannot start node_up: %s", strerror(-error));
    if (error)
        return error;
    scripts[node->number].pid = pid;
    running++;
    deadline_set(node->number);
    return 0;
}

void nodeup_start(struct node *node)
{
    char text[300];

    if (access(master.conf->node_up, F_OK) < 0 && errno == ENOENT)
        node_event(node, NODE_EV_SCRIPT_OK, "there is no node_up script");
    else if (running >= MAX_SCRIPTS)
        script_wait(&scripts[node->number]);
    else if (script_start(node, text, sizeof(text)) < 0)
        node_event(node, NODE_EV_SCRIPT_FAILED, text);
}

void nodeup_cancel(struct node *node)
{
    struct script *script = &scripts[node->number];

    if (script->waiting)
        script_wait_over(script);
    if (script->pid)
        script_kill(script);
}
