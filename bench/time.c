/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-time [-c] [-s SECONDS] ROUNDS -- LABEL COMMAND… [-- LABEL COMMAND…]…
 *
 * Runs the commands in turn, ROUNDS times after a first round that does not count, and prints how
 * long each took from its start to its end. In turn, so that whatever else the machine does at the
 * moment falls upon all of them alike. Input and output of the commands are /dev/null.
 *
 * With -c the first round counts, too: where each takes seconds, it differs from the others by
 * little. With -s no round begins after so many seconds, but three that count there are.
 *
 * A command after `++` instead of `--` is started once. In its turn it is sent an empty line and
 * answers with a line, the microseconds that it has measured itself. One after `==` takes so long
 * that it runs only once, in the first round that counts.
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
#define LEAST_ROUNDS 3

struct plan {
    int first, last;            /* rounds; those below 1 do not count */
    int seconds;                /* 0: as long as it takes */
};

struct command {
    const char *label;
    char **argv;
    int is_resident, is_single;
    pid_t pid; /* of one that is resident */
    FILE *questions, *answers;
};

extern char **environ;

static int is_mark(const char *word)
{
    return strcmp(word, "--") == 0 || strcmp(word, "++") == 0 || strcmp(word, "==") == 0;
}

static int commands_split(struct command *commands, char **words)
{
    int count = 0;

    while (*words) {
        if (count == MAX_COMMANDS || !is_mark(words[0]) || !words[1] || !words[2])
            return 0;
        commands[count].is_resident = **words == '+';
        commands[count].is_single = **words == '=';
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

static void commands_race(struct command *commands, int count, const struct plan *plan)
{
    int64_t end = stopwatch_now() + plan->seconds * INT64_C(1000000000);
    posix_spawn_file_actions_t actions;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    for (int round = plan->first; round <= plan->last; round++) {
        if (plan->seconds > 0 && round > LEAST_ROUNDS && stopwatch_now() > end)
            break;
        for (int i = 0; i < count; i++)
            if (commands[i].is_resident)
                resident_ask(&commands[i], round > 0);
            else if (!commands[i].is_single || round == 1)
                command_run(&commands[i], &actions, round > 0);
    }
    posix_spawn_file_actions_destroy(&actions);
}

/* What follows the options and the number of rounds; NULL if they make no sense. */
static char **plan_read(struct plan *plan, int argc, char **argv)
{
    int c;

    *plan = (struct plan){ .first = 0 };
    while ((c = getopt(argc, argv, "+cs:")) != -1) {
        if (c == '?')
            return NULL;
        if (c == 'c')
            plan->first = 1;
        else
            plan->seconds = atoi(optarg);
    }
    plan->last = optind < argc ? atoi(argv[optind]) : 0;
    return plan->last > 0 ? argv + optind + 1 : NULL;
}

int main(int argc, char **argv)
{
    struct command commands[MAX_COMMANDS];
    struct plan plan;
    char **words = plan_read(&plan, argc, argv);
    int count = words ? commands_split(commands, words) : 0;

    if (count == 0) {
        fprintf(stderr, "usage: bench-time [-c] [-s SECONDS] ROUNDS -- LABEL COMMAND...\n"
                        "                  [-- LABEL COMMAND...]...\n"
                        "       where ++ marks a command that stays, == one that runs once\n");
        return 2;
    }
    for (int i = 0; i < count; i++)
        if (commands[i].is_resident)
            resident_start(&commands[i]);
    commands_race(commands, count, &plan);
    for (int i = 0; i < count; i++)
        if (commands[i].is_resident)
            resident_end(&commands[i]);
    return 0;
}
