/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * criu_exit swrk FD: in CRIU's place, takes a request as that does, and calls exit(), in which
 * libc gets no further.
 */
#include "config.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void forever(void)
{
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    char byte;

    if (argc != 3 || atexit(forever) != 0 || recv(atoi(argv[2]), &byte, 1, 0) <= 0)
        _exit(1);
    exit(1);
}
