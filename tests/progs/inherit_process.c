/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inherit_process NODE: what the kernel knows of a process is the same in the child: signals,
 * limits, identity, working directory, arguments. Run as root and as another user.
 */
#include "config.h"

#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/progs/remote.h"

#define GROUPS 64
#define TEXT 4096

static const struct { int which; const char *name; rlim_t cur, max; } limits[] = {
    { RLIMIT_NOFILE, "open files", 200, 300 },
    { RLIMIT_CORE, "core size", 0, 4096 },
    { RLIMIT_FSIZE, "file size", 1 << 20, 1 << 21 },
    { RLIMIT_STACK, "stack", 4 << 20, 6 << 20 },
    { RLIMIT_NPROC, "processes", 5000, 6000 },
    { RLIMIT_AS, "address space", 1 << 30, RLIM_INFINITY },
    { RLIMIT_MEMLOCK, "locked memory", 32768, 65536 },
    { RLIMIT_CPU, "processor time", 1000, 2000 },
};

static uid_t uids[3];
static gid_t gids[3], groups[GROUPS];
static int ngroups, parent;
static pid_t group;
static char directory[TEXT], command[TEXT];
static size_t command_len;
static volatile sig_atomic_t taken, on_alternate;
static char alternate[65536];

static void handler(int signo, siginfo_t *info, void *context)
{
    char here;

    (void)info;
    (void)context;
    taken = signo;
    on_alternate = &here >= alternate && &here < alternate + sizeof(alternate);
}

static size_t command_read(char *text)
{
    FILE *file = fopen("/proc/self/cmdline", "r");
    size_t len = file ? fread(text, 1, TEXT, file) : 0;

    if (file)
        fclose(file);
    return len;
}

static void signals_set(void)
{
    stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
    struct sigaction action = { .sa_sigaction = handler };
    sigset_t mask;

    sigaltstack(&stack, NULL);
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGSYS, &action, NULL);
    signal(SIGHUP, SIG_IGN);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGRTMIN + 3);
    sigprocmask(SIG_BLOCK, &mask, NULL);
}

static void signals_look(void)
{
    struct sigaction action;
    sigset_t mask, pending;
    int wrong = 0;

    sigaction(SIGUSR1, NULL, &action);
    ok(action.sa_sigaction == handler && (action.sa_flags & SA_ONSTACK) &&
           sigismember(&action.sa_mask, SIGUSR2), "a signal handler with its flags and mask");
    raise(SIGUSR1);
    ok(taken == SIGUSR1, "runs");
    ok(on_alternate, "on the alternate signal stack");
    taken = 0;
    raise(SIGSYS);
    ok(taken == SIGSYS, "so does one for SIGSYS");
    sigaction(SIGHUP, NULL, &action);
    ok(action.sa_handler == SIG_IGN, "an ignored signal");
    sigaction(SIGCHLD, NULL, &action);
    ok(action.sa_handler == SIG_DFL, "a signal left at its default");
    sigprocmask(SIG_BLOCK, NULL, &mask);
    for (int signo = 1; signo <= SIGRTMAX; signo++)
        if (sigismember(&mask, signo) > 0)
            wrong += signo != SIGTERM && signo != SIGRTMIN + 3;
    ok(sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGRTMIN + 3) == 1,
       "blocked signals are blocked");
    is_int(wrong, 0, "no others are");
    sigpending(&pending);
    ok(sigisemptyset(&pending), "no signal is pending");
}

static void limits_set(void)
{
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit = { limits[i].cur, limits[i].max };

        if (setrlimit(limits[i].which, &limit) < 0)
            diag("cannot set the limit of %s: %s", limits[i].name, strerror(errno));
    }
}

static void limits_look(void)
{
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit = { 0, 0 };

        getrlimit(limits[i].which, &limit);
        ok(limit.rlim_cur == limits[i].cur && limit.rlim_max == limits[i].max,
           "the limit of %s", limits[i].name);
    }
}

static void identity_look(void)
{
    uid_t u[3];
    gid_t g[3], list[GROUPS];
    int count;

    getresuid(&u[0], &u[1], &u[2]);
    getresgid(&g[0], &g[1], &g[2]);
    ok(memcmp(u, uids, sizeof(u)) == 0, "user ids");
    ok(memcmp(g, gids, sizeof(g)) == 0, "group ids");
    count = getgroups(GROUPS, list);
    ok(count == ngroups && memcmp(list, groups, sizeof(gid_t) * (size_t)count) == 0,
       "%d supplementary groups", ngroups);
}

static void look(void)
{
    char text[TEXT], name[17] = "";
    mode_t mask = umask(0);

    signals_look();
    limits_look();
    identity_look();
    is_int(mask, 031, "umask");
    is_int(getpriority(PRIO_PROCESS, 0), 7, "nice");
    is_str(getcwd(text, sizeof(text)), directory, "working directory");
    ok(command_read(text) == command_len && memcmp(text, command, command_len) == 0,
       "arguments as ps shows them");
    is_str(getenv("TESTS_INHERIT"), "a=b c", "environment");
    prctl(PR_GET_NAME, name);
    is_str(name, "inheritor", "name");
    is_int(personality(0xffffffff), ADDR_NO_RANDOMIZE, "personality");
    is_int(getppid(), parent, "parent");
    is_int(getpgrp(), group, "process group");
    is_int(bproc_currnode(), atoi(getenv("TESTS_NODE")), "it is on the node");
}

int main(int argc, char **argv)
{
    int node = remote_node(argc, argv);
    struct passwd *user = getpwuid(getuid());

    setenv("TESTS_INHERIT", "a=b c", 1);
    setenv("TESTS_NODE", argv[1], 1);
    getresuid(&uids[0], &uids[1], &uids[2]);
    getresgid(&gids[0], &gids[1], &gids[2]);
    if (getuid() == 0)
        setgroups(3, (gid_t[]){ 4, 24, 70000 });
    ngroups = getgroups(GROUPS, groups);
    diag("as %s", user ? user->pw_name : "somebody");
    parent = getpid();
    group = getpgrp();
    umask(031);
    errno = 0;
    if (nice(7) < 0 && errno)
        return 2;
    if (chdir("/usr/share") < 0 || !getcwd(directory, sizeof(directory)))
        return 2;
    prctl(PR_SET_NAME, "inheritor");
    personality(ADDR_NO_RANDOMIZE);
    command_len = command_read(command);
    signals_set();
    limits_set();
    remote_look(node, look);
    return done_testing();
}
