/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <unistd.h>
#include <sys/bproc.h>

#include "libbproc/client.h"

/* Where nobody but the parent knows the process, it goes on as another one. */
static int other_process(long code)
{
    pid_t pid = fork();

    if (pid > 0)
        _exit((int)(code & 0xff));
    return pid < 0 ? -errno : 0;
}

int bproc_detach(long code)
{
    detach_arg arg = { .code = (int)(code & 0xff) };
    detach_ret ret = { .fork = 0 };
    int error = client_call(P_DETACH, FRAME_XDR(detach_arg), &arg, FRAME_XDR(detach_ret), &ret,
                            sizeof(ret));

    if (error == -EBUSY)
        error = -ENOSYS;
    if (!error && ret.fork)
        error = other_process(code);
    return client_result(error);
}
