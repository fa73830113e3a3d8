/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vector MIB NODE...: a vrfork of a process with so much memory. Each child says over a pipe what
 * it finds, waits for a signal, and exits with its rank. One line for each child comes out: its
 * node, and "ok", what is wrong, or why it could not be made.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX 200
#define WAIT_MS 20000

struct word { int rank, pid, ppid, node, good; };

static volatile sig_atomic_t heard;

static void on_signal(int signo)
{
    (void)signo;
    heard++;
}

static uint64_t memory_sum(const uint64_t *memory, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum = sum * 31 + memory[i];
    return sum;
}

/* raise(3), and mutexes that know their owner, take libc's word for the thread's number. */
static int number_is_right(void)
{
    pthread_mutexattr_t kind;
    pthread_mutex_t mutex;
    int before = heard, good;

    raise(SIGUSR2);
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &kind);
    good = pthread_mutex_lock(&mutex) == 0 && mutex.__data.__owner == (int)syscall(SYS_gettid);
    return good && pthread_mutex_unlock(&mutex) == 0 && heard == before + 1 &&
           getpid() == (int)syscall(SYS_gettid);
}

static void child_run(int rank, int out, const uint64_t *memory, size_t count, uint64_t sum)
{
    const char *text = getenv("BPROC_RANK");
    struct word word = { rank, getpid(), getppid(), bproc_currnode(), 0 };
    sigset_t mask, none;

    sigemptyset(&none);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    word.good = text && strlen(text) == 7 && atoi(text) == rank && number_is_right() &&
                memory_sum(memory, count) == sum && sigismember(&mask, SIGUSR1);
    (void)!write(out, &word, sizeof(word));
    while (heard < 2)
        sigsuspend(&none);
    _exit(rank % 100 + 1);
}

static int words_read(int in, struct word *words, int count)
{
    struct pollfd fd = { .fd = in, .events = POLLIN };
    struct word word;
    int got = 0;

    while (got < count && poll(&fd, 1, WAIT_MS) > 0 && read(in, &word, sizeof(word)) ==
           sizeof(word)) {
        if (word.rank >= 0 && word.rank < MAX)
            words[word.rank] = word;
        got++;
    }
    return got;
}

static const char *child_judge(int rank, int pid, const struct word *word)
{
    int status;

    if (pid < 0)
        return bproc_strerror(-pid);
    if (word->pid == 0)
        return "not a word";
    if (word->pid != pid || word->ppid != getpid())
        return "wrong number, or that of its parent";
    if (!word->good)
        return "wrong inside";
    if (kill(pid, SIGUSR1) < 0 || waitpid(pid, &status, 0) != pid)
        return "no child";
    return WIFEXITED(status) && WEXITSTATUS(status) == rank % 100 + 1 ? "ok" : "wrong end";
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = on_signal };
    static struct word words[MAX];
    int nodes[MAX], pids[MAX], ends[2], made = 0, count = argc - 2, rank;
    size_t size = argc > 2 ? (size_t)atoi(argv[1]) << 17 : 0;
    uint64_t *memory = malloc(size * sizeof(*memory) + 1), sum;
    sigset_t one;

    if (count < 1 || count > MAX || !memory || pipe(ends) < 0)
        return 2;
    for (int i = 0; i < count; i++)
        nodes[i] = atoi(argv[i + 2]);
    for (size_t i = 0; i < size; i++)
        memory[i] = i * 0x9e3779b97f4a7c15;
    sum = memory_sum(memory, size);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    sigprocmask(SIG_BLOCK, &one, NULL);
    rank = bproc_vrfork(count, nodes, pids);
    if (rank < 0) {
        printf("%s\n", bproc_strerror(-rank));
        return 1;
    }
    if (rank < count)
        child_run(rank, ends[1], memory, size, sum);
    for (int i = 0; i < count; i++)
        made += pids[i] > 0;
    words_read(ends[0], words, made);
    for (int i = 0; i < count; i++) {
        const char *said = child_judge(i, pids[i], &words[i]);

        printf("%d %s%s\n", pids[i] > 0 ? words[i].node : nodes[i], said,
               pids[i] > 0 && words[i].node != nodes[i] ? ", on another node" : "");
    }
    return waitpid(-1, NULL, __WALL) > 0 ? 1 : 0;
}
