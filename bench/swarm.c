/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-swarm --nodes N --keys DIR [OPTION…]
 *
 * Many simulated nodes, which join, connect, ping and answer over TLS as slaved does, from few
 * processes. What they do is told by commands on standard input, one a line; each is answered by
 * one line. At the end of input the swarm goes.
 */
#include "config.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "bench/stopwatch.h"
#include "bench/swarm_tokens.h"
#include "bench/swarm_worker.h"

#define MAX_WORKERS 64
#define PER_PROCESS 1000
#define LOOK_USEC 1000

static struct swarm_options options = { .per_process = PER_PROCESS };
static struct swarm_tally *tallies;
static int pipes[MAX_WORKERS];
static int worker_count;
static int64_t begun;           /* when the last order was given */

static const char usage_text[] =
    "usage: bench-swarm --nodes N --keys DIR [OPTION...]\n"
    "  --nodes N            so many simulated nodes\n"
    "  --keys DIR           where each keeps its key and certificate, best in memory\n"
    "  --first N            the lowest node number (default 0)\n"
    "  --master ADDR[:PORT] default: what the tokens say\n"
    "  --tokens FILE        what `bpctl token create --node N' printed for each node that has\n"
    "                       no keys yet (default: masterd on this machine is asked)\n"
    "  --source ADDR        the first node's own address, the others have the next ones\n"
    "                       (default: one address for all)\n"
    "  --per-process N      nodes in one process (default 1000)\n"
    "  --watch              each node wants to hear of changes\n"
    "Commands: start, drop N, silence N, wait N SECONDS, status, quit.\n";

static uint32_t address_read(const char *text)
{
    struct in_addr in;

    if (inet_pton(AF_INET, text, &in) != 1)
        errx(1, "'%s' is no IPv4 address", text);
    return ntohl(in.s_addr);
}

static int number_read(const char *text, int least, int most)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*text == '\0' || *end || number < least || number > most)
        errx(1, "'%s' is no number from %d to %d", text, least, most);
    return (int)number;
}

static void master_read(char *text)
{
    char *port = strchr(text, ':');

    if (port)
        *port++ = '\0';
    options.master.sin_addr.s_addr = htonl(address_read(text));
    options.master.sin_port = htons((uint16_t)(port ? number_read(port, 1, 65535) : 2223));
}

/* The name of the file of tokens; NULL without. */
static const char *options_read(int argc, char **argv)
{
    static const struct option names[] = {
        { "nodes", required_argument, NULL, 'n' },   { "keys", required_argument, NULL, 'k' },
        { "first", required_argument, NULL, 'f' },   { "master", required_argument, NULL, 'm' },
        { "tokens", required_argument, NULL, 't' },  { "source", required_argument, NULL, 's' },
        { "per-process", required_argument, NULL, 'p' }, { "watch", no_argument, NULL, 'w' },
        { "help", no_argument, NULL, 'h' },          { 0 }
    };
    const char *tokens = NULL;
    int c;

    options.master.sin_family = AF_INET;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'n': options.count = number_read(optarg, 1, BPROC_MAX_NODES); break;
        case 'k': options.keys = optarg; break;
        case 'f': options.first = number_read(optarg, 0, BPROC_MAX_NODES - 1); break;
        case 'm': master_read(optarg); break;
        case 't': tokens = optarg; break;
        case 's': options.source = address_read(optarg); break;
        case 'p': options.per_process = number_read(optarg, 1, BPROC_MAX_NODES); break;
        case 'w': options.watch = 1; break;
        case 'h': fputs(usage_text, stdout); exit(0);
        default: fputs(usage_text, stderr); exit(2);
        }
    }
    if (optind < argc || options.count == 0 || !options.keys) {
        fputs(usage_text, stderr);
        exit(2);
    }
    worker_count = (options.count + options.per_process - 1) / options.per_process;
    if (worker_count > MAX_WORKERS || options.first + options.count > BPROC_MAX_NODES)
        errx(1, "cannot run %d nodes from %d on in processes of %d", options.count, options.first,
             options.per_process);
    return tokens;
}

/* Worker i has the nodes from share(i) to share(i + 1). */
static int share(int whole, int i)
{
    return (int)((long)whole * i / worker_count);
}

