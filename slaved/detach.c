/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/log.h"
#include "moves/task.h"
#include "slaved/detach.h"
#include "slaved/proctable.h"
#include "slaved/space.h"

static int is_in_space(pid_t pid)
{
    struct stat theirs, space;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
    if (stat(path, &theirs) < 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)space_pid());
    return stat(path, &space) == 0 && theirs.st_ino == space.st_ino &&
           theirs.st_dev == space.st_dev;
}

void detach_take(struct conn *conn, const struct frame_header *header, const uint8_t *body)
{
    detach_ret ret = { .fork = 0 };
    detach_arg arg;
    pid_t pid, number;
    uid_t uid;
    gid_t gid;
    int error;

    if (conn_decode(detach_arg, header, body, &arg) < 0) {
        conn_close(conn, "call does not decode");
        return;
    }
    error = conn_peer(conn, &pid, &uid, &gid);
    if (!error && uid != 0)
        error = -EPERM;
    if (!error && !is_in_space(pid)) {
        ret.fork = 1;
    } else if (!error) {
        number = task_number(pid);
        error = proc_detach(number, (arg.code & 0xff) << 8);
        if (!error)
            log_info("process %d detaches itself", (int)number);
    }
    if (error)
        conn_refuse(conn, header, error, "cannot detach the process: %s", strerror(-error));
    else
        conn_reply(conn, header, FRAME_XDR(detach_ret), &ret);
}
