/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parents and children on different nodes, in TAP.
 *
 *     kin parent A B      a process on B signals its parent on A
 *     kin groups A B      a process on A sees the groups that its children on B make, and uses them
 *     kin quick B         programs on B signal their parent as soon as they run
 *     kin last B FILE     a process on B signals its parent and ends when FILE is there
 *     kin flood B         a process on B sends its parent signals without end
 *     kin orphan B        a child goes to B by bproc_rexec(); it waits for init to be its parent
 */
#include "tests/progs/remote.h"

#include <fcntl.h>
#include <signal.h>

static volatile sig_atomic_t plain, value;

static void on_signal(int signo, siginfo_t *info, void *context)
{
    (void)context;
    if (signo == SIGUSR1)
        plain = 1;
    else
        value = info->si_value.sival_int;
}

static void letter_send(int pipe_end)
{
    (void)!write(pipe_end, "x", 1);
}

static int letter_wait(int pipe_end)
{
    char byte;

    return read(pipe_end, &byte, 1) == 1;
}

/* ---- signals for a parent ---- */

/* Each letter lets it do the next thing to its parent. */
static void child_run(int go, int say)
{
    union sigval number = { .sival_int = 4711 };
    int parent = getppid();

    kill(parent, SIGUSR1);
    sigqueue(parent, SIGRTMIN, number);
    letter_wait(go);
    kill(parent, SIGSTOP);
    letter_wait(go);
    kill(parent, SIGCONT);
    letter_wait(go);
    kill(parent, SIGKILL);
    if (eventually(getppid() == 1))
        letter_send(say);
    _exit(0);
}

static void parent_run(int node, int *go, int *say)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN, &action, NULL);
    if (remote_fork(node) == 0)
        child_run(go[0], say[1]);
    ok(eventually(plain), "a signal reaches the parent");
    ok(eventually(value == 4711), "and one with a value");
    fflush(stdout);
    close(go[0]);
    close(say[1]);
    letter_send(go[1]);
    for (;;)
        pause();
}

static void parent(int place, int node)
{
    int go[2], say[2], status, pid;

    if (pipe(go) < 0 || pipe(say) < 0)
        exit(1);
    pid = remote_fork(place);
    if (pid == 0)
        parent_run(node, go, say);
    close(go[0]);
    close(say[1]);
    ok(wait_bounded(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status), "SIGSTOP stops it");
    letter_send(go[1]);
    ok(wait_bounded(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status),
       "SIGCONT lets it go on");
    letter_send(go[1]);
    ok(wait_bounded(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
       "SIGKILL ends it");
    ok(letter_wait(say[0]), "and then the child has no parent");
}

/* ---- groups of children ---- */

static int member_start(int node, int leader, int session)
{
    int pid = remote_fork(node);

    if (pid != 0)
        return pid;
    if (session)
        setsid();
    else
        setpgid(0, leader);
    alarm(30);
    for (;;)
        pause();
}

static int is_ended(int pid, int signo)
{
    int status;

    return wait_bounded(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == signo;
}

static void groups_look(int node)
{
    int first = member_start(node, 0, 0), second, leader;

    ok(eventually(getpgid(first) == first), "a child makes itself a group's leader");
    second = member_start(node, first, 0);
    ok(eventually(getpgid(second) == first), "another one joins it");
    ok(kill(-first, SIGTERM) == 0, "a signal to the group");
    ok(is_ended(first, SIGTERM) && is_ended(second, SIGTERM), "reaches both");
    leader = member_start(node, 0, 1);
    ok(eventually(getsid(leader) == leader), "a third one leads a session");
    ok(kill(-leader, SIGTERM) == 0 && is_ended(leader, SIGTERM), "and its group has a signal, too");
}

static void groups(int place, int node)
{
    int status, pid = remote_fork(place);

    if (pid == 0) {
        groups_look(node);
        fflush(stdout);
        _exit(tap_failed ? 1 : 0);
    }
    ok(waitpid(pid, &status, 0) == pid && status == 0, "the parent on node %d has seen all", place);
}

/* ---- more signals than anybody wants ---- */

static void flood(int node)
{
    union sigval number = { .sival_int = 1 };
    int status, pid;

    signal(SIGRTMIN, SIG_IGN);
    pid = remote_fork(node);
    if (pid != 0) {
        printf("floods\n");
        fflush(stdout);
        waitpid(pid, &status, 0);
        return;
    }
    alarm(50);
    for (;;)
        sigqueue(getppid(), SIGRTMIN, number);
}

/* ---- signals of a child that has just begun ---- */

static int is_heard(int node, char *text)
{
    char *command[] = { (char[]){ "sh" }, (char[]){ "-c" }, text, NULL };
    int status, pid;

    plain = 0;
    pid = fork();
    if (pid == 0) {
        bproc_rexec(node, "/bin/sh", command, (char *[]){ NULL });
        _exit(1);
    }
    wait_bounded(pid, &status, 0);
    return plain;
}

static void quick(int node)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
    int own = 0, child = 0;

    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < 40; i++) {
        own += is_heard(node, (char[]){ "kill -USR1 $PPID" });
        child += is_heard(node, (char[]){ "(kill -USR1 $PPID)" });
    }
    is_int(own, 40, "a signal of a program that has just begun gets to its parent");
    is_int(child, 40, "so is that of a child of such a one");
}

/* ---- a signal right before the end ---- */

static void last(int node, const char *file)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
    int status, pid;

    sigaction(SIGUSR1, &action, NULL);
    pid = remote_fork(node);
    if (pid == 0) {
        (void)eventually(access(file, F_OK) == 0);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    printf("# it runs\n");
    fflush(stdout);
    ok(waitpid(pid, &status, 0) == pid && plain, "its signal has come before its end");
}

/* ---- a parent that is killed while its child is on its way ---- */

static void orphan(int node)
{
    char *command[] = { (char[]){ "sh" }, (char[]){ "-c" },
                        (char[]){ "until [ $(ps -o ppid= -p $$) = 1 ]; do sleep 0.05; done;"
                                  " touch /tmp/orphan" },
                        NULL };

    if (fork() == 0) {
        bproc_rexec(node, "/bin/sh", command, (char *[]){ NULL });
        _exit(1);
    }
    alarm(30);
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "parent") == 0)
        parent(atoi(argv[2]), atoi(argv[3]));
    else if (argc == 4 && strcmp(argv[1], "groups") == 0)
        groups(atoi(argv[2]), atoi(argv[3]));
    else if (argc == 4 && strcmp(argv[1], "last") == 0)
        last(atoi(argv[2]), argv[3]);
    else if (argc == 3 && strcmp(argv[1], "flood") == 0)
        flood(atoi(argv[2]));
    else if (argc == 3 && strcmp(argv[1], "quick") == 0)
        quick(atoi(argv[2]));
    else if (argc == 3 && strcmp(argv[1], "orphan") == 0)
        orphan(atoi(argv[2]));
    else
        return 2;
    return done_testing();
}
