/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench-floor ROUNDS MIB
 *
 * What the processor alone needs to bring a process's memory into another one, enciphered on the
 * way: one thread reads it from a child and enciphers, another deciphers into memory that nobody
 * has touched. No network, no kernel's buffers, no image.
 */
#include "config.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "bench/memory.h"
#include "bench/stopwatch.h"
#include "common/tls.h"
#include "migrate/aesgcm.h"

#define PIECE ((size_t)1 << 20)
#define RECORD ((size_t)16 << 10)       /* of TLS */
#define RING 4

static unsigned char ring[RING][PIECE];
static sem_t filled, emptied;
static size_t pieces;
static unsigned char *target;

static void record_cipher(EVP_CIPHER_CTX *ctx, unsigned char *to, const unsigned char *from)
{
    static const unsigned char iv[12];
    unsigned char tag[16];
    int len;

    /* An IV for each record, as TLS has it; which one makes no difference here. */
    EVP_CipherInit_ex(ctx, NULL, NULL, NULL, iv, -1);
    EVP_CipherUpdate(ctx, to, &len, from, (int)RECORD);
    /* Deciphering looks at the tag, and says that it is wrong: that costs the same. */
    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag);
    EVP_CipherFinal_ex(ctx, tag, &len);
}

static EVP_CIPHER_CTX *cipher_new(int enciphers)
{
    static const unsigned char key[32];
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", TLS_PREFERENCE);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (!ctx || !cipher || !EVP_CipherInit_ex(ctx, cipher, NULL, key, NULL, enciphers))
        stopwatch_die("make", "cipher");
    EVP_CIPHER_free(cipher);
    return ctx;
}

static void *decipher_run(void *arg)
{
    EVP_CIPHER_CTX *ctx = cipher_new(0);

    for (size_t i = 0; i < pieces; i++) {
        sem_wait(&filled);
        for (size_t at = 0; at < PIECE; at += RECORD)
            record_cipher(ctx, target + i * PIECE + at, ring[i % RING] + at);
        sem_post(&emptied);
    }
    EVP_CIPHER_CTX_free(ctx);
    return arg;
}

static void encipher_run(pid_t pid, const uint64_t *memory)
{
    static unsigned char plain[PIECE];
    EVP_CIPHER_CTX *ctx = cipher_new(1);

    for (size_t i = 0; i < pieces; i++) {
        struct iovec near = { plain, PIECE };
        struct iovec far = { (char *)(uintptr_t)memory + i * PIECE, PIECE };

        if (process_vm_readv(pid, &near, 1, &far, 1, 0) != (ssize_t)PIECE)
            stopwatch_die("read", "memory");
        sem_wait(&emptied);
        for (size_t at = 0; at < PIECE; at += RECORD)
            record_cipher(ctx, ring[i % RING] + at, plain + at);
        sem_post(&filled);
    }
    EVP_CIPHER_CTX_free(ctx);
}

static void floor_time(pid_t pid, const uint64_t *memory, int counts)
{
    pthread_t thread;
    int64_t start;

    target = mmap(NULL, pieces * PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (target == MAP_FAILED)
        stopwatch_die("get", "memory");
    sem_init(&filled, 0, 0);
    sem_init(&emptied, 0, RING);
    start = stopwatch_now();
    if (pthread_create(&thread, NULL, decipher_run, NULL) != 0)
        stopwatch_die("start", "thread");
    encipher_run(pid, memory);
    pthread_join(thread, NULL);
    if (counts)
        stopwatch_print("floor: read, encipher, decipher, touch", start, 0);
    munmap(target, pieces * PIECE);
}

int main(int argc, char **argv)
{
    uint64_t *memory;
    pid_t pid;

    if (argc != 3) {
        fprintf(stderr, "usage: bench-floor ROUNDS MIB\n");
        return 2;
    }
    aesgcm_provide();
    pieces = (size_t)strtoul(argv[2], NULL, 10);
    memory = memory_make(pieces);
    if (!memory)
        stopwatch_die("get memory of MiB", argv[2]);
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    for (int round = 0; round <= atoi(argv[1]); round++)
        floor_time(pid, memory, round > 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
}
