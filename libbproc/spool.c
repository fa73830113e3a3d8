/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbproc/spool.h"
#include "proto/frame.h"

#define CHUNK (256u << 10)

struct spool {
    int in, out;
};

static int bytes_write(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno != EINTR)
            return -errno;
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* 0 when there is something to be read again. */
static int input_wait(int fd)
{
    struct pollfd polled = { .fd = fd, .events = POLLIN };

    if (errno == EAGAIN)
        poll(&polled, 1, -1);
    else if (errno != EINTR)
        return -errno;
    return 0;
}

/* Takes exactly that many bytes, and passes them on. */
static int bytes_pass(const struct spool *spool, uint8_t *bytes, size_t len)
{
    size_t got = 0;
    int error = 0;

    while (!error && got < len) {
        ssize_t n = read(spool->in, bytes + got, len - got);

        if (n == 0)
            return -ENOEXEC;
        if (n < 0)
            error = input_wait(spool->in);
        else
            got += (size_t)n;
    }
    return error ? error : bytes_write(spool->out, bytes, len);
}

static int content_pass(const struct spool *spool, uint64_t size)
{
    uint8_t *chunk = malloc(CHUNK);
    int error = chunk ? 0 : -ENOMEM;

    while (!error && size > 0) {
        size_t len = size < CHUNK ? (size_t)size : CHUNK;

        error = bytes_pass(spool, chunk, len);
        size -= error ? 0 : len;
    }
    free(chunk);
    return error;
}

/* The bytes that follow a frame belong to it if it announces a file. */
static int file_pass(const struct spool *spool, const uint8_t *body, size_t len)
{
    bulk_file file;
    int error = frame_decode(FRAME_XDR(bulk_file), body, len, &file, sizeof(file));

    if (error)
        return -ENOEXEC;
    error = content_pass(spool, file.size);
    frame_free(FRAME_XDR(bulk_file), &file, sizeof(file));
    return error;
}

static int frame_pass(const struct spool *spool, struct frame_header *header)
{
    uint8_t prefix[FRAME_PREFIX], *body;
    int error = bytes_pass(spool, prefix, sizeof(prefix));

    if (error)
        return error;
    if (frame_parse_header(prefix, header) < 0)
        return -ENOEXEC;
    body = malloc(header->body_len + 1);
    if (!body)
        return -ENOMEM;
    error = bytes_pass(spool, body, header->body_len);
    if (!error && header->proc == P_BULK_FILE)
        error = file_pass(spool, body, header->body_len);
    free(body);
    return error;
}

static int image_pass(const struct spool *spool)
{
    struct frame_header header = { .proc = P_DUMP_HEAD };
    uint8_t magic[BPROC_DUMP_MAGIC_LEN];
    int error = bytes_pass(spool, magic, sizeof(magic));

    if (!error && memcmp(magic, BPROC_DUMP_MAGIC, sizeof(magic)) != 0)
        error = -ENOEXEC;
    while (!error && header.proc != P_DUMP_SEAL)
        error = frame_pass(spool, &header);
    if (!error && lseek(spool->out, 0, SEEK_SET) < 0)
        error = -errno;
    return error;
}

int spool_open(int fd)
{
    struct spool spool = { .in = fd };
    struct stat st;
    int error;

    if (fstat(fd, &st) < 0)
        return -errno;
    spool.out = S_ISREG(st.st_mode) ? fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                                    : memfd_create("bproc-image", MFD_CLOEXEC);
    if (spool.out < 0)
        return -errno;
    error = S_ISREG(st.st_mode) ? 0 : image_pass(&spool);
    if (!error)
        return spool.out;
    close(spool.out);
    return error;
}
