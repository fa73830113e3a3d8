/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder that looks like /proc, so that its processes can be as strange as they like. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "slaved/usage_proc.h"
#include "tests/unit/tap.h"

#define CROWD 600
#define UPTIME_MS 1000000

static char folder[] = "/tmp/bproc-usage.XXXXXX";
static proc_usage procs[BPROC_MAX_USAGE];
static node_usage usage = { .procs = { .procs_val = procs } };

static void file_put(int pid, const char *name, const char *text, size_t len)
{
    char path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%d", folder, pid);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/%d/%s", folder, pid, name);
    file = fopen(path, "w");
    if (!file || fwrite(text, 1, len, file) != len || fclose(file) != 0)
        abort();
}

/* A process that has run for so many ticks of its 100 seconds. */
static void proc_put(int pid, const char *comm, const char *cmdline, size_t len, unsigned ticks)
{
    char text[512];

    snprintf(text, sizeof(text), "%d (%s) S 7 1 1 0 -1 4194304 90 0 0 0 %u 1 0 0 20 5 3 0 %ld"
             " 5000000 100 18446744073709551615 1 1\n", pid, comm, ticks,
             (UPTIME_MS / 1000 - 100) * sysconf(_SC_CLK_TCK));
    file_put(pid, "stat", text, strlen(text));
    file_put(pid, "status", "Name:\tx\nUid:\t1234\t0\t0\t0\n", 25);
    file_put(pid, "cmdline", cmdline, len);
}

static void exe_link(int pid)
{
    char from[PATH_MAX], to[PATH_MAX];

    snprintf(from, sizeof(from), "%s/1/exe", folder);
    snprintf(to, sizeof(to), "%s/%d/exe", folder, pid);
    if (link(from, to) < 0)
        abort();
}

static seconds_msg seconds;

static int read_space(int second)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;

    usage_proc_sort(&seconds);
    error = usage_proc_read(fd, UPTIME_MS, &seconds, second, &usage);
    close(fd);
    return error;
}

static int read_all(void)
{
    usage_proc_free(&usage);
    return read_space(0);
}

static const proc_usage *find(int pid)
{
    for (unsigned i = 0; i < usage.procs.procs_len; i++)
        if (procs[i].pid == pid)
            return &procs[i];
    return NULL;
}

static const char *command_of(int pid)
{
    return find(pid) ? find(pid)->command : NULL;
}

static void test_one(void)
{
    const proc_usage *proc;

    is_int(read_all(), -ENOENT, "without an init nothing can be told");
    file_put(1, "exe", "init", 4);
    is_int(read_all(), 0, "an empty space");
    is_int(usage.count, 0, "has no processes, not even init");
    proc_put(10, "sh", "sh\0-c\0true", 10, 199);
    is_int(read_all(), 0, "a process");
    is_int(usage.count, 1, "is counted");
    proc = find(10);
    if (!ok(proc != NULL, "and listed"))
        return;
    is_str(proc->command, "sh -c true", "command");
    is_int(proc->ppid, 7, "parent");
    is_int(proc->uid, 1234, "user");
    is_int(proc->state, 'S', "state");
    is_int(proc->nice_value, 5, "nice value");
    is_int(proc->threads, 3, "threads");
    is_int(proc->cpu_ms, 200 * 1000 / sysconf(_SC_CLK_TCK), "user and system time");
    is_int(proc->age_ms, 100000, "age");
    is_int(proc->rss, 100 * sysconf(_SC_PAGESIZE), "resident memory");
}

static void test_strange(void)
{
    static const char zombie[] = "18 (keeper) Z 14 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 1 0 0\n";
    char text[200];

    memset(text, 'x', sizeof(text));
    proc_put(11, "a) R 1 (b c", "", 0, 1);
    proc_put(12, "long", text, sizeof(text), 1);
    proc_put(13, "blanks", "\0\0\0", 3, 1);
    proc_put(14, "keeper", "bproc-space", 11, 1);
    exe_link(14);
    file_put(18, "stat", zombie, strlen(zombie));
    file_put(15, "stat", "15 (", 4);
    file_put(16, "stat", "16 (x) S 1 2", 12);
    file_put(17, "status", "", 0);
    is_int(read_all(), 0, "strange processes");
    is_int(usage.count, 4, "helpers of ours and what cannot be read are left out");
    is_str(command_of(11), "[a) R 1 (b c]", "without arguments the name is shown, whatever it is");
    is_int(find(11)->state, 'S', "and nothing in it is taken for a state");
    is_int(strlen(command_of(12)), BPROC_MAX_COMMAND, "a command line is cut off");
    is_str(command_of(13), "[blanks]", "empty arguments are none");
    ok(!find(14) && !find(18), "a keeper is not shown, nor what it has not reaped yet");
}

static void test_second(void)
{
    int pids[] = { 99, 12, 10 };

    seconds = (seconds_msg){ .init = 5, .pids = { 3, pids } };
    is_int(read_all(), 0, "a space, some of whose numbers are those of the second one");
    is_int(usage.count, 2, "does not count these");
    ok(find(11) && find(13) && !find(10) && !find(12), "and tells of the others");
    is_int(read_space(1), 0, "the second one");
    is_int(usage.count, 4, "counts these alone");
    ok(find(10) && find(11) && find(12) && find(13), "and both are told");
    seconds.pids.pids_len = 0;
}

static void test_crowd(void)
{
    unsigned least = UINT_MAX;

    for (int i = 0; i < CROWD; i++)
        proc_put(1000 + i, "crowd", "crowd", 5, 1000 + (unsigned)(i * 7919 % CROWD));
    is_int(read_all(), 0, "more processes than there is room for");
    is_int(usage.count, CROWD + 4, "all are counted");
    is_int(usage.procs.procs_len, BPROC_MAX_USAGE, "as many as fit are listed");
    for (unsigned i = 0; i < usage.procs.procs_len; i++)
        if (procs[i].cpu_ms < least)
            least = (unsigned)procs[i].cpu_ms;
    is_int(least, (1000 + CROWD - BPROC_MAX_USAGE + 1) * 1000 / sysconf(_SC_CLK_TCK),
           "those that have used most");
}

static int entry_remove(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

int main(void)
{
    if (!mkdtemp(folder))
        skip_all("cannot make a folder");
    test_one();
    test_strange();
    test_second();
    test_crowd();
    usage_proc_free(&usage);
    nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
    return done_testing();
}
