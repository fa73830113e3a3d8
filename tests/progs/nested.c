/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forks from nodes: what a parent sees that is on a node itself, in TAP.
 *
 *     nested chain NODE...   each level forks the next one onto the next node
 *     nested signals A B     a parent on A stops, continues and ends its child on B
 *     nested lost A B        the same, for a child whose node goes: "lost ready", then waits
 *     nested orphan A B      a parent on A ends before its child on B
 *     nested exec A B        a parent on A has programs executed on B
 *     nested refuse A NODE   what an rfork from A to NODE says, and that it leaves nothing
 *     nested streams A B N   a child on B writes N MiB to its parent on A
 */
#include "tests/progs/remote.h"

#include <signal.h>

static int node_arg(char **argv, int index)
{
    return atoi(argv[index]);
}

static void chain(char **nodes)
{
    int parent = getpid(), depth = 0, status, pid;

    for (;;) {
        if (!nodes[depth])
            _exit(40 - depth);
        pid = remote_fork(atoi(nodes[depth]));
        if (pid != 0)
            break;
        is_int(bproc_currnode(), atoi(nodes[depth]), "level %d is on node %s", depth,
               nodes[depth]);
        is_int(getppid(), parent, "and knows its parent");
        fflush(stdout);
        parent = getpid();
        depth++;
    }
    is_int(waitpid(pid, &status, 0), pid, "its parent on node %d can wait for it",
           bproc_currnode());
    ok(WIFEXITED(status), "and sees how it ended");
    fflush(stdout);
    if (depth > 0)
        _exit(tap_failed ? 99 : WEXITSTATUS(status) + 1);
    is_int(WEXITSTATUS(status), 39, "the status has come all the way");
}

static void on_parent(int node, void (*run)(int), int arg)
{
    int status, pid = remote_fork(node);

    if (pid == 0) {
        run(arg);
        fflush(stdout);
        _exit(tap_failed ? 1 : 0);
    }
    ok(waitpid(pid, &status, 0) == pid && status == 0, "the parent on node %d has seen all", node);
}

static volatile sig_atomic_t got;

static void on_signal(int signo, siginfo_t *info, void *context)
{
    (void)context;
    got = signo == SIGUSR1 ? info->si_value.sival_int : signo;
}

static int child_start(int node)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
    int pid;

    /* The child's, from its first instruction on. */
    sigaction(SIGUSR1, &action, NULL);
    pid = remote_fork(node);
    if (pid != 0)
        return pid;
    while (!got)
        usleep(5000);
    _exit(got);
}

/* That it was stopped may be told when the ghost goes on already, and next that it has ended. */
static void ends_as_it_goes_on(int node)
{
    union sigval value = { .sival_int = 77 };
    int status, wrong = 0;

    for (int i = 0; i < 20; i++) {
        int pid = child_start(node);

        kill(pid, SIGSTOP);
        waitpid(pid, &status, WUNTRACED);
        kill(pid, SIGCONT);
        sigqueue(pid, SIGUSR1, value);
        if (wait_bounded(pid, &status, 0) != pid || status != 77 << 8) {
            wrong++;
            kill(pid, SIGKILL);
        }
    }
    is_int(wrong, 0, "a child that ends as it goes on is seen to");
}

static void signals(int node)
{
    union sigval value = { .sival_int = 77 };
    int status = 0, pid = child_start(node);

    ok(kill(pid, SIGSTOP) == 0, "stopped from the parent's node");
    ok(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status), "the parent sees the stop");
    is_int(WSTOPSIG(status), SIGSTOP, "and by which signal");
    ok(kill(pid, SIGCONT) == 0, "continued");
    ok(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status), "the parent sees that");
    ok(sigqueue(pid, SIGUSR1, value) == 0, "a signal with a value");
    ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "the child ends by it");
    is_int(WEXITSTATUS(status), 77, "and got the value");
    pid = child_start(node);
    kill(pid, SIGTERM);
    ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "one that is ended by a signal");
    is_int(WTERMSIG(status), SIGTERM, "is seen to have been");
    pid = child_start(node);
    kill(pid, SIGKILL);
    ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "one that is killed");
    is_int(WTERMSIG(status), SIGKILL, "as well");
    ends_as_it_goes_on(node);
    ok(waitpid(-1, &status, WNOHANG) < 0 && errno == ECHILD, "no child is left");
}

