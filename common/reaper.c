/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <uthash.h>

#include "common/reaper.h"

#define CHANGES_A_TURN 64

struct watch {
    pid_t pid;
    reaper_fn fn;
    void *arg;
    UT_hash_handle hh;
};

static struct watch *watches;
static struct event *on_child;

static struct watch *watch_find(pid_t pid)
{
    struct watch *watch;

    HASH_FIND_INT(watches, &pid, watch);
    return watch;
}

void reaper_forget(pid_t pid)
{
    struct watch *watch = watch_find(pid);

    if (!watch)
        return;
    HASH_DEL(watches, watch);
    free(watch);
}

static void child_changed(evutil_socket_t fd, short what, void *arg)
{
    int status, left = CHANGES_A_TURN;
    pid_t pid;

    (void)fd;
    (void)what;
    (void)arg;
    /* A traced process can stop again and again as fast as it is let go on. */
    while (left > 0 && (pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
        struct watch *watch = watch_find(pid);
        reaper_fn fn = watch ? watch->fn : NULL;
        void *fn_arg = watch ? watch->arg : NULL;

        if (!WIFSTOPPED(status))
            reaper_forget(pid);
        if (fn)
            fn(pid, status, fn_arg);
        left--;
    }
    if (left == 0)
        event_active(on_child, EV_SIGNAL, 1);
}

int reaper_start(struct event_base *base)
{
    on_child = evsignal_new(base, SIGCHLD, child_changed, NULL);
    return on_child && event_add(on_child, NULL) == 0 ? 0 : -ENOMEM;
}

void reaper_stop(void)
{
    struct watch *watch, *next;

    if (on_child)
        event_free(on_child);
    on_child = NULL;
    HASH_ITER(hh, watches, watch, next) {
        HASH_DEL(watches, watch);
        free(watch);
    }
}

int reaper_watch(pid_t pid, reaper_fn fn, void *arg)
{
    struct watch *watch;

    reaper_forget(pid);
    watch = calloc(1, sizeof(*watch));
    if (!watch)
        return -ENOMEM;
    watch->pid = pid;
    watch->fn = fn;
    watch->arg = arg;
    HASH_ADD_INT(watches, pid, watch);
    return 0;
}
