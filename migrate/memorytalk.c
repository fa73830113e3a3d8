/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>

#include "migrate/memorytalk.h"

int memorytalk_hear(const struct memorytalk *talk, struct bulk_msg *msg)
{
    int about;

    do {
        int error = talk->quiet(talk->arg, -1);

        if (error > 0)
            error = bulk_recv(talk->ssl, msg);
        if (error)
            return error;
        about = talk->take(talk->arg, msg);
        if (about)
            bulk_free(msg);
    } while (about > 0);
    return about;
}

static int pages_hear(const struct memorytalk *talk)
{
    struct bulk_msg msg;
    int about, error = bulk_recv(talk->ssl, &msg);

    if (error)
        return error;
    about = talk->take(talk->arg, &msg);
    bulk_free(&msg);
    return about < 0 ? about : about ? 0 : -EPROTO;
}

int memorytalk_until(const struct memorytalk *talk, int fd)
{
    int error;

    while ((error = talk->quiet(talk->arg, fd)) > 0) {
        error = pages_hear(talk);
        if (error)
            break;
    }
    return error;
}

int memorytalk_finish(const struct memorytalk *talk, const int *done)
{
    int error = 0;

    while (error >= 0 && !*done) {
        error = talk->quiet(talk->arg, -1);
        if (error > 0)
            error = pages_hear(talk);
    }
    return error < 0 ? error : 0;
}
