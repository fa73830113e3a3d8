/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fd.h"
#include "migrate/imagefile.h"
#include "migrate/imagegate.h"

#define INVENTORY "inventory.img"
#define KEPT "inventory"            /* no name of an image file */

int imagegate_make(int dir_fd)
{
    int gate;

    if (mkfifoat(dir_fd, INVENTORY, 0600) < 0)
        return -errno;
    /* For both, as who opens one end alone waits for the other. */
    gate = openat(dir_fd, INVENTORY, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return gate < 0 ? -errno : gate;
}

const char *imagegate_name(const char *name)
{
    return strcmp(name, INVENTORY) == 0 ? KEPT : name;
}

/* CRIU reads one record, but by a buffer that it wants to fill: what the pipe has room for. */
int imagegate_open(int dir_fd, int gate)
{
    struct bytes file = { NULL, 0 };
    int room = fcntl(gate, F_GETPIPE_SZ);
    uint8_t *filled = room > 0 ? calloc(1, (size_t)room) : NULL;
    int error = filled ? imagefile_read(dir_fd, KEPT, &file) : -ENOMEM;

    if (!error)
        error = file.len <= (size_t)room / 2 ? 0 : -EFBIG;
    if (!error) {
        memcpy(filled, file.at, file.len);
        error = fd_write_all(gate, filled, (size_t)room);
    }
    free(file.at);
    free(filled);
    return error;
}
