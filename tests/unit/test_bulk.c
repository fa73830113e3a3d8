/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "tests/unit/relay_pair.h"

#define LARGE (3 * 1024 * 1024 + 5)

static uint8_t bytes[BPROC_MAX_BODY];

static int file_make(size_t size)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    uint8_t *at;

    must(fd >= 0 && ftruncate(fd, (off_t)size) == 0, "make a file");
    at = size ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : NULL;
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(i * 7 + i / 251);
    if (size)
        munmap(at, size);
    return fd;
}

/* The sending process: everything once, then a file, then silence, then the end. */
static void sender_run(SSL *ssl)
{
    pid_msg message = { .pid = 4711 };
    char byte;

    memset(bytes, 'x', sizeof(bytes));
    bulk_send(ssl, P_BULK_END, 7, NULL, NULL);
    bulk_send(ssl, P_EXIT_ACK, 8, FRAME_XDR(pid_msg), &message);
    bulk_send_data(ssl, P_BULK_DATA, 9, bytes, sizeof(bytes));
    bulk_send_data(ssl, P_BULK_DATA, 10, bytes, 3);
    bulk_put_file(ssl, P_BULK_DATA, 11, file_make(LARGE), LARGE);
    bulk_flush(ssl);
    (void)bulk_recv_into(ssl, &byte, 1);
    SSL_shutdown(ssl);
    _exit(0);
}

static bool file_receive(SSL *ssl, int fd, size_t size)
{
    size_t got = 0;

    while (got < size) {
        struct frame_header header;

        if (bulk_recv_header(ssl, &header) || header.proc != P_BULK_DATA ||
            bulk_recv_to_fd(ssl, fd, header.body_len))
            return false;
        got += header.body_len;
    }
    return got == size;
}

static bool files_same(int one, int two, size_t size)
{
    uint8_t *a = mmap(NULL, size, PROT_READ, MAP_SHARED, one, 0);
    uint8_t *b = mmap(NULL, size, PROT_READ, MAP_SHARED, two, 0);
    bool same = a != MAP_FAILED && b != MAP_FAILED && memcmp(a, b, size) == 0;

    munmap(a, size);
    munmap(b, size);
    return same;
}

