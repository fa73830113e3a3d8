/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inherit_libc NODE: forked from a thread of a program whose other threads are at work, the child
 * has that one thread and a libc that works: atfork handlers, malloc, stdio, raise, mutexes, new
 * threads.
 */
#include "config.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "tests/progs/remote.h"

#define WORKERS 4

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t robust;
static char order[16];
static volatile sig_atomic_t taken;
static volatile bool stop;
static _Thread_local int mine;
static int node;

static void order_add(char what)
{
    order[strlen(order)] = what;
}

static void on_prepare(void)
{
    pthread_mutex_lock(&guard);
    order_add('p');
}

static void on_parent(void)
{
    order_add('f');
    pthread_mutex_unlock(&guard);
}

static void on_child(void)
{
    order_add('c');
    pthread_mutex_unlock(&guard);
}

/* Keeps the locks of malloc, stdio and a mutex of our own busy. */
static void *work(void *arg)
{
    FILE *null = fopen("/dev/null", "w");

    (void)arg;
    while (!stop) {
        void *block = malloc(100 + (size_t)rand() % 5000);

        pthread_mutex_lock(&guard);
        fprintf(null, "%p\n", block);
        pthread_mutex_unlock(&guard);
        free(block);
        usleep(100);
    }
    fclose(null);
    return NULL;
}

static void handler(int signo)
{
    taken = signo;
}

static int thread_count(void)
{
    DIR *dir = opendir("/proc/self/task");
    int count = 0;

    for (struct dirent *entry; dir && (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return count;
}

static void *thread_look(void *arg)
{
    mine = 5;
    *(int *)arg = (int)syscall(SYS_gettid);
    pthread_mutex_lock(&guard);
    free(malloc(1 << 20));
    pthread_mutex_unlock(&guard);
    return arg;
}

static void threads_look(void)
{
    pthread_t thread;
    int id = 0;
    void *result = NULL;

    is_int(thread_count(), 1, "the child has one thread");
    is_int(pthread_create(&thread, NULL, thread_look, &id), 0, "it can start another");
    pthread_join(thread, &result);
    ok(result == &id && id > 0 && id != getpid(), "which runs and ends");
    is_int(mine, 3, "with variables of its own");
    is_int(pthread_kill(pthread_self(), SIGUSR1), 0, "pthread_kill");
    is_int(taken, SIGUSR1, "reaches the thread");
}

static void forks_look(void)
{
    int status = -1, pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(getppid() > 1 && thread_count() == 1 ? 9 : 1);
    ok(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 9,
       "it can fork");
    is_int(system("exit 4") >> 8, 4, "it can run a shell");
}

static void look(void)
{
    char text[64];
    FILE *memory;

    is_str(order, "pc", "atfork handlers ran, each once, in the child's order");
    is_int(mine, 3, "the calling thread's own variable");
    is_int(syscall(SYS_gettid), getpid(), "it is the main thread now");
    raise(SIGUSR1);
    is_int(taken, SIGUSR1, "raise");
    taken = 0;
    is_int(pthread_mutex_trylock(&guard), 0, "a mutex is free as the atfork handlers left it");
    pthread_mutex_unlock(&guard);
    is_int(pthread_mutex_lock(&robust), 0, "a robust mutex");
    is_int(pthread_mutex_unlock(&robust), 0, "and back");
    for (int i = 0; i < 2000; i++)
        free(malloc((size_t)i * 37));
    ok(1, "malloc");
    memory = fmemopen(text, sizeof(text), "w");
    fprintf(memory, "%d %s", 12, "stdio");
    fclose(memory);
    is_str(text, "12 stdio", "stdio");
    threads_look();
    forks_look();
}

static void *fork_from_thread(void *arg)
{
    mine = 3;
    remote_look(node, look);
    is_str(order, "pf", "in the parent they ran in the parent's");
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t workers[WORKERS], forker;
    pthread_mutexattr_t attr;

    node = remote_node(argc, argv);
    signal(SIGUSR1, handler);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attr);
    pthread_atfork(on_prepare, on_parent, on_child);
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&workers[i], NULL, work, NULL);
    pthread_create(&forker, NULL, fork_from_thread, NULL);
    pthread_join(forker, NULL);
    stop = true;
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    ok(1, "the parent's other threads went on");
    return done_testing();
}
