/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-time ROUNDS -- LABEL COMMAND… [-- LABEL COMMAND…]…
 *
 * Runs the commands in turn, ROUNDS times after a first round that does not count, and prints how
 * long each took from its start to its end. In turn, so that whatever else the machine does at the
 * moment falls upon all of them alike. Input and output of the commands are /dev/null.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/stopwatch.h"

#define MAX_COMMANDS 8

struct command {
    const char *label;
    char **argv;
};

extern char **environ;

static int commands_split(struct command *commands, char **words)
{
    int count = 0;

    while (*words) {
        if (count == MAX_COMMANDS || !words[0] || strcmp(words[0], "--") != 0 || !words[1] ||
            !words[2])
            return 0;
        *words = NULL;
        commands[count].label = words[1];
        commands[count++].argv = words + 2;
        for (words += 2; *words && strcmp(*words, "--") != 0; words++)
            continue;
    }
    return count;
}

static void command_run(const struct command *command, posix_spawn_file_actions_t *actions,
                        int counts)
{
    int64_t start = stopwatch_now();
    pid_t pid;

    errno = posix_spawnp(&pid, command->argv[0], actions, NULL, command->argv, environ);
    if (errno)
        stopwatch_die("run", command->argv[0]);
    stopwatch_wait(command->label, pid);
    if (counts)
        stopwatch_print(command->label, start, 0);
}

int main(int argc, char **argv)
{
    struct command commands[MAX_COMMANDS];
    posix_spawn_file_actions_t actions;
    int rounds = argc > 1 ? atoi(argv[1]) : 0;
    int count = argc > 2 ? commands_split(commands, argv + 2) : 0;

    if (rounds <= 0 || count == 0) {
        fprintf(stderr, "usage: bench-time ROUNDS -- LABEL COMMAND... [-- LABEL COMMAND...]...\n");
        return 2;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (int round = 0; round <= rounds; round++)
        for (int i = 0; i < count; i++)
            command_run(&commands[i], &actions, round > 0);
    posix_spawn_file_actions_destroy(&actions);
    return 0;
}
