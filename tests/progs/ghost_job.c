/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ghost_job NODE: a job for a shell. The child on the node prints a dot every 20 ms; the job prints
 * its pid, waits for it, from then on through interrupts, and prints how it ended.
 */
#include "config.h"

#include <signal.h>

#include "tests/progs/remote.h"

static void ignore(int signo)
{
    (void)signo;
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = ignore, .sa_flags = SA_RESTART };
    int status, pid = remote_fork(remote_node(argc, argv));

    if (pid == 0)
        for (;;) {
            (void)!write(STDOUT_FILENO, ".", 1);
            usleep(20000);
        }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGQUIT, &action, NULL);
    printf("child: %d\r\n", pid);
    fflush(stdout);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    printf("\r\nended: %d\r\n", status);
    return 0;
}
