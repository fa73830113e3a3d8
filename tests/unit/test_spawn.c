/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <signal.h>
#include <sys/wait.h>

#include "common/spawn.h"
#include "tests/unit/tap.h"

#define ROUNDS 200

static pid_t start(const char *program, const char *argument)
{
    char path[32], word[32];
    char *const argv[] = { path, word, NULL };

    snprintf(path, sizeof(path), "%s", program);
    snprintf(word, sizeof(word), "%s", argument);
    return spawn(argv, -1, -1);
}

/* How many of the programs were there to be killed as soon as they were started. */
static int killed_at_once(void)
{
    int found = 0;

    for (int i = 0; i < ROUNDS; i++) {
        pid_t pid = start("/bin/sleep", "60");
        int status;

        if (pid <= 0)
            continue;
        if (kill(-pid, SIGKILL) == 0)
            found++;
        else
            kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    return found;
}

static int exit_status(const char *program)
{
    pid_t pid = start(program, "");
    int status;

    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
    is_int(killed_at_once(), ROUNDS, "a program is a group of its own from the first moment on");
    is_int(exit_status("/bin/false"), 1, "its status is its own");
    is_int(exit_status("/nowhere/program"), 127, "one that is missing");
    is_int(exit_status("/"), 255, "one that cannot be executed");
    return done_testing();
}
