/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives bproc-space as slaved does, without slaved. The program launches itself as the jobs of
 * the space; main() tells by argv[1].
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/space_jobs.h"
#include "tests/unit/space_look.h"
#include "tests/unit/space_stuck.h"
#include "tests/unit/space_left.h"

#ifdef __SANITIZE_ADDRESS__
#define HEAP_LETS_GO 0
#else
#define HEAP_LETS_GO 1
#endif

static void test_facts(void)
{
    struct job job = { .pid = 4242, .ppid = PARENT, .pgid = PARENT, .uid = 1234, .cmd = self,
                       .arg = "facts", .blocked = 1u << (SIGUSR1 - 1) };

    is_int(job_launch(&job), 0, "a launch under a chosen number is answered");
    is_int(job_exec_error(&job), 0, "the status pipe closes at the exec");
    is_str(output(&job, true),
           "pid=4242 ppid=4000 pgid=4000 sid=1 uid=1234 gid=1234 ngroups=3 cwd=/usr "
           "umask=027 usr1=1 queue=4096 nice=5 env=green far=0 four=-1",
           "the process is what its specification says");
    exited_is(4242, 7 << 8, "its exit status is reported");
    job_end(&job);
    ok(space_sleeps(), "and nobody looks for what else might be there");
}

static void test_groups(void)
{
    struct job job = { .pid = 4243, .ppid = PARENT, .pgid = 4555, .cmd = self, .arg = "facts" };
    struct job leader = { .pid = 4244, .ppid = PARENT, .pgid = 4244, .cmd = self, .arg = "facts" };

    is_int(job_launch(&job), 0, "a member of a group whose leader is elsewhere");
    ok(strstr(output(&job, true), "pgid=4555"), "is in that group");
    exited_is(4243, 7 << 8, "and ends");
    job_end(&job);
    is_int(job_launch(&leader), 0, "a leader of a group");
    ok(strstr(output(&leader, true), "pgid=4244"), "leads it");
    exited_is(4244, 7 << 8, "and ends");
    job_end(&leader);
}

static void test_sessions(void)
{
    struct job job = { .pid = 4250, .ppid = 4260, .pgid = 4260, .sid = 4270, .cmd = self,
                       .arg = "parents" };
    struct job other = { .pid = 4251, .ppid = 4261, .pgid = 4260, .sid = 4270, .cmd = self,
                         .arg = "facts" };
    struct job leader = { .pid = 4252, .ppid = 4262, .pgid = 4252, .sid = 4252, .cmd = self,
                          .arg = "facts" };

    is_int(job_launch(&job), 0, "a process of a session whose leader is elsewhere");
    is_str(output(&job, false), "4260\n", "has its parent");
    is_int(job_launch(&other), 0, "another one with another parent");
    ok(strstr(output(&other, true), "ppid=4261 pgid=4260 sid=4270"),
       "is in that session and in the group of the first");
    exited_is(4251, 7 << 8, "and ends");
    job_end(&other);
    orphan(4270);
    is_int(job_launch(&other), 0, "when the leader has died one more");
    ok(strstr(output(&other, true), "pgid=4260 sid=4270"), "gets into the session");
    exited_is(4251, 7 << 8, "and ends");
    job_end(&other);
    job_end(&job);
    exited_is(4250, 0, "as does the first");
    is_int(job_launch(&leader), 0, "a leader of a session");
    ok(strstr(output(&leader, true), "ppid=4262 pgid=4252 sid=4252"), "leads it");
    exited_is(4252, 7 << 8, "and ends");
    job_end(&leader);
}