static void test_transfer(void)
{
    struct timeval soon = { .tv_usec = 50000 };
    struct bulk_msg msg;
    pid_msg message;
    SSL *ssl[2];
    int file = file_make(0);
    pid_t pid;

    tls_pair(ssl);
    pid = fork();
    if (pid == 0) {
        close(SSL_get_fd(ssl[1]));
        sender_run(ssl[0]);
    }
    is_int(bulk_recv(ssl[1], &msg), 0, "an event without a body arrives");
    ok(msg.header.proc == P_BULK_END && msg.header.serial == 7 && !msg.body, "as it was sent");
    is_int(bulk_recv(ssl[1], &msg), 0, "so does one with a body");
    is_int(frame_decode(FRAME_XDR(pid_msg), msg.body, msg.header.body_len, &message,
                        sizeof(message)), 0, "which decodes");
    is_int(message.pid, 4711, "to what it was");
    bulk_free(&msg);
    is_int(bulk_recv(ssl[1], &msg), 0, "the largest body arrives");
    is_int(msg.header.body_len, BPROC_MAX_BODY, "whole");
    is_int(msg.body[BPROC_MAX_BODY - 1], 'x', "to its last byte");
    bulk_free(&msg);
    is_int(bulk_recv(ssl[1], &msg), 0, "a small one follows");
    bulk_free(&msg);
    ok(file_receive(ssl[1], file, LARGE), "a file arrives");
    ok(files_same(file, file_make(LARGE), LARGE), "byte for byte");
    setsockopt(SSL_get_fd(ssl[1]), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
    is_int(bulk_recv(ssl[1], &msg), -ETIMEDOUT, "a silent peer is not waited for for ever");
    is_int(bulk_send_data(ssl[1], P_BULK_DATA, 0, bytes, sizeof(bytes) + 1), -EMSGSIZE,
           "more than a body holds is refused");
    is_int(bulk_put_file(ssl[1], P_BULK_DATA, 0, file_make(10), 11), -EIO,
           "a file that is too short is noticed");
    tls_free(ssl[0]);
    tls_free(ssl[1]);
    waitpid(pid, NULL, 0);
}

/* Receives after `len` bytes of these were sent over TLS and the peer hung up. */
static int answer_to(const uint8_t *frame, size_t len)
{
    struct bulk_msg msg;
    SSL *ssl[2];
    size_t n;
    int error;

    tls_pair(ssl);
    if (len > 0)
        SSL_write_ex(ssl[0], frame, len, &n);
    (void)BIO_flush(SSL_get_wbio(ssl[0]));
    SSL_shutdown(ssl[0]);
    error = bulk_recv(ssl[1], &msg);
    if (!error)
        bulk_free(&msg);
    tls_free(ssl[0]);
    tls_free(ssl[1]);
    return error;
}

static void test_bad_bytes(void)
{
    struct frame_header header = { .kind = K_EVENT, .proc = P_BULK_DATA, .body_len = 4 };
    uint8_t frame[FRAME_PREFIX + 4] = { 0 };

    frame_format_header(&header, frame);
    is_int(answer_to(frame, sizeof(frame)), 0, "a good event is taken");
    is_int(answer_to(frame, sizeof(frame) - 1), -ECONNRESET, "one that breaks off is not");
    is_int(answer_to(frame, 0), -ECONNRESET, "the end is told as such");
    header.kind = K_REPLY;
    frame_format_header(&header, frame);
    is_int(answer_to(frame, sizeof(frame)), -EPROTO, "a reply is none");
    header = (struct frame_header){ .kind = K_EVENT, .proc = P_BULK_DATA,
                                    .body_len = BPROC_MAX_BODY + 1 };
    frame_format_header(&header, frame);
    is_int(answer_to(frame, sizeof(frame)), -EMSGSIZE, "a body over the limit is refused");
}

/* What others write on the connection is behind what has been sealed. */
static void test_records(void)
{
    const uint8_t behind[FRAME_PREFIX] = { 0 };
    struct frame_header header;
    uint8_t got[FRAME_PREFIX];
    int waiting = 0;
    SSL *ssl[2];
    size_t n;

    tls_pair(ssl);
    bulk_put(ssl[0], P_BULK_END, 1, NULL, NULL);
    bulk_put_data(ssl[0], P_BULK_DATA, 2, "ab", 2);
    ok(bulk_is_gathered(ssl[0]), "two small events wait");
    bulk_flush(ssl[0]);
    ok(!bulk_is_gathered(ssl[0]), "until they are sent");
    ioctl(SSL_get_fd(ssl[1]), FIONREAD, &waiting);
    ok(waiting < 3 * FRAME_PREFIX, "in one record (%d bytes)", waiting);
    (void)bulk_recv_header(ssl[1], &header);
    is_int(bulk_recv_header(ssl[1], &header), 0, "they arrive");
    bulk_recv_into(ssl[1], got, 2);
    bulk_put(ssl[0], P_BULK_END, 3, NULL, NULL);
    bulk_seal(ssl[0]);
    SSL_write_ex(ssl[0], behind, sizeof(behind), &n);
    bulk_flush(ssl[0]);
    ok(bulk_recv_header(ssl[1], &header) == 0 && header.serial == 3, "what is sealed goes first");
    ok(bulk_recv_into(ssl[1], got, sizeof(got)) == 0 && memcmp(got, behind, sizeof(got)) == 0,
       "then what is written beside");
    tls_free(ssl[0]);
    tls_free(ssl[1]);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    test_transfer();
    test_bad_bytes();
    test_records();
    return done_testing();
}
