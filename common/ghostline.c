/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/ghostline.h"
#include "common/log.h"

#define STOP_MS 5000            /* for a ghost to stop after it was told to */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void ghostline_signal(const struct ghostline *line, int signo)
{
    if (syscall(SYS_pidfd_send_signal, line->pidfd, signo, NULL, 0) < 0 && errno != ESRCH)
        log_warn("cannot send signal %d to ghost %d", signo, line->pid);
}

int ghostline_take(struct ghostline *line, const struct frame_header *header,
                   const uint8_t *body, int self, signal_msg *msg)
{
    if (conn_decode(signal_msg, header, body, msg) < 0 || msg->signo <= 0 || msg->signo >= NSIG) {
        conn_close(line->conn, "arguments do not decode");
        return 0;
    }
    msg->pid = line->pid;
    line->own_cont = msg->signo == SIGCONT && msg->from_pid == self;
    return !line->own_cont;
}

int ghostline_changed(struct ghostline *line, int stopped)
{
    int told = line->told_stop >= now_ms();

    line->stopped = stopped;
    if (!stopped)
        return 0;
    line->told_stop = 0;
    return !told;
}

static void status_send(struct ghostline *line, bproc_proc proc, int status)
{
    status_msg msg = { .pid = line->pid, .status = status };

    conn_event(line->conn, proc, FRAME_XDR(status_msg), &msg);
    if (line->stopped)
        ghostline_signal(line, SIGCONT);
    line->stopped = 0;
}

void ghostline_exit(struct ghostline *line, int status)
{
    line->stop_status = 0;
    status_send(line, P_GHOST_EXIT, status);
}

void ghostline_goes_on(struct ghostline *line)
{
    line->told_stop = 0;
    if (line->own_cont && line->stop_status)
        ghostline_stop(line, line->stop_status);
}

void ghostline_stop(struct ghostline *line, int status)
{
    line->stop_status = status;
    if (line->stopped)
        return;
    line->told_stop = now_ms() + STOP_MS;
    status_send(line, P_GHOST_STOP, status);
}

void ghostline_cont(struct ghostline *line, int status)
{
    line->stop_status = 0;
    status_send(line, P_GHOST_CONT, status);
}

void ghostline_group(const struct ghostline *line, const group_msg *group)
{
    conn_event(line->conn, P_GHOST_GROUP, FRAME_XDR(group_msg), group);
}
