/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keepers in the space of space_jobs.h that have left with their last child. */
#ifndef TESTS_SPACE_LEFT_H
#define TESTS_SPACE_LEFT_H

/* They are still there for a while, and in nobody's way. */
static void test_left(void)
{
    struct job job = { .pid = 4900, .ppid = 4910, .pgid = 4910, .sid = 4920, .cmd = self,
                       .arg = "facts" };
    struct job member = { .pid = 4901, .ppid = 4911, .pgid = 4910, .sid = 4920, .cmd = self,
                          .arg = "facts" };
    struct job back = { .pid = 4910, .ppid = 4912, .pgid = 4910, .sid = 4920, .cmd = self,
                        .arg = "facts" };
    struct job other = { .pid = 4902, .ppid = 4920, .pgid = 4902, .sid = 4920, .cmd = self,
                         .arg = "parents" };

    is_int(job_launch(&other), 0, "a process of a session");
    for (int i = 0; i < 3; i++) {
        is_int(job_launch(&job), 0, "a short one");
        ok(strstr(output(&job, true), "ppid=4910 pgid=4910 sid=4920"), "has its parent each time");
        exited_is(4900, 7 << 8, "and ends");
        job_end(&job);
    }
    is_int(job_launch(&member), 0, "another one of its group");
    ok(strstr(output(&member, true), "ppid=4911 pgid=4910 sid=4920"), "is in that");
    exited_is(4901, 7 << 8, "and ends");
    job_end(&member);
    is_int(job_launch(&back), 0, "the parent itself");
    ok(strstr(output(&back, true), "pid=4910 ppid=4912 pgid=4910 sid=4920"), "gets its number");
    exited_is(4910, 7 << 8, "and ends");
    job_end(&back);
    ok(becomes(4911, 0) && becomes(4912, 0), "no keeper stays when nothing more is launched");
    job_end(&other);
    exited_is(4902, 0, "and the session ends");
}

/* Where init begins to read what slaved tells it. */
static bool init_held(void)
{
    struct __ptrace_syscall_info info = { .op = PTRACE_SYSCALL_INFO_NONE };

    do {
        if (ptrace(PTRACE_SYSCALL, space_pid, 0, 0) < 0 ||
            waitpid(space_pid, NULL, __WALL) != space_pid ||
            ptrace(PTRACE_GET_SYSCALL_INFO, space_pid, sizeof(info), &info) <= 0)
            return false;
    } while (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_recvfrom ||
             info.entry.args[0] != 3);
    return true;
}

static bool init_holds(void)
{
    return ptrace(PTRACE_SEIZE, space_pid, 0, PTRACE_O_TRACESYSGOOD) == 0 &&
           ptrace(PTRACE_INTERRUPT, space_pid, 0, 0) == 0 &&
           waitpid(space_pid, NULL, __WALL) == space_pid;
}

/* Init has yet to hear that when it asks it for another one. */
static void test_left_unheard(pid_t sid)
{
    struct job job = { .pid = 4930, .ppid = 4935, .pgid = 4935, .sid = sid, .cmd = self,
                       .arg = "parents" };
    struct job other = { .pid = 4931, .ppid = 4935, .pgid = 4935, .sid = sid, .cmd = self,
                         .arg = "facts" };

    is_int(job_launch(&job), 0, "a process");
    is_str(output(&job, false), "4935\n", "runs");
    ok(init_holds(), "init is held");
    is_int(job_ask(&other), 0, "another one is asked for");
    ok(init_held(), "which init hears");
    close(job.in);
    ok(has_ended(4935), "their keeper leaves with the first one");
    ptrace(PTRACE_DETACH, space_pid, 0, 0);
    is_int(launch_answer(&other), 0, "the other one is launched");
    ok(strstr(output(&other, true), "pid=4931 ppid=4935 pgid=4935"), "and has its parent");
    ok(two_exited(4930, 0, 4931, 7 << 8), "the ends of both are told");
    close(job.status);
    close(job.out);
    job_end(&other);
}

/* Whoever waits for the exec has gone when init says there that it was launched. */
static void test_left_waiter(void)
{
    struct job job = { .pid = 4940, .ppid = 4945, .pgid = 4945, .cmd = self, .arg = "facts" };

    ok(init_holds(), "init is held");
    is_int(job_ask(&job), 0, "a process is asked for");
    ok(init_held(), "which init hears");
    close(job.status);
    ptrace(PTRACE_DETACH, space_pid, 0, 0);
    ok(strstr(output(&job, true), "pid=4940 ppid=4945"), "it runs though nobody waits for it");
    exited_is(4940, 7 << 8, "and ends");
    close(job.in);
    close(job.out);
}

/* It could make a keeper for the other one: nobody leads their session here any more. */
static void maker_begin(struct job *job)
{
    is_int(job_launch(job), 0, "a process of a session");
    is_str(output(job, false), "4955\n", "runs");
    orphan(job->sid);
    ok(becomes(job->sid, 0), "the keeper that led the session goes");
}

static void maker_end(struct job *job, struct job *other)
{
    is_int(launch_answer(other), 0, "the other one is launched");
    ok(strstr(output(other, true), "pid=4951 ppid=4956 pgid=4956 sid=4959"),
       "and has its parent and its session");
    ok(two_exited(4950, 0, 4951, 7 << 8), "the ends of both are told");
    close(job->status);
    close(job->out);
    job_end(other);
}

/* Who is to make a keeper has left when it is asked to, or leaves without having read that. */
static void test_left_maker(bool asked)
{
    struct job job = { .pid = 4950, .ppid = 4955, .pgid = 4955, .sid = 4959, .cmd = self,
                       .arg = "parents" };
    struct job other = { .pid = 4951, .ppid = 4956, .pgid = 4956, .sid = 4959, .cmd = self,
                         .arg = "facts" };
    pid_t maker;

    maker_begin(&job);
    maker = asked ? outer_pid(4955) : 0;
    ok(asked ? is_held(maker) : init_holds(), "%s is held", asked ? "the other keeper" : "init");
    is_int(job_ask(&other), 0, "another one is asked for");
    ok(asked ? is_woken(maker) : init_held(), "which %s hears", asked ? "init" : "it");
    close(job.in);
    ok(has_ended(asked ? 4950 : 4955), "the first one ends, and so the keeper has left");
    ptrace(PTRACE_DETACH, asked ? maker : space_pid, 0, 0);
    maker_end(&job, &other);
}

#endif
