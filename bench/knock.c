/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-knock SOCKET COUNT
 *
 * The least that a program can be that has a daemon on its own machine do something: it tells the
 * daemon on how many hosts (bench-tlsping stand), waits for the answer, and ends.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/stopwatch.h"

int main(int argc, char **argv)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned char byte;

    if (argc != 3 || strlen(argv[1]) >= sizeof(at.sun_path)) {
        fprintf(stderr, "usage: bench-knock SOCKET COUNT\n");
        return 2;
    }
    strcpy(at.sun_path, argv[1]);
    byte = (unsigned char)atoi(argv[2]);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        stopwatch_die("connect to", argv[1]);
    if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1) {
        fprintf(stderr, "bench: cannot knock at %s: nobody answers\n", argv[1]);
        return 1;
    }
    return 0;
}
