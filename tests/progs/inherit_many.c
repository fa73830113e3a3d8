/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inherit_many NODE: a process with more open files than one message can take has all of them in
 * the child, each with its offset.
 */
#include "config.h"

#include <fcntl.h>

#include "tests/progs/remote.h"

#define FILES 500

static int files[FILES];

static void look(void)
{
    int wrong = 0;

    for (int i = 0; i < FILES; i++)
        wrong += lseek(files[i], 0, SEEK_CUR) != i || fcntl(files[i], F_GETFL) & O_NONBLOCK;
    is_int(wrong, 0, "%d open files", FILES);
}

int main(int argc, char **argv)
{
    int node = remote_node(argc, argv);

    for (int i = 0; i < FILES; i++) {
        files[i] = open("/bin/sh", O_RDONLY);
        lseek(files[i], i, SEEK_SET);
    }
    remote_look(node, look);
    return done_testing();
}
