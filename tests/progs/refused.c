/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refused ERROR NODE [FLAGS [PORT [STATE]]]: the rfork fails with that errno and leaves no trace:
 * no child, zombie or SIGCHLD; descriptors, memory, signals and directory as before. STATE brings
 * the process into one in which it cannot be sent.
 */
#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/progs/errorname.h"
#include "tests/progs/remote.h"

#define TRACES 256
#define MEMORY (4 << 20)

static volatile sig_atomic_t sigchlds;
static unsigned char *memory;

static void on_sigchld(int signo)
{
    (void)signo;
    sigchlds++;
}

static void on_sigsys(int signo)
{
    (void)signo;
}

/* ---- states ---- */

static void state_userfault(void)
{
    struct uffdio_api api = { .api = UFFD_API };
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

    if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0)
        skip_all("needs userfaultfd");
}

static void state_streams(void)
{
    int pair[2];

    for (int i = 0; i < 150; i++)
        if (pipe(pair) < 0)
            exit(2);
}

static void state_file(void)
{
    if (open("/run/only-here", O_RDWR | O_CREAT, 0600) < 0)
        exit(2);
}

static void state_secret(void)
{
    if (open("/srv/files/secret", O_RDWR | O_CREAT, 0600) < 0)
        exit(2);
}

static void state_setuid(void)
{
    if (setresuid(65534, 65534, 0) < 0)
        exit(2);
}

static void state_descriptors(void)
{
    struct rlimit limit = { 8, 8 };

    setrlimit(RLIMIT_NOFILE, &limit);
    while (dup(0) >= 0)
        continue;
}

static void state_processes(void)
{
    struct rlimit limit = { 0, 0 };

    setrlimit(RLIMIT_NPROC, &limit);
    if (setresuid(65534, 65534, 65534) < 0)
        exit(2);
}

static void state_fifo(void)
{
    unlink("/run/refused.fifo");
    if (mkfifo("/run/refused.fifo", 0600) < 0 || open("/run/refused.fifo", O_RDWR) < 0)
        exit(2);
}

static const struct { const char *name; void (*enter)(void); } states[] = {
    { "userfault", state_userfault }, { "streams", state_streams },
    { "file", state_file }, { "secret", state_secret }, { "setuid", state_setuid },
    { "descriptors", state_descriptors }, { "processes", state_processes },
    { "fifo", state_fifo },
};

static void state_enter(const char *name)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(states[i].name, name) == 0) {
            states[i].enter();
            return;
        }
    }
    exit(2);
}

/* ---- before and after ---- */

struct trace {
    char files[TRACES][64];             /* by descriptor */
    int flags[TRACES];
    long long offset[TRACES];
    char directory[PATH_MAX];
    sigset_t mask;
    mode_t umask;
    void (*sigsys)(int);
};

static void trace_take(struct trace *trace)
{
    struct sigaction action;

    memset(trace, 0, sizeof(*trace));
    for (int fd = 0; fd < TRACES; fd++) {
        struct stat st;

        if (fstat(fd, &st) < 0)
            continue;
        snprintf(trace->files[fd], sizeof(trace->files[fd]), "%lu:%lu", (unsigned long)st.st_dev,
                 (unsigned long)st.st_ino);
        trace->flags[fd] = fcntl(fd, F_GETFD) << 24 | fcntl(fd, F_GETFL);
        trace->offset[fd] = lseek(fd, 0, SEEK_CUR);
    }
    if (!getcwd(trace->directory, sizeof(trace->directory)))
        exit(2);
    sigprocmask(SIG_BLOCK, NULL, &trace->mask);
    trace->umask = umask(022);
    umask(trace->umask);
    sigaction(SIGSYS, NULL, &action);
    trace->sigsys = action.sa_handler;
}

static void trace_compare(const struct trace *before, const struct trace *after)
{
    int changed = 0;

    for (int fd = 0; fd < TRACES; fd++)
        changed += strcmp(before->files[fd], after->files[fd]) != 0 ||
                   before->flags[fd] != after->flags[fd] || before->offset[fd] != after->offset[fd];
    is_int(changed, 0, "descriptors are as before");
    ok(strcmp(before->directory, after->directory) == 0 && before->umask == after->umask &&
           before->sigsys == after->sigsys &&
           memcmp(&before->mask, &after->mask, sizeof(before->mask)) == 0,
       "directory, umask, signal mask and handlers are as before");
}

static bool memory_is_good(void)
{
    for (size_t i = 0; i < MEMORY; i++)
        if (memory[i] != (unsigned char)(i * 7))
            return false;
    return true;
}

static void traceless(void)
{
    int status;

    /* Whatever is late gets its chance. */
    usleep(50000);
    is_int(sigchlds, 0, "no SIGCHLD came");
    ok(waitpid(-1, &status, __WALL | WNOHANG) < 0 && errno == ECHILD, "no child or zombie is left");
    ok(memory_is_good(), "memory is as before");
}

int main(int argc, char **argv)
{
    static struct trace before, after;
    int flags, port, pid, error;

    if (argc < 3)
        return 2;
    flags = argc > 3 ? atoi(argv[3]) : -1;
    port = argc > 4 ? atoi(argv[4]) : 0;
    memory = malloc(MEMORY);
    for (size_t i = 0; i < MEMORY; i++)
        memory[i] = (unsigned char)(i * 7);
    signal(SIGCHLD, on_sigchld);
    signal(SIGSYS, on_sigsys);
    if (chdir("/usr/share") < 0)
        return 2;
    if (argc > 5)
        state_enter(argv[5]);
    trace_take(&before);
    if (argc > 3 && flags >= 0)
        pid = _bproc_rfork_io(atoi(argv[2]), flags, port);
    else
        pid = bproc_rfork(atoi(argv[2]));
    error = errno;
    if (pid == 0)
        _exit(1);
    trace_take(&after);
    is_int(pid, -1, "the call fails");
    is_str(error_name(error), argv[1], "errno");
    trace_compare(&before, &after);
    traceless();
    return done_testing();
}
