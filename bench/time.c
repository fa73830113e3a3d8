/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-time ROUNDS -- LABEL COMMAND… [-- LABEL COMMAND…]…
 *
 * Runs the commands in turn, ROUNDS times after a first round that does not count, and prints how
 * long each took from its start to its end. In turn, so that whatever else the machine does at the
 * moment falls upon all of them alike. Input and output of the commands are /dev/null.
 *
 * A command after `++` instead of `--` is started once. In its turn it is sent an empty line and
 * answers with a line, the microseconds that it has measured itself.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/stopwatch.h"

#define MAX_COMMANDS 24

struct command {
    const char *label;
    char **argv;
    int is_resident;
    pid_t pid; /* of one that is resident */
    FILE *questions, *answers;
};

extern char **environ;

static int is_mark(const char *word)
{
    return strcmp(word, "--") == 0 || strcmp(word, "++") == 0;
}

static int commands_split(struct command *commands, char **words)
{
    int count = 0;

    while (*words) {
        if (count == MAX_COMMANDS || !is_mark(words[0]) || !words[1] || !words[2])
            return 0;
        commands[count].is_resident = **words == '+';
        *words = NULL;
        commands[count].label = words[1];
        commands[count++].argv = words + 2;
        for (words += 2; *words && !is_mark(*words); words++)
            continue;
    }
    return count;
}

static pid_t command_start(const struct command *command, posix_spawn_file_actions_t *actions)
{
    pid_t pid;

    errno = posix_spawnp(&pid, command->argv[0], actions, NULL, command->argv, environ);
    if (errno)
        stopwatch_die("run", command->argv[0]);
    return pid;
}

static void resident_start(struct command *command)
{
    posix_spawn_file_actions_t actions;
    int questions[2], answers[2];

    if (pipe2(questions, O_CLOEXEC) < 0 || pipe2(answers, O_CLOEXEC) < 0)
        stopwatch_die("make pipes for", command->argv[0]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, questions[0], 0);
    posix_spawn_file_actions_adddup2(&actions, answers[1], 1);
    command->pid = command_start(command, &actions);
    posix_spawn_file_actions_destroy(&actions);
    close(questions[0]);
    close(answers[1]);
    command->questions = fdopen(questions[1], "w");
    command->answers = fdopen(answers[0], "r");
    if (!command->questions || !command->answers)
        stopwatch_die("talk to", command->argv[0]);
}

static void resident_ask(const struct command *command, int counts)
{
    double usec;

    if (fputc('\n', command->questions) == EOF || fflush(command->questions) == EOF ||
        fscanf(command->answers, "%lf", &usec) != 1) {
        fprintf(stderr, "bench: cannot time %s: it does not answer\n", command->label);
        exit(1);
    }
    if (counts)
        stopwatch_report(command->label, usec, 0);
}

static void resident_end(const struct command *command)
{
    fclose(command->questions);
    stopwatch_wait(command->label, command->pid);
    fclose(command->answers);
}

static void command_run(const struct command *command, posix_spawn_file_actions_t *actions,
                        int counts)
{
    int64_t start = stopwatch_now();
    pid_t pid = command_start(command, actions);

    stopwatch_wait(command->label, pid);
    if (counts)
        stopwatch_print(command->label, start, 0);
}

static void commands_race(struct command *commands, int count, int rounds)
{
    posix_spawn_file_actions_t actions;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (int round = 0; round <= rounds; round++)
        for (int i = 0; i < count; i++)
            if (commands[i].is_resident)
                resident_ask(&commands[i], round > 0);
            else
                command_run(&commands[i], &actions, round > 0);
    posix_spawn_file_actions_destroy(&actions);
}

int main(int argc, char **argv)
{
    struct command commands[MAX_COMMANDS];
    int rounds = argc > 1 ? atoi(argv[1]) : 0;
    int count = argc > 2 ? commands_split(commands, argv + 2) : 0;

    if (rounds <= 0 || count == 0) {
        fprintf(stderr, "usage: bench-time ROUNDS -- LABEL COMMAND... [-- LABEL COMMAND...]...\n"
                        "       where ++ marks a command that stays\n");
        return 2;
    }
    for (int i = 0; i < count; i++)
        if (commands[i].is_resident)
            resident_start(&commands[i]);
    commands_race(commands, count, rounds);
    for (int i = 0; i < count; i++)
        if (commands[i].is_resident)
            resident_end(&commands[i]);
    return 0;
}
