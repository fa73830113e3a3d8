/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * criu_parent swrk FD: in CRIU's place, takes a request as that does, and waits for ever beside two
 * children that wait, too, one by fork() and one by clone().
 */
#include "config.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char stack[65536] __attribute__((aligned(16)));

static void forever(void)
{
    for (;;)
        pause();
}

static int child_run(void *arg)
{
    (void)arg;
    forever();
    return 0;
}

int main(int argc, char **argv)
{
    char byte;

    if (argc != 3 || recv(atoi(argv[2]), &byte, 1, 0) <= 0)
        _exit(1);
    if (fork() == 0)
        forever();
    clone(child_run, stack + sizeof(stack), 0, NULL);
    forever();
}
