/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * terminal_input NODE: an interactive shell has bpsh in the background, and somebody types. Both
 * want that, so bpsh stops as any other job does, and can be continued and ended like one.
 */
#include "config.h"

#include "tests/progs/terminal.h"

static int shell;

/*
 * The shell takes one key at a time, and on a busy machine each before bpsh looks. Of a job that
 * stops while it tidies up bash hears only with the next end of a child: it gets one now and then.
 */
static bool types_until(const char *text)
{
    double end = seconds_now() + 20;

    for (int round = 1; !strstr(screen, text) && seconds_now() < end; round++) {
        type(round % 16 == 0 ? "/bin/true\n" : "\n\n\n\n\n\n\n\n");
        while (screen_read(50) > 0)
            ;
    }
    return shows(text);
}

/* Waits until the shell has taken all that was typed and nothing but itself is in front. */
static bool idle(void)
{
    type("echo all $((3 + 4)) taken\n");
    return shows("all 7 taken\r\nready> ");
}

static bool in_front(bool of_the_shell)
{
    double end = seconds_now() + 10;

    while ((tcgetpgrp(terminal) == shell) != of_the_shell && seconds_now() < end)
        screen_read(20);
    return (tcgetpgrp(terminal) == shell) == of_the_shell;
}

static void stopped_for_input(const char *command)
{
    type(command);
    ok(types_until("Stopped") && idle(), "in the background it stops when somebody types");
}

int main(int argc, char **argv)
{
    int node = remote_node(argc, argv), status;
    char number[32];

    shell = shell_start();
    ok(shows("ready> "), "a shell at a terminal");
    snprintf(number, sizeof(number), "node=%d\n", node);
    type(number);
    stopped_for_input("bpsh -p $node sleep 72 &\n");
    type("fg\n");
    ok(in_front(false), "it comes to the foreground");
    type("\003");
    ok(in_front(true), "where Ctrl-C ends it at once");
    type("echo status $?\n");
    ok(shows("status 130\r\n"), "by the signal");

    stopped_for_input("bpsh $node cat &\n");
    type("fg\n");
    ok(in_front(false), "it comes to the foreground");
    type("words\n");
    ok(shows("words\r\nwords\r\n"), "where it reads what is typed");
    type("\004");
    ok(in_front(true), "to the end");

    stopped_for_input("bpsh $node cat &\n");
    type("kill %1\n");
    ok(types_until("Terminated"), "kill ends it");

    type("bpsh -n $node sleep 72\n");
    ok(types_until("running: n"), "one without input takes keys");
    type("\032");
    ok(in_front(true), "is stopped");
    type("bg; echo now\n");
    ok(shows("now\r\n"), "and goes on in the background");
    for (int i = 0; i < 20; i++) {
        type("\n");
        screen_read(20);
    }
    type("jobs | grep -c Running | sed 's/^/running /'\n");
    ok(shows("running 1\r\n"), "where typing does not stop it");
    type("kill %1; wait; exit\n");
    is_int(wait_bounded(shell, &status, 0), shell, "the shell ends");
    return done_testing();
}
