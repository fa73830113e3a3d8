/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conn.h"
#include "common/fault.h"
#include "common/log.h"
#include "slaved/link.h"
#include "slaved/receivers.h"
#include "slaved/root.h"
#include "slaved/space.h"

static struct {
    bool under_way;
    struct frame_header asked;
    char path[PATH_MAX];
} root;

static int folder_check(const char *path)
{
    struct stat st;

    if (path[0] != '/')
        return -EINVAL;
    if (strlen(path) >= sizeof(root.path))
        return -E2BIG;
    if (stat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int root_ask(const char *path)
{
    int ns, error = folder_check(path);

    if (error)
        return error;
    ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (ns < 0)
        return -errno;
    error = space_root(path, ns);
    close(ns);
    if (!error)
        snprintf(root.path, sizeof(root.path), "%s", path);
    return error;
}

void root_take(const struct frame_header *header, const uint8_t *body)
{
    chroot_arg arg;
    int error;

    if (conn_decode(chroot_arg, header, body, &arg) < 0) {
        link_break("message does not decode");
        return;
    }
    error = root.under_way ? -EALREADY : FAULT(FAULT_SLAVED_ROOT);
    if (!error)
        error = root_ask(arg.path);
    if (error) {
        link_refuse(header, -error, strerror(-error));
    } else {
        root.under_way = true;
        root.asked = *header;
    }
    frame_free(FRAME_XDR(chroot_arg), &arg, sizeof(arg));
}

static void root_refused(const struct frame_header *header, const uint8_t *body)
{
    error_ret ret;

    if (conn_decode(error_ret, header, body, &ret) < 0) {
        link_refuse(&root.asked, header->status, strerror(header->status));
        return;
    }
    log_warnx("cannot change the root of the processes to %s: %s", root.path, ret.text);
    link_refuse(&root.asked, header->status, ret.text);
    frame_free(FRAME_XDR(error_ret), &ret, sizeof(ret));
}

void root_made(const struct frame_header *header, const uint8_t *body, int *fds)
{
    if (!root.under_way)
        return;
    root.under_way = false;
    FAULT(FAULT_SLAVED_ROOT_MADE);
    if (header->status) {
        root_refused(header, body);
    } else if (header->nfds != 1) {
        link_refuse(&root.asked, EPROTO, "no root came from the process space");
    } else {
        receivers_set_root(fds[0]);
        fds[0] = -1;
        log_info("processes that come from now on have the root %s", root.path);
        link_reply(&root.asked);
    }
}
