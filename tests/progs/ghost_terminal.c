/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ghost_terminal NODE JOB: an interactive shell at a terminal runs JOB NODE, see ghost_job.c, and
 * somebody types Ctrl-C, Ctrl-Z, fg, bg and kill.
 */
#include "config.h"

#include "tests/progs/terminal.h"

/* The job says so when interrupts are its child's alone; the child may have been quicker. */
static bool job_shows(void)
{
    return shows("child: ") && shows("..........");
}

/* A key is the job's when the terminal is, and dots say nothing of that. */
static bool is_in_front(int shell)
{
    return tcgetpgrp(terminal) != shell;
}

int main(int argc, char **argv)
{
    char command[4096];
    int shell, status;

    remote_node(argc, argv);
    snprintf(command, sizeof(command), "%s %s\n", argc > 2 ? argv[2] : "", argv[1]);
    shell = shell_start();
    ok(shows("ready> "), "a shell at a terminal");
    type(command);
    ok(job_shows(), "its job has a child on the node");
    type("\003");
    ok(shows("ended: 2"), "Ctrl-C interrupts the child");
    ok(shows("ready> "), "and the job is done");
    type(command);
    ok(job_shows(), "another");
    type("\034");
    ok(shows("ended: 3") || shows("ended: 131"), "Ctrl-\\ makes it quit");
    shows("ready> ");
    type(command);
    ok(job_shows(), "another");
    type("\032");
    ok(shows("Stopped"), "Ctrl-Z stops the job");
    ok(eventually(is_quiet()), "and the child");
    type("jobs -l\n");
    ok(shows("Stopped"), "the shell knows");
    type("bg\n");
    ok(shows(".........."), "bg lets it go on");
    type("fg\n");
    ok(eventually(is_in_front(shell)), "fg gives it the terminal");
    ok(shows(".........."), "fg brings it back");
    type("\032");
    ok(shows("Stopped"), "Ctrl-Z stops it again");
    ok(eventually(is_quiet()), "the child, too");
    type("fg\n");
    ok(eventually(is_in_front(shell)), "fg gives it the terminal");
    ok(shows(".........."), "fg lets it go on");
    type("\003");
    ok(shows("ended: 2"), "Ctrl-C interrupts it");
    shows("ready> ");
    type("exit\n");
    is_int(wait_bounded(shell, &status, 0), shell, "the shell ends");
    return done_testing();
}