static void worker_start(int i)
{
    int first = share(options.count, i);
    int pair[2];
    pid_t pid, parent = getpid();

    if (pipe(pair) < 0 || (pid = fork()) < 0)
        err(1, "cannot start process %d of the swarm", i);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        for (int j = 0; j < i; j++)
            close(pipes[j]);
        close(pair[1]);
        worker_run(&options, options.first + first, share(options.count, i + 1) - first, pair[0],
                   &tallies[i]);
    }
    close(pair[0]);
    pipes[i] = pair[1];
}

static unsigned up_count(void)
{
    unsigned up = 0;

    for (int i = 0; i < worker_count; i++)
        up += tallies[i].up;
    return up;
}

/* Nobody of the swarm ends before we do. */
static void workers_check(void)
{
    if (waitpid(-1, NULL, WNOHANG) > 0)
        errx(1, "a process of the swarm has ended");
}

static void workers_start(void)
{
    tallies = mmap(NULL, MAX_WORKERS * sizeof(*tallies), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tallies == MAP_FAILED)
        err(1, "cannot share memory with the processes of the swarm");
    for (int i = 0; i < worker_count; i++)
        worker_start(i);
    for (int i = 0; i < worker_count; i++)
        while (!tallies[i].ready) {
            workers_check();
            usleep(LOOK_USEC);
        }
}

static void order_give(enum swarm_verb verb, int count)
{
    begun = stopwatch_now();
    for (int i = 0; i < worker_count; i++) {
        struct swarm_order order = { verb, share(count, i + 1) - share(count, i) };

        if (order.count > 0 && write(pipes[i], &order, sizeof(order)) != sizeof(order))
            err(1, "cannot tell process %d of the swarm", i);
    }
    printf("ok\n");
}

static double seconds_since(int64_t start)
{
    return (double)(stopwatch_now() - start) / 1e9;
}

static void status_print(void)
{
    struct swarm_tally sum = { .up = 0 };
    const char *complaint = "";

    for (int i = 0; i < worker_count; i++) {
        sum.joins += tallies[i].joins;
        sum.attempts += tallies[i].attempts;
        sum.failures += tallies[i].failures;
        sum.losses += tallies[i].losses;
        sum.pings += tallies[i].pings;
        sum.changes += tallies[i].changes;
        if (tallies[i].complaint[0])
            complaint = tallies[i].complaint;
    }
    printf("up %u joins %u attempts %u failures %u losses %u pings %u changes %u%s%s\n", up_count(),
           sum.joins, sum.attempts, sum.failures, sum.losses, sum.pings, sum.changes,
           *complaint ? " last: " : "", complaint);
}

/* Until exactly so many are up; how long that took from the last order on. */
static void up_wait(unsigned count, int limit)
{
    int64_t start = stopwatch_now();

    while (up_count() != count && seconds_since(start) < limit) {
        workers_check();
        usleep(LOOK_USEC);
    }
    if (up_count() == count)
        printf("up %u after %.3f s\n", count, seconds_since(begun));
    else
        printf("late: up %u after %.3f s\n", up_count(), seconds_since(begun));
}

/* 0 at `quit'. */
static int command_run(const char *line)
{
    int count, limit;
    char rest;

    if (sscanf(line, "wait %d %d %c", &count, &limit, &rest) == 2)
        up_wait((unsigned)count, limit);
    else if (sscanf(line, "drop %d %c", &count, &rest) == 1)
        order_give(SWARM_DROP, count);
    else if (sscanf(line, "silence %d %c", &count, &rest) == 1)
        order_give(SWARM_SILENCE, count);
    else if (strcmp(line, "start\n") == 0)
        order_give(SWARM_START, options.count);
    else if (strcmp(line, "status\n") == 0)
        status_print();
    else if (strcmp(line, "quit\n") == 0)
        return 0;
    else
        printf("not a command: start, drop N, silence N, wait N SECONDS, status, quit\n");
    return 1;
}

int main(int argc, char **argv)
{
    const char *tokens = options_read(argc, argv);
    char line[200];

    tokens_get(&options, tokens);
    workers_start();
    begun = stopwatch_now();
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("ready %d\n", options.count);
    while (fgets(line, sizeof(line), stdin) && command_run(line))
        workers_check();
    return 0;
}
