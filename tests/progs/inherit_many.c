/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inherit_many NODE: a process with more open files than one message can take has all of them in
 * the child, each with its offset, and a pipe's end beyond the limit of open files, too.
 */
#include "config.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "tests/progs/remote.h"

#define FILES 500
#define LIMIT 600
#define BEYOND 900

static int files[FILES];
static int reader;

static void pipe_make(void)
{
    struct rlimit limit;
    int ends[2];

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || pipe(ends) < 0 || dup2(ends[1], BEYOND) < 0)
        exit(2);
    reader = ends[0];
    limit.rlim_cur = LIMIT;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        exit(2);
}

static void look(void)
{
    struct rlimit limit;
    int wrong = 0;

    for (int i = 0; i < FILES; i++)
        wrong += lseek(files[i], 0, SEEK_CUR) != i || fcntl(files[i], F_GETFL) & O_NONBLOCK;
    is_int(wrong, 0, "%d open files", FILES);
    is_int(write(BEYOND, "x", 1), 1, "a descriptor beyond the limit of open files");
    ok(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == LIMIT, "which is as it was");
}

int main(int argc, char **argv)
{
    int node = remote_node(argc, argv);

    for (int i = 0; i < FILES; i++) {
        files[i] = open("/bin/sh", O_RDONLY);
        lseek(files[i], i, SEEK_SET);
    }
    pipe_make();
    remote_look(node, look);
    is_int((int)read(reader, (char[1]){ 0 }, 1), 1, "what was written there has come");
    return done_testing();
}
