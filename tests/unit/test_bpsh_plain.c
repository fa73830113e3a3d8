/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command is over whose output goes through bpsh, and what it has left writes on and on. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tap.h"
#include "tools/bpsh_outfile.h"
#include "tools/bpsh_plain.h"

#define MOST (128U << 20)           /* that it writes unless it is told to stop */
#define PIECE 65536

struct shared {
    atomic_int stop;
    atomic_uint written, arrived;
};

static struct shared *shared;

void outfile_settle(struct task *task)
{
    (void)task;
}

void task_close_input(struct task *task)
{
    (void)task;
}

void task_free(struct task *task)
{
    (void)task;
}

static pid_t child_start(void (*run)(const int *fds), const int *fds)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    run(fds);
    _exit(0);
}

static void writer_run(const int *fds)
{
    static char bytes[PIECE];
    ssize_t n = 1;

    close(fds[0]);
    while (n > 0 && !atomic_load(&shared->stop) && atomic_load(&shared->written) < MOST) {
        n = write(fds[1], bytes, sizeof(bytes));
        atomic_fetch_add(&shared->written, n > 0 ? (unsigned)n : 0);
    }
}

/* The file is slower than what is written to it: a piece goes when there are more. */
static void file_run(const int *fds)
{
    static char bytes[PIECE];
    ssize_t n = 1;
    int there;

    close(fds[1]);
    close(fds[3]);
    while (n > 0) {
        do
            ioctl(fds[0], FIONREAD, &there);
        while (there == 0 && !atomic_load(&shared->stop) && atomic_load(&shared->written) < MOST);
        n = read(fds[2], bytes, sizeof(bytes));
        atomic_fetch_add(&shared->arrived, n > 0 ? (unsigned)n : 0);
    }
}

static int succeeds(pid_t pid)
{
    int status = -1;

    return waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void)
{
    int fds[4];                         /* from the command, to the file */
    struct task_plan plan = { .count = 1 };
    struct task task = { .out = { OUTPUT_NONE, OUTPUT_NONE } };
    struct run run = { .tasks = &task, .count = 1, .plan = &plan };
    pid_t writer, file;

    signal(SIGPIPE, SIG_IGN);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || pipe(fds) < 0 || pipe(fds + 2) < 0)
        skip_all("no pipes");
    fcntl(fds[3], F_SETPIPE_SZ, 4096);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    sigprocmask(SIG_BLOCK, NULL, &plan.mask);
    writer = child_start(writer_run, fds);
    file = child_start(file_run, fds);
    close(fds[1]);
    close(fds[2]);
    output_open(&task.out[0], fds[0], sink_new(fds[3], "file"), &plan.style);
    plain_leave(&run);
    ok(atomic_load(&shared->written) < MOST, "bpsh leaves while that is written");
    atomic_store(&shared->stop, 1);
    sink_free(task.out[0].sink);
    output_close(&task.out[0]);
    ok(succeeds(writer) && succeeds(file), "which goes on");
    is_int(atomic_load(&shared->arrived), atomic_load(&shared->written), "and all of it arrives");
    return done_testing();
}