/* The keepers of a session are in one memory, and processes of their own in all else. */
static void test_session_harmed(void)
{
    struct job job = { .pid = 4280, .ppid = 4290, .pgid = 4290, .sid = 4299, .cmd = self,
                       .arg = "parents" };
    struct job killer = { .pid = 4281, .ppid = 4299, .pgid = 4299, .sid = 4299, .cmd = self,
                          .arg = "kill" };
    struct job other = { .pid = 4282, .ppid = 4291, .pgid = 4291, .sid = 4299, .cmd = self,
                         .arg = "facts" };

    is_int(job_launch(&job), 0, "a process of a session");
    is_str(output(&job, false), "4290\n", "with a parent");
    is_int(job_launch(&killer), 0, "another one, of its leader, kills that");
    exited_is(4281, 3 << 8, "and ends");
    ok(passed_is(4299, SIGKILL), "the leader hears of it");
    job_end(&killer);
    dprintf(job.in, "\n");
    is_str(output(&job, false), "4290\n", "the first one still has its parent");
    is_int(job_launch(&other), 0, "one more of the session");
    ok(strstr(output(&other, true), "ppid=4291 pgid=4291 sid=4299"), "gets into it");
    exited_is(4282, 7 << 8, "and ends");
    job_end(&other);
    other.ppid = 4280;
    is_int(job_launch(&other), 0, "one whose parent's number is another process's");
    ok(strstr(output(&other, true), "ppid=1 "), "is a child of init");
    exited_is(4282, 7 << 8, "and ends");
    job_end(&other);
    job_end(&job);
    exited_is(4280, 0, "as the first does");
}

static void test_failures(void)
{
    struct job job = { .pid = 4300, .ppid = PARENT, .pgid = PARENT, .cmd = "/no/such", .arg = "" };
    struct job first = { .pid = 4301, .ppid = PARENT, .pgid = PARENT, .cmd = self,
                         .arg = "parents" };
    struct job second = first;

    is_int(job_launch(&job), 0, "a launch of a missing program");
    is_int(job_exec_error(&job), ENOENT, "gives errno at the status pipe");
    exited_is(4300, 127 << 8, "and ends");
    job_end(&job);
    is_int(job_launch(&first), 0, "a first process");
    is_int(job_launch(&second), -EEXIST, "a second one with its number is refused");
    job_end(&second);
    second.pid = 1;
    is_int(job_launch(&second), -EPROTO, "init's number is refused");
    job_end(&second);
    close(first.in);
    is_str(output(&first, true), "4000\n", "the first one is unharmed");
    exited_is(4301, 0, "and ends in its own time");
    close(first.out);
    close(first.status);
}

/* What it is to be lies in its keeper's memory until it runs. */
static void test_slow_start(void)
{
    char fifo[] = "/tmp/test_space.XXXXXX";
    struct job slow = { .pid = 4350, .ppid = PARENT, .pgid = PARENT, .uid = 0, .cmd = self,
                        .arg = "facts", .file = fifo };
    struct job quick = { .pid = 4351, .ppid = PARENT, .pgid = PARENT, .uid = 1234, .cmd = self,
                         .arg = "facts" };
    int writer;

    ok(mkdtemp(fifo) && rmdir(fifo) == 0 && mkfifo(fifo, 0600) == 0, "a pipe with a name");
    is_int(job_launch(&slow), 0, "a program that opens it before it runs");
    for (int i = 0; i < 3; i++) {
        is_int(job_launch(&quick), 0, "does not hinder another one of its parent");
        ok(strstr(output(&quick, true), "pid=4351 ppid=4000"), "which runs");
        exited_is(4351, 7 << 8, "and ends");
        job_end(&quick);
    }
    writer = open(fifo, O_WRONLY);
    ok(strstr(output(&slow, true), "pid=4350 ppid=4000 pgid=4000 sid=1 uid=0"),
       "and is itself when it does");
    exited_is(4350, 7 << 8, "until it ends");
    job_end(&slow);
    close(writer);
    unlink(fifo);
}

/* A keeper stays for as long as its parent: what was kept for a child is not to stay with it. */
static void test_many_words(void)
{
    struct job other = { .pid = 4360, .ppid = PARENT, .pgid = PARENT, .cmd = self,
                         .arg = "parents" };
    struct job job = { .pid = 4361, .ppid = PARENT, .pgid = PARENT, .cmd = self, .arg = "facts",
                       .words = 65000 };
    int kilobytes;

    is_int(job_launch(&other), 0, "a process");
    is_int(job_launch(&job), 0, "and one with too many arguments");
    is_int(job_exec_error(&job), E2BIG, "which is not executed");
    exited_is(4361, 127 << 8, "and ends");
    job_end(&job);
    for (int i = 0; i < 500 && (kilobytes = keepers_kilobytes()) > 1024; i++)
        usleep(10000);
    ok(kilobytes > 0 && kilobytes < 1024, "their keeper lets go of what those took");
    job_end(&other);
    exited_is(4360, 0, "before the first one ends");
}