static void lost(int node)
{
    int status, pid = child_start(node);

    printf("# lost ready\n");
    fflush(stdout);
    ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status), "the child is gone with its node");
    is_int(WTERMSIG(status), SIGKILL, "as if killed");
}

static void orphan(int node)
{
    int parent = getpid(), seen[2], pid;
    char byte;

    if (pipe(seen) < 0)
        exit(1);
    pid = remote_fork(node);
    if (pid > 0) {
        close(seen[1]);
        (void)!read(seen[0], &byte, 1);
        return;
    }
    is_int(getppid(), parent, "the child has its parent");
    close(seen[1]);
    ok(eventually(getppid() == 1), "until that has ended");
    fflush(stdout);
    _exit(0);
}

static int program_status(int node, const char *path, int moves)
{
    char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "exit 5" }, NULL };
    char *envp[] = { NULL };
    int status, pid = fork();

    if (pid == 0) {
        (void)(moves ? bproc_execmove(node, path, argv, envp)
                     : bproc_rexec(node, path, argv, envp));
        _exit(errno);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static void programs(int node)
{
    is_int(program_status(node, "/bin/sh", 0), 5, "a program executed from a node");
    is_int(program_status(node, "/bin/sh", 1), 5, "and one that is sent from it");
    is_int(program_status(node, "/no/such", 0), ENOENT, "one that is not there says so");
}

static void refuse(int node)
{
    int status, pid = bproc_rfork(node);

    if (pid == 0)
        _exit(0);
    printf("# refused: %s\n", pid < 0 ? bproc_strerror(errno) : "no");
    ok(pid < 0, "the fork to node %d is refused", node);
    ok(waitpid(-1, &status, WNOHANG) < 0 && errno == ECHILD, "no child is left");
}

static int megabytes;

static void streams(int node)
{
    static char bytes[1 << 16];
    int ends[2], pid, status;
    long long total = 0;
    ssize_t n;

    if (pipe(ends) < 0)
        exit(1);
    pid = remote_fork(node);
    if (pid == 0) {
        close(ends[0]);
        memset(bytes, 'x', sizeof(bytes));
        for (int i = 0; i < megabytes * 16; i++)
            for (size_t at = 0; at < sizeof(bytes); at += (size_t)n)
                if ((n = write(ends[1], bytes + at, sizeof(bytes) - at)) <= 0)
                    _exit(1);
        _exit(0);
    }
    close(ends[1]);
    while ((n = read(ends[0], bytes, sizeof(bytes))) > 0)
        total += n;
    is_int((int)(total >> 20), megabytes, "a pipe between the nodes carries all of it");
    ok(waitpid(pid, &status, 0) == pid && status == 0, "and the writer has ended well");
}

int main(int argc, char **argv)
{
    int held[2];
    char byte;
    static const struct { const char *name; void (*run)(int); } runs[] = {
        { "signals", signals }, { "lost", lost }, { "orphan", orphan }, { "exec", programs },
        { "refuse", refuse }, { "streams", streams }
    };

    if (argc >= 3 && strcmp(argv[1], "chain") == 0)
        chain(argv + 2);
    for (size_t i = 0; argc >= 4 && i < sizeof(runs) / sizeof(runs[0]); i++) {
        if (strcmp(argv[1], runs[i].name) != 0)
            continue;
        megabytes = argc > 4 ? node_arg(argv, 4) : 0;
        if (pipe(held) < 0)
            return 1;
        on_parent(node_arg(argv, 2), runs[i].run, node_arg(argv, 3));
        /* Who has outlived his parent may still speak. */
        close(held[1]);
        (void)!read(held[0], &byte, 1);
    }
    return done_testing();
}
