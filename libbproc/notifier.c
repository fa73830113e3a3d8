/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <sys/bproc.h>

#include "libbproc/client.h"

int bproc_notifier(void)
{
    int fd = client_open();
    int error;

    if (fd < 0)
        return client_result(fd);
    error = msg_call(fd, P_NOTIFY, NULL, NULL, NULL, 0, NULL, NULL, 0, NULL, 0);
    if (error) {
        client_close(fd);
        return client_result(client_error(error));
    }
    client_release(fd);
    return fd;
}
