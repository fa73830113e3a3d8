/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * space_terminal NODE NODE: an interactive shell runs a pipeline whose members are on both nodes,
 * the first of them with a child of its own, and somebody types Ctrl-Z, fg and Ctrl-C.
 */
#include "config.h"

#include "tests/progs/terminal.h"

int main(int argc, char **argv)
{
    int first = remote_node(argc, argv), shell, status;
    char command[4096];

    snprintf(command, sizeof(command),
             "bpsh %d sh -c 'while :; do echo tick; sleep 0.1; done' | bpsh %s sed -u s/ick/ack/\n",
             first, argc > 2 ? argv[2] : "");
    shell = shell_start();
    ok(shows("ready> "), "a shell at a terminal");
    type(command);
    ok(shows("tack"), "a pipeline through two nodes");
    for (int i = 0; i < 2; i++) {
        type("\032");
        ok(shows("Stopped"), "Ctrl-Z stops it");
        ok(eventually(is_quiet()), "all of it");
        type("fg\n");
        ok(eventually(tcgetpgrp(terminal) != shell), "fg takes it to the foreground");
        ok(shows("tack"), "and lets it go on");
    }
    type("\003");
    ok(eventually(tcgetpgrp(terminal) == shell), "Ctrl-C ends it");
    ok(shows("ready> "), "and the shell goes on");
    type("jobs | wc -l | sed 's/^/left /'\n");
    ok(shows("left 0"), "and no job is left");
    type("exit\n");
    is_int(wait_bounded(shell, &status, 0), shell, "the shell ends");
    return done_testing();
}