static void test_signals(void)
{
    struct job job = { .pid = 4400, .ppid = PARENT, .pgid = PARENT, .uid = 1234, .cmd = self,
                       .arg = "sigwait", .blocked = 1u << (SIGUSR1 - 1) };
    int status;
    pid_t pid;

    is_int(job_launch(&job), 0, "a process that waits for a signal");
    is_int(job_exec_error(&job), 0, "runs");
    signal_job(4400, SIGSTOP, SI_USER, 0);
    ok(event_next(&pid, &status) == P_SPACE_STOPPED && pid == 4400 && WIFSTOPPED(status) &&
       WSTOPSIG(status) == SIGSTOP, "a stop is reported");
    signal_job(4400, SIGCONT, SI_USER, 0);
    ok(event_next(&pid, &status) == P_SPACE_CONTINUED && pid == 4400 && WIFCONTINUED(status),
       "and a continuation");
    signal_job(4400, SIGUSR1, SI_QUEUE, 123456789012);
    is_str(output(&job, true), "code=-1 pid=321 uid=54 value=123456789012",
           "a queued signal carries its value and its sender");
    exited_is(4400, 0, "the waiter ends");
    job_end(&job);
    job.pid = 4401;
    job.blocked = 0;
    is_int(job_launch(&job), 0, "another one");
    signal_job(4401, SIGTERM, SI_USER, 0);
    exited_is(4401, SIGTERM, "dies by a signal sent right after the launch");
    job_end(&job);
    signal_job(1, SIGKILL, SI_USER, 0);
    signal_job(4999, SIGKILL, SI_USER, 0);
}

static void test_orphan(void)
{
    struct job job = { .pid = 4500, .ppid = PARENT, .pgid = PARENT, .cmd = self,
                       .arg = "parents" };
    struct job child = { .pid = 4501, .ppid = 4500, .pgid = 4500, .cmd = self, .arg = "facts" };
    struct job back = { .pid = PARENT, .ppid = 1, .pgid = PARENT, .cmd = self, .arg = "facts" };

    is_int(job_launch(&job), 0, "a process whose parent is elsewhere");
    is_str(output(&job, false), "4000\n", "sees the parent's number");
    orphan(PARENT);
    is_int(job_launch(&child), 0, "a launch under a number that is no keeper's");
    ok(strstr(output(&child, true), "ppid=1 "), "makes init the parent");
    exited_is(4501, 7 << 8, "and its end is reported");
    job_end(&child);
    dprintf(job.in, "\n");
    is_str(output(&job, false), "1\n", "getppid() says 1 when the parent has died");
    is_int(job_launch(&back), -EEXIST, "the parent's number is taken while it names a group");
    job_end(&back);
    job_end(&job);
    exited_is(4500, 0, "an orphan's end is reported");
    is_int(job_launch(&back), 0, "and is free afterwards");
    exited_is(PARENT, 7 << 8, "and the process under it is like any other");
    job_end(&back);
}

/* What only a process of root can do to its keeper. */
static void test_keeper_harmed(void)
{
    struct job killer = { .pid = 4600, .ppid = PARENT, .pgid = PARENT, .cmd = self,
                          .arg = "kill" };
    struct job stopper = { .pid = 4601, .ppid = PARENT + 1, .pgid = 4601, .cmd = self,
                           .arg = "stop" };
    struct job job = { .pid = 4602, .ppid = PARENT + 1, .pgid = 4602, .cmd = self,
                       .arg = "facts" };

    is_int(job_launch(&killer), 0, "a process that kills its keeper");
    is_str(output(&killer, true), "1", "becomes a child of init");
    exited_is(4600, 3 << 8, "and its end is reported");
    ok(passed_is(PARENT, SIGKILL), "as the signal for its parent is");
    job_end(&killer);
    is_int(job_launch(&stopper), 0, "a process that stops its keeper");
    is_str(output(&stopper, true), "stopped", "does so");
    is_int(job_launch(&job), 0, "which does not hinder a launch");
    ok(strstr(output(&job, true), "ppid=4001 "), "under that keeper");
    ok(two_exited(4601, 3 << 8, 4602, 7 << 8), "nor the reports");
    ok(passed_is(PARENT + 1, SIGSTOP), "and the stop is its parent's");
    job_end(&stopper);
    job_end(&job);
}

