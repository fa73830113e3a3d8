/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keepers in the space of space_jobs.h that init has to wait for: a tracer holds them, so that no
 * SIGCONT lets them go on.
 */
#ifndef TESTS_SPACE_STUCK_H
#define TESTS_SPACE_STUCK_H

#include <dirent.h>
#include <sys/ptrace.h>

#define KEEPER_STEPS 24             /* more than it takes for one child */

static bool is_in_space(pid_t pid)
{
    struct stat theirs, ours;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)space_pid);
    if (stat(path, &ours) < 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
    return stat(path, &theirs) == 0 && theirs.st_ino == ours.st_ino;
}

/* The last number of a line; 0: there is none. */
static unsigned long status_number(pid_t pid, const char *name, int base)
{
    char path[64], line[128];
    unsigned long value = 0;
    FILE *status;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    status = fopen(path, "re");
    while (status && fgets(line, sizeof(line), status))
        if (strncmp(line, name, strlen(name)) == 0 && strrchr(line, '\t'))
            value = strtoul(strrchr(line, '\t'), NULL, base);
    if (status)
        fclose(status);
    return value;
}

/* The number that we know a process of the space by; 0: it is not there. */
static pid_t outer_pid(pid_t pid)
{
    const struct dirent *entry;
    DIR *proc = opendir("/proc");
    pid_t outer = 0;

    while (proc && outer == 0 && (entry = readdir(proc)) != NULL) {
        pid_t candidate = (pid_t)strtol(entry->d_name, NULL, 10);

        if (candidate > 0 && is_in_space(candidate) &&
            status_number(candidate, "NSpid:", 10) == (unsigned long)pid)
            outer = candidate;
    }
    if (proc)
        closedir(proc);
    return outer;
}

/* What it is given goes to what it launches, or nothing is launched. */
static void test_no_descriptors(void)
{
    struct rlimit few, before;
    struct job job = { .pid = 4830, .ppid = 4835, .pgid = 4835, .cmd = self, .arg = "parents" };
    struct job other = { .pid = 4831, .ppid = 4835, .pgid = 4835, .cmd = self, .arg = "facts" };
    pid_t keeper;

    is_int(job_launch(&job), 0, "a process");
    is_str(output(&job, false), "4835\n", "with a parent");
    keeper = outer_pid(job.ppid);
    prlimit(keeper, RLIMIT_NOFILE, NULL, &before);
    few = (struct rlimit){ 7, before.rlim_max };
    ok(prlimit(keeper, RLIMIT_NOFILE, &few, NULL) == 0, "whose keeper may have few descriptors");
    is_int(job_launch(&other), -EMFILE, "another one needs more");
    job_end(&other);
    prlimit(keeper, RLIMIT_NOFILE, &before, NULL);
    is_int(job_launch(&other), 0, "and is launched when there may be more");
    ok(strstr(output(&other, true), "pid=4831 ppid=4835 "), "by that keeper");
    exited_is(4831, 7 << 8, "and ends");
    job_end(&other);
    job_end(&job);
    exited_is(4830, 0, "as the first does");
}

static bool is_held(pid_t keeper)
{
    return ptrace(PTRACE_SEIZE, keeper, 0, 0) == 0 && ptrace(PTRACE_INTERRUPT, keeper, 0, 0) == 0 &&
           waitpid(keeper, NULL, __WALL) == keeper;
}

/* By init, which waits for what it has been asked. */
static bool is_woken(pid_t keeper)
{
    unsigned long waiting = 0, woken = 1UL << (SIGCONT - 1);

    for (int i = 0; i < 4000 && !(waiting & woken); i++) {
        usleep(5000);
        waiting = status_number(keeper, "SigPnd:", 16) | status_number(keeper, "ShdPnd:", 16);
    }
    return waiting & woken;
}

/* What init does to make a keeper go on takes nothing from what a child says. */
static void test_word_kept(void)
{
    struct job job = { .pid = 4840, .ppid = 4845, .pgid = 4845, .cmd = self, .arg = "wake" };
    struct job other = { .pid = 4841, .ppid = 4845, .pgid = 4845, .cmd = self, .arg = "facts" };
    pid_t keeper;

    is_int(job_launch(&job), 0, "a process");
    is_int(job_exec_error(&job), 0, "runs");
    keeper = outer_pid(job.ppid);
    ok(is_held(keeper), "its keeper is held");
    is_int(job_ask(&other), 0, "another one is asked for");
    ok(is_woken(keeper), "so init wakes the keeper");
    dprintf(job.in, "\n");
    ok(becomes(job.pid, 'Z'), "the process does, too, and ends");
    ptrace(PTRACE_DETACH, keeper, 0, 0);
    is_int(launch_answer(&other), 0, "the keeper goes on");
    ok(two_exited(4840, 6 << 8, 4841, 7 << 8), "both have ended");
    ok(passed_is(4845, SIGCONT), "and the parent hears of the signal");
    job_end(&job);
    job_end(&other);
}

