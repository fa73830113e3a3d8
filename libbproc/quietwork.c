/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "libbproc/client.h"
#include "libbproc/depart.h"
#include "libbproc/quietfork.h"
#include "libbproc/quietwork.h"

__attribute__((noreturn))
static void child_work(struct quietwork *was,
                       int (*work)(const struct quietwork *was, void *arg), void *arg)
{
    const struct sigaction usual = { .sa_handler = SIG_DFL };
    int result;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    client_release(was->out);
    client_forget_all_but(-1);
    /* Where it is ignored, nobody can wait for a child. */
    sigaction(SIGCHLD, &usual, &was->child);
    result = work(was, arg);
    (void)!write(was->out, &result, sizeof(result));
    _exit(0);
}

int quietwork_run(int (*work)(const struct quietwork *was, void *arg), void *arg)
{
    struct quietwork was;
    int pair[2], result = -EIO, error = client_pipe(pair);
    pid_t pid = -1;
    ssize_t n;

    if (!error) {
        was.out = pair[1];
        signals_block(&was.mask);
        pid = quietfork();
        if (pid == 0)
            child_work(&was, work, arg);
        error = pid < 0 ? -errno : 0;
        signals_restore(&was.mask);
    }
    client_close(pair[1]);
    if (!error) {
        do {
            n = read(pair[0], &result, sizeof(result));
        } while (n < 0 && errno == EINTR);
        if (n != sizeof(result))
            result = -EIO;
        quietfork_undo(pid);
    }
    client_close(pair[0]);
    return error ? error : result;
}

void quietwork_leave(const struct quietwork *was)
{
    sigaction(SIGCHLD, &was->child, NULL);
    signals_restore(&was->mask);
}
