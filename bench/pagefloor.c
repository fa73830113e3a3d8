/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-pagefloor take PEM PORT
 * bench-pagefloor give HOST PORT ROUNDS MIB
 *
 * What it costs at least to bring a process's memory into one on another machine, enciphered: here
 * one thread reads it from a child that has just been forked, another one enciphers and sends;
 * there one deciphers and one places it by a userfaultfd. No image, no process to restore, no page
 * looked at. Nobody answers before all is in its place.
 */
#include "config.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/userfaultfd.h>

#include "bench/memory.h"
#include "bench/stopwatch.h"
#include "bench/tlspeer.h"

#define PIECE ((size_t)256 << 10)
#define RING 4
#define BUFFER (256 << 10)              /* of TLS, on both sides */

static unsigned char ring[RING][PIECE];
static sem_t filled, emptied;
static size_t pieces;

static void ring_begin(void)
{
    sem_init(&filled, 0, 0);
    sem_init(&emptied, 0, RING);
}

static pthread_t thread_start(void *(*run)(void *arg), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, arg) != 0)
        stopwatch_die("start", "thread");
    return thread;
}

/* ---- where it goes to ---- */

struct place {
    int fd;
    unsigned char *memory;
};

static void place_make(struct place *place)
{
    struct uffdio_api api = { .api = UFFD_API };
    struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

    place->memory = mmap(NULL, pieces * PIECE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place->memory == MAP_FAILED)
        stopwatch_die("get", "memory");
    reg.range.start = (uintptr_t)place->memory;
    reg.range.len = pieces * PIECE;
    place->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    if (place->fd < 0 || ioctl(place->fd, UFFDIO_API, &api) < 0 ||
        ioctl(place->fd, UFFDIO_REGISTER, &reg) < 0)
        stopwatch_die("get", "userfaultfd");
}

static void *place_run(void *arg)
{
    const struct place *place = arg;

    for (size_t i = 0; i < pieces; i++) {
        struct uffdio_copy copy = { .dst = (uintptr_t)place->memory + i * PIECE,
                                    .src = (uintptr_t)ring[i % RING], .len = PIECE };

        sem_wait(&filled);
        if (ioctl(place->fd, UFFDIO_COPY, &copy) < 0)
            stopwatch_die("place", "memory");
        sem_post(&emptied);
    }
    return NULL;
}

static int bytes_take(SSL *tls, void *bytes, size_t len)
{
    for (size_t done = 0, n; done < len; done += n)
        if (SSL_read_ex(tls, (char *)bytes + done, len - done, &n) != 1)
            return 0;
    return 1;
}

static void memory_take(SSL *tls, void *arg)
{
    (void)arg;
    SSL_set_read_ahead(tls, 1);
    SSL_set_default_read_buffer_len(tls, BUFFER);
    while (bytes_take(tls, &pieces, sizeof(pieces))) {
        struct place place;
        pthread_t thread;

        place_make(&place);
        ring_begin();
        thread = thread_start(place_run, &place);
        for (size_t i = 0; i < pieces; i++) {
            sem_wait(&emptied);
            if (!bytes_take(tls, ring[i % RING], PIECE))
                return;
            sem_post(&filled);
        }
        pthread_join(thread, NULL);
        close(place.fd);
        if (SSL_write(tls, "", 1) != 1)
            return;
        munmap(place.memory, pieces * PIECE);
    }
}

/* ---- where it comes from ---- */

struct source {
    int fd;                             /* /proc/PID/mem of who has it */
    const uint64_t *memory;
};

static void *source_run(void *arg)
{
    const struct source *source = arg;

    for (size_t i = 0; i < pieces; i++) {
        sem_wait(&emptied);
        if (pread(source->fd, ring[i % RING], PIECE,
                  (off_t)((uintptr_t)source->memory + i * PIECE)) != (ssize_t)PIECE)
            stopwatch_die("read", "memory");
        sem_post(&filled);
    }
    return NULL;
}

static void writes_gather(SSL *tls)
{
    BIO *buffer = BIO_new(BIO_f_buffer()), *below = SSL_get_wbio(tls);

    if (!buffer || BIO_set_write_buffer_size(buffer, BUFFER) != 1)
        stopwatch_die("get", "memory");
    BIO_up_ref(below);
    SSL_set0_wbio(tls, BIO_push(buffer, below));
}

static void bytes_give(SSL *tls, const void *bytes, size_t len)
{
    if (SSL_write(tls, bytes, (int)len) != (int)len)
        stopwatch_die("write to", "connection");
}

static void memory_give(SSL *tls, pid_t pid, const uint64_t *memory)
{
    struct source source = { .memory = memory };
    char path[40], answer;
    pthread_t thread;

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
    source.fd = open(path, O_RDONLY | O_CLOEXEC);
    ring_begin();
    bytes_give(tls, &pieces, sizeof(pieces));
    thread = thread_start(source_run, &source);
    for (size_t i = 0; i < pieces; i++) {
        sem_wait(&filled);
        bytes_give(tls, ring[i % RING], PIECE);
        sem_post(&emptied);
    }
    if (BIO_flush(SSL_get_wbio(tls)) != 1 || SSL_read(tls, &answer, 1) != 1)
        stopwatch_die("hear from", "the other side");
    pthread_join(thread, NULL);
    close(source.fd);
}

static void rounds_run(SSL *tls, int rounds, uint64_t *memory, size_t mib)
{
    writes_gather(tls);
    pieces = (mib << 20) / PIECE;
    for (int round = 0; round <= rounds; round++) {
        int64_t start;
        pid_t pid;

        memory_change(memory, mib);
        pid = fork();
        if (pid == 0)
            for (;;)
                pause();
        start = stopwatch_now();
        memory_give(tls, pid, memory);
        if (round > 0)
            stopwatch_print("floor: the same by TLS, into a process", start, 0);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

int main(int argc, char **argv)
{
    uint64_t *memory;
    size_t mib;

    signal(SIGPIPE, SIG_IGN);
    if (argc == 4 && strcmp(argv[1], "take") == 0)
        tlspeer_serve(argv[2], argv[3], memory_take, NULL);
    if (argc != 6 || strcmp(argv[1], "give") != 0) {
        fprintf(stderr, "usage: bench-pagefloor take PEM PORT\n"
                        "       bench-pagefloor give HOST PORT ROUNDS MIB\n");
        return 2;
    }
    mib = strtoul(argv[5], NULL, 10);
    memory = memory_make(mib);
    if (!memory)
        stopwatch_die("get memory of MiB", argv[5]);
    rounds_run(tlspeer_connect(argv[2], argv[3]), atoi(argv[4]), memory, mib);
    return 0;
}