/* It is at the next border of a system call, or in one and waits. */
static bool steps(pid_t keeper, pid_t number)
{
    pid_t stopped = 0;

    if (ptrace(PTRACE_SYSCALL, keeper, 0, 0) < 0)
        return false;
    for (int i = 0; i < 2000 && stopped == 0 && state_of(number) != 'S'; i++)
        stopped = waitpid(keeper, NULL, __WALL | WNOHANG);
    return stopped == keeper;
}

/* A second child ends when its keeper is so many steps on since the first one has. */
static bool are_both_heard_of(int count)
{
    struct job one = { .pid = 4842, .ppid = 4846, .pgid = 4846, .cmd = self, .arg = "parents" };
    struct job other = { .pid = 4843, .ppid = 4846, .pgid = 4846, .cmd = self, .arg = "parents" };
    bool ready = job_launch(&one) == 0 && job_launch(&other) == 0;
    pid_t keeper = ready ? outer_pid(one.ppid) : 0;

    if (keeper == 0 || !output(&one, false)[0] || !output(&other, false)[0] || !is_held(keeper))
        return false;
    job_end(&one);
    ready = becomes(one.pid, 'Z');
    while (count > 0 && steps(keeper, one.ppid))
        count--;
    job_end(&other);
    ready = ready && becomes(other.pid, 'Z');
    if (count > 0)
        waitpid(keeper, NULL, __WALL);
    ptrace(PTRACE_DETACH, keeper, 0, 0);
    return ready && two_exited(4842, 0, 4843, 0);
}

static void test_end_between(void)
{
    for (int i = 0; i <= KEEPER_STEPS; i++)
        ok(are_both_heard_of(i), "a child ends %d steps after another one, and is heard of", i);
}

/* Who the census tells of next, a child of that one; 0: of another one, or nothing. */
static pid_t born_next(pid_t parent)
{
    born_msg born = { .ppid = 0 };
    struct msg msg;
    pid_t child = 0;

    do {
        if (!message_next(&msg))
            return 0;
    } while (passed_on(&msg) || found_by_the_way(&msg));
    if (msg.header.proc == P_SPACE_BORN && frame_decode(FRAME_XDR(born_msg), msg.body,
                                                        msg.header.body_len, &born,
                                                        sizeof(born)) == 0) {
        child = born.ppid == parent ? born.id.pid : 0;
        frame_free(FRAME_XDR(born_msg), &born, sizeof(born));
    }
    msg_free(&msg);
    return child;
}

/* Who was made, when both are held; 0: nobody. Init may wake the maker before. */
static pid_t made_by(pid_t maker)
{
    unsigned long made = 0;
    int status;

    while (waitpid(maker, &status, __WALL) == maker && WIFSTOPPED(status)) {
        if (status >> 16)
            return ptrace(PTRACE_GETEVENTMSG, maker, 0, &made) == 0 && made > 0 &&
                   waitpid((pid_t)made, NULL, __WALL) == (pid_t)made ? (pid_t)made : 0;
        ptrace(PTRACE_CONT, maker, 0, WSTOPSIG(status));
    }
    return 0;
}

/* Who was asked to make a keeper is held when he has, and that one before it does anything. */
static void test_given_up(void)
{
    struct job first = { .pid = 4850, .ppid = 4860, .pgid = 4860, .sid = 4870, .cmd = self,
                         .arg = "parents" };
    struct job given_up = { .pid = 4851, .ppid = 4861, .pgid = 4861, .sid = 4870, .cmd = self,
                            .arg = "facts" };
    struct job other = { .pid = 4852, .ppid = 4862, .pgid = 4862, .uid = 1234, .cmd = self,
                         .arg = "fork" };
    pid_t maker, made, child;

    is_int(job_launch(&first), 0, "a process of a session");
    maker = outer_pid(4870);
    ok(ptrace(PTRACE_SEIZE, maker, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE) == 0,
       "its leader's keeper, held when it makes another one");
    is_int(job_ask(&given_up), 0, "another one, of another parent, is asked for");
    made = made_by(maker);
    ok(made > 0, "whose keeper is there");
    is_int(launch_answer(&given_up), -EAGAIN, "and given up after a while");
    ok(waitpid(maker, NULL, __WALL) == maker, "with who made it");
    is_int(job_launch(&other), 0, "a third one is launched");
    is_str(output(&other, false), "4862\n", "and runs");
    child = born_next(4852);
    ok(child > 0, "and forks, as nobody else has by then");
    dprintf(other.in, "\n");
    ok(two_exited(child, 0, 4852, 8 << 8), "and both end");
    job_end(&other);
    ptrace(PTRACE_DETACH, made, 0, 0);
    is_str(output(&given_up, true), "", "what was given up is not launched later on");
    job_end(&given_up);
    job_end(&first);
    exited_is(4850, 0, "the first one ends");
}

#endif
