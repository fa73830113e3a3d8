/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/log.h"
#include "moves/carrierpool.h"
#include "moves/mover.h"
#include "common/reaper.h"
#include "common/spawn.h"

#define PROGRAM PKGLIBEXECDIR "/bproc-mover"
#define RESTART_MS 200
#define BUFFER_BYTES (1 << 20)

static struct conn *mover_conn;
static pid_t mover_pid;
static struct event_base *mover_base;
static const struct mover_settings *mover_settings;
static struct event *on_restart;

static void mover_restart_later(void)
{
    struct timeval delay = { 0, RESTART_MS * 1000 };

    event_add(on_restart, &delay);
}

static void mover_message(struct conn *conn, const struct frame_header *header,
                          const uint8_t *body, int *fds, void *arg)
{
    (void)body;
    (void)arg;
    if (header->proc != P_CARRIERS || header->nfds != 1) {
        conn_close(conn, "message has no place here");
        return;
    }
    if (carrierpool_open(fds[0]) < 0)
        log_warnx("the mover's children cannot be used again: out of memory");
    fds[0] = -1;
}

static void mover_closed(struct conn *conn, const char *reason, void *arg)
{
    (void)conn;
    (void)arg;
    mover_conn = NULL;
    carrierpool_mover_gone();
    log_warnx("the mover went away (%s): starting another", reason);
    mover_restart_later();
}

static const struct conn_ops mover_ops = { mover_message, mover_closed, NULL };

static void mover_ended(pid_t pid, int status, void *arg)
{
    (void)arg;
    if (WIFSTOPPED(status) || pid != mover_pid)
        return;
    mover_pid = 0;
    if (WIFEXITED(status))
        log_warnx("the mover exited with %d", WEXITSTATUS(status));
    else
        log_warnx("the mover was killed by signal %d", WTERMSIG(status));
}

const char *mover_criu_missing(void)
{
    return mover_settings->criu_missing;
}

static int mover_spawn(int end)
{
    char hashes[PATH_MAX + 8], program[] = PROGRAM;
    char *argv[] = { program, (char *)(uintptr_t)mover_settings->tls_dir,
                     (char *)(uintptr_t)mover_settings->criu, hashes, NULL };
    pid_t pid;

    snprintf(hashes, sizeof(hashes), "%s/hashes", mover_settings->run_dir);
    pid = spawn(argv, -1, end);
    if (pid < 0)
        return (int)pid;
    mover_pid = pid;
    return reaper_watch(pid, mover_ended, NULL);
}

static int mover_run(void)
{
    int ends[2], size = BUFFER_BYTES, error;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    /* A packet has to fit whole. */
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    error = mover_spawn(ends[1]);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    mover_conn = conn_new_local(mover_base, ends[0], &mover_ops, NULL);
    return mover_conn ? 0 : -ENOMEM;
}

static void restart_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    if (mover_run() < 0)
        mover_restart_later();
}

int mover_start(struct event_base *base, const struct mover_settings *settings, char *text,
                size_t len)
{
    int error = access(PROGRAM, X_OK) < 0 ? -errno : 0;

    mover_base = base;
    mover_settings = settings;
    on_restart = event_new(base, -1, 0, restart_due, NULL);
    if (!error)
        error = on_restart ? carrierpool_init(base) : -ENOMEM;
    if (!error)
        error = mover_run();
    if (error)
        snprintf(text, len, "cannot start %s: %s", PROGRAM, strerror(-error));
    return error;
}

void mover_stop(void)
{
    carrierpool_stop();
    if (on_restart)
        event_free(on_restart);
    on_restart = NULL;
}

int mover_ask(const move_start_arg *arg, const int *fds, unsigned nfds)
{
    if (!mover_conn)
        return -EAGAIN;
    return conn_send(mover_conn, K_EVENT, P_MOVE_START, 0, 0, FRAME_XDR(move_start_arg), arg, fds,
                     nfds);
}
