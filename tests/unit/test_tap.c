/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tap.h"

/* Runs the failing cases where their output counts for nothing and returns the exit status. */
static int status_of_failures(void)
{
    int status = -1;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL)
            _exit(2);
        tap_count = 0;
        tap_planned = 0;
        is_int(1, 2, "unequal numbers");
        is_str("a", NULL, "a string and none");
        _exit(tap_failed == 2 ? done_testing() : 2);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

int main(void)
{
    plan(5);
    ok(true, "a true condition passes");
    is_int(2 + 2, 4, "equal numbers are equal");
    is_str("four", "four", "equal strings are equal");
    is_str(NULL, NULL, "no string equals none");
    is_int(status_of_failures(), 1, "failures are counted and make the exit status 1");
    return done_testing();
}
