/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inherit_cwd NODE: prints the working directory of a child there. */
#include "config.h"

#include <limits.h>

#include "tests/progs/remote.h"

int main(int argc, char **argv)
{
    char directory[PATH_MAX];
    int pid = remote_fork(remote_node(argc, argv));

    if (pid == 0) {
        puts(getcwd(directory, sizeof(directory)) ? directory : strerror(errno));
        exit(0);
    }
    waitpid(pid, NULL, 0);
    return 0;
}