/* Nobody believes a process that has ended: what it has done has to be told before. */
static void test_last_word(void)
{
    struct job job = { .pid = 4650, .ppid = PARENT + 2, .pgid = 4650, .cmd = self,
                       .arg = "last word" };
    struct msg msg;

    is_int(job_launch(&job), 0, "a process that kills its keeper");
    is_int(job_exec_error(&job), 0, "runs");
    kill(space_pid, SIGSTOP);
    dprintf(job.in, "\n");
    ok(becomes(4650, 'Z') && becomes(PARENT + 2, 'Z'), "and has ended before init sees either");
    kill(space_pid, SIGCONT);
    ok(message_next(&msg) && passed_on(&msg) && passed.pid == PARENT + 2 &&
       passed.signo == SIGKILL, "the signal is told");
    exited_is(4650, 4 << 8, "and then its end");
    job_end(&job);
}

static void test_end(void)
{
    struct job job = { .pid = 4700, .ppid = PARENT, .pgid = PARENT, .cmd = self,
                       .arg = "parents" };
    struct job other = { .pid = 4701, .ppid = 1, .pgid = 4701, .cmd = self, .arg = "parents" };
    int status, ended = 0;
    pid_t pid;

    is_int(job_launch(&job), 0, "one process");
    is_int(job_launch(&other), 0, "and another");
    signal_job(-1, SIGKILL, SI_USER, 0);
    for (int i = 0; i < 2; i++)
        if (event_next(&pid, &status) == P_SPACE_EXITED && status == SIGKILL)
            ended++;
    is_int(ended, 2, "all can be killed at once");
    job_end(&job);
    job_end(&other);
    is_int(job_launch(&job), 0, "and the space goes on");
    output(&job, false);
    close(space);
    is_int(waitpid(space_pid, &status, 0), space_pid, "it ends when its socket closes");
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "in order");
    is_str(output(&job, true), "", "and takes its processes along");
    job_end(&job);
}

/* As room_start() decides. A copy waits for nobody. */
static bool launches_beside(void)
{
#ifdef ROOM_SHARES
    struct utsname name;
    int major, minor;

    return uname(&name) == 0 && sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
           (major > 5 || (major == 5 && minor >= 16));
#else
    return false;
#endif
}

/* Each keeper is stopped when it has made the process and not yet said so, for ten milliseconds. */
static void test_slow_answer(void)
{
    struct job job = { .pid = 4800, .ppid = PARENT, .pgid = 4800, .cmd = self, .arg = "look" };

    setenv("BPROC_FAULT", "81:stop", 1);
    ok(space_start(), "a space in which answers are slow");
    for (int i = 0; i < 5; i++) {
        job.pid++;
        is_int(job_launch(&job), 0, "a process");
        is_str(output(&job, true), "goes on", "runs when its keeper has answered, not before");
        exited_is(job.pid, 5 << 8, "and ends");
        job_end(&job);
    }
    close(space);
    waitpid(space_pid, NULL, 0);
}

int main(int argc, char **argv)
{
    ssize_t len;

    if (argc > 1)
        return job_run(argv[1]);
    if (geteuid() != 0)
        skip_all("needs root");
    len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len < 0 || !space_start())
        skip_all("cannot make a process space here");
    test_facts();
    test_groups();
    test_sessions();
    test_session_harmed();
    test_failures();
    test_slow_start();
    if (HEAP_LETS_GO)
        test_many_words();
    test_signals();
    test_orphan();
    test_keeper_harmed();
    test_last_word();
    test_no_descriptors();
    test_word_kept();
    test_end_between();
    test_given_up();
    test_left();
    test_left_unheard(0);
    test_left_unheard(4939);
    test_left_waiter();
    test_left_maker(false);
    test_left_maker(true);
    test_end();
    if (launches_beside())
        test_slow_answer();
    return done_testing();
}
