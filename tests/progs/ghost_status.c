/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ghost_status NODE: how the child ends is how the parent sees it end, once. */
#include "config.h"

#include <signal.h>
#include <sys/resource.h>

#include "tests/progs/remote.h"

static int node;
static volatile sig_atomic_t sigchlds;
static siginfo_t last;

static void on_sigchld(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    last = *info;
    sigchlds++;
}

static void sigchld_count(void)
{
    struct sigaction action = { .sa_sigaction = on_sigchld, .sa_flags = SA_SIGINFO | SA_RESTART };

    sigaction(SIGCHLD, &action, NULL);
}

static void exits_with(int code)
{
    int status, pid;

    sigchlds = 0;
    pid = remote_fork(node);
    if (pid == 0)
        _exit(code);
    eventually(sigchlds > 0);
    is_int(wait_bounded(pid, &status, 0), pid, "the child that exits with %d is there", code);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == code, "and did exit with %d", code);
    usleep(20000);
    is_int(sigchlds, 1, "one SIGCHLD came");
    ok(last.si_pid == pid && last.si_code == CLD_EXITED && last.si_status == code,
       "and told of this");
    ok(waitpid(-1, &status, __WALL) < 0 && errno == ECHILD, "no child is left");
}

static void dies_by(int signo)
{
    struct rlimit none = { 0, 0 };
    int status, pid = remote_fork(node);

    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &none);
        signal(signo, SIG_DFL);
        raise(signo);
        _exit(1);
    }
    wait_bounded(pid, &status, 0);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == signo && !WCOREDUMP(status), "death by %s",
       signo < SIGRTMIN ? sigabbrev_np(signo) : "a real-time signal");
}

static void ends_in_order(void)
{
    int pids[3], status, count = 0;

    sigchlds = 0;
    for (int i = 0; i < 3; i++) {
        pids[i] = remote_fork(node);
        if (pids[i] == 0) {
            usleep((useconds_t)(3 - i) * 50000);
            exit(40 + i);
        }
    }
    for (int i = 0; i < 3; i++) {
        int pid = waitpid(-1, &status, 0);

        for (int k = 0; k < 3; k++)
            count += pid == pids[k] && status == (40 + k) << 8;
    }
    is_int(count, 3, "three children at once, each with its own status");
}

/* A parent that does not care: the kernel reaps. */
static void reaped_by_kernel(void)
{
    int pid, status;

    signal(SIGCHLD, SIG_IGN);
    pid = remote_fork(node);
    if (pid == 0)
        _exit(3);
    ok(waitpid(pid, &status, 0) < 0 && errno == ECHILD, "with SIGCHLD ignored there is no status");
    ok(kill(pid, 0) < 0 && errno == ESRCH, "and no zombie");
    sigchld_count();
}

static void waitid_sees(void)
{
    siginfo_t info = { .si_pid = 0 };
    int pid = remote_fork(node);

    if (pid == 0)
        _exit(11);
    is_int(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0, "waitid that leaves it");
    ok(info.si_pid == pid && info.si_status == 11 && info.si_uid == getuid(), "tells who and how");
    is_int(waitid(P_PID, (id_t)pid, &info, WEXITED), 0, "waitid that takes it");
}

static void library_ends(void)
{
    int status, pid = remote_fork(node);

    if (pid == 0)
        exit(12);
    wait_bounded(pid, &status, 0);
    is_int(status, 12 << 8, "exit");
    pid = remote_fork(node);
    if (pid == 0)
        abort();
    wait_bounded(pid, &status, 0);
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "abort");
}

int main(int argc, char **argv)
{
    static const int codes[] = { 0, 1, 7, 127, 128, 255 };
    static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS,
                                   SIGFPE, SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM,
                                   SIGTERM, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGPOLL,
                                   SIGSYS };

    node = remote_node(argc, argv);
    sigchld_count();
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        exits_with(codes[i]);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        dies_by(signals[i]);
    dies_by(SIGRTMIN + 5);
    dies_by(SIGRTMAX);
    ends_in_order();
    reaped_by_kernel();
    waitid_sees();
    library_ends();
    return done_testing();
}
