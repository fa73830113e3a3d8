/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "libbproc/client.h"
#include "libbproc/programflight.h"
#include "libbproc/quietfork.h"

#define EXEC_FAILED 127

/* In the child. It stays what it is until it becomes the ghost, so it never returns. */
static void program_leave(struct depart *depart, const uint64_t *mask,
                          const struct flight_plan *plan)
{
    const struct program *program = plan->arg;
    int node, rank, error;

    client_release(depart->gate);
    client_release(depart->gate_far);
    client_forget_all_but(depart->conn);
    error = program_hand_over(depart, program, *mask);
    if (error)
        _exit(-error & 0xff);
    client_close(depart->conn);
    if (gate_wait(depart->gate, &node, &rank) == GATE_GHOST)
        ghost_exec(depart->gate, depart->parent, node, program->argv);
    _exit(CHILD_GAVE_UP);
}

__attribute__((noreturn))
static void program_start(const struct program *program, int status)
{
    int error = program_exec(program);

    (void)!write(status, &error, sizeof(error));
    _exit(EXEC_FAILED);
}

/*
 * The end of the pipe tells that the program runs. Quietly, so that one that cannot be executed
 * leaves nothing to be waited for.
 */
static pid_t program_stay(const struct flight_plan *plan)
{
    int pair[2], error = client_pipe(pair), failed = 0;
    pid_t pid = error ? -1 : quietfork();

    if (pid == 0)
        program_start(plan->arg, pair[1]);
    if (!error && pid < 0)
        error = -errno;
    client_close(pair[1]);
    if (!error) {
        while (read(pair[0], &failed, sizeof(failed)) < 0 && errno == EINTR)
            continue;
        error = failed;
        if (!quietfork_settle(pid) && !error)
            error = -EIO;
    }
    client_close(pair[0]);
    return error ? error : pid;
}

void programflight_plan(struct flight_plan *plan, int node, int flags,
                        const struct program *program)
{
    *plan = (struct flight_plan){ .kind = program->kind, .node = node, .flags = flags,
                                  .arg = program, .leave = program_leave, .stay = program_stay };
}
