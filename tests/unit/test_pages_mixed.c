/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages of a pipe under all that can be put into one: small and large writes, packets, pages that
 * are partly filled, halved, borrowed from files and sockets, or shared by tee(2). What comes out
 * is what went in, no write of up to PIPE_BUF bytes is cut, and nothing ever stops. A cut is not
 * looked for where another reader makes one, or beside pieces that are larger than pages.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "migrate/relay_pages.h"
#include "tests/unit/tap.h"

#define LARGEST (300 * 1024)
#define STALL_MS 5000

enum way {
    WRITE_SMALL, WRITE_LARGE, SPLICE_FILE, SPLICE_PIPE, SPLICE_SOCKET, TEE_PIPE, LEND, WAYS
};

struct scene {
    const char *name;
    unsigned ways;              /* bit set of enum way */
    int flags;                  /* of the pipe */
    int size;                   /* of the pipe; 0: as it is */
    size_t steal;               /* now and then somebody else reads up to so many bytes */
    size_t total;
};

#define WRITES (1u << WRITE_SMALL | 1u << WRITE_LARGE)
#define BORROWED (1u << SPLICE_FILE | 1u << SPLICE_PIPE | 1u << TEE_PIPE | 1u << LEND)

static const struct scene scenes[] = {
    { "small writes", 1u << WRITE_SMALL, 0, 0, 0, 24 << 20 },
    { "large writes", 1u << WRITE_LARGE, 0, 0, 0, 64 << 20 },
    { "small and large writes", WRITES, 0, 0, 0, 48 << 20 },
    { "small and large writes into a large pipe", WRITES, 0, 1 << 20, 0, 48 << 20 },
    { "small and large writes into a single page", WRITES, 0, 4096, 0, 16 << 20 },
    { "small and large packets", WRITES, O_DIRECT, 1 << 20, 0, 32 << 20 },
    { "writes, with another reader", WRITES, 0, 1 << 20, 60000, 48 << 20 },
    { "borrowed pages", BORROWED, 0, 0, 0, 32 << 20 },
    { "borrowed pages into a large pipe", BORROWED | WRITES, 0, 1 << 20, 0, 48 << 20 },
    { "borrowed pages, with another reader", 1u << SPLICE_FILE | 1u << LEND | WRITES, 0, 1 << 20,
      9000, 48 << 20 },
    { "borrowed pages and packets", BORROWED | WRITES, O_DIRECT, 1 << 20, 0, 32 << 20 },
    { "pieces from a socket", BORROWED | WRITES | 1u << SPLICE_SOCKET, 0, 1 << 20, 0, 48 << 20 },
    { "pieces from a socket, and packets", WRITES | 1u << SPLICE_SOCKET, O_DIRECT, 1 << 20, 0,
      48 << 20 },
};

/* Byte number `at` of what is written. */
static uint8_t byte_at(size_t at)
{
    return (uint8_t)((at * 2654435761u) >> 11 ^ at);
}

struct writer {
    const struct scene *scene;
    int fd;
    unsigned seed;
    size_t at;
    uint8_t *ends;              /* whether what comes before a byte may be parted from it */
    uint8_t bytes[LARGEST];
};

static size_t chance(unsigned *seed, size_t below)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 8) % below;
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    printf("Bail out! cannot %s: %s\n", what, strerror(errno));
    exit(99);
}

static void bytes_fill(struct writer *writer, size_t len)
{
    for (size_t i = 0; i < len; i++)
        writer->bytes[i] = byte_at(writer->at + i);
}

/* All bytes may be parted but those of a write that has to stay whole. */
static void ends_note(struct writer *writer, size_t len, bool whole)
{
    writer->ends[writer->at] = 1;
    for (size_t i = 1; i < len; i++)
        writer->ends[writer->at + i] = !whole;
}

static void bytes_write(struct writer *writer, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write(writer->fd, writer->bytes + done, len - done);

        must(n > 0, "write");
        done += (size_t)n;
    }
}

/* From `from` all of `len` bytes, by splice. */
static void bytes_splice(struct writer *writer, int from, off_t *offset, size_t len)
{
    while (len > 0) {
        ssize_t n = splice(from, offset, writer->fd, NULL, len, 0);

        must(n > 0, "splice");
        len -= (size_t)n;
    }
}

static void file_splice(struct writer *writer, size_t len)
{
    off_t offset = (off_t)chance(&writer->seed, 4096);
    int fd = memfd_create("pages", MFD_CLOEXEC);

    must(fd >= 0 && pwrite(fd, writer->bytes, len, offset) == (ssize_t)len, "fill a file");
    bytes_splice(writer, fd, &offset, len);
    close(fd);
}

/* A pipe of partly filled pages: moved, or shared with what stays behind. */
static void pipe_splice(struct writer *writer, size_t len, bool shares)
{
    int fds[2];
    size_t done = 0;

    must(pipe2(fds, O_CLOEXEC | O_DIRECT) == 0 && fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) > 0,
         "make a pipe");
    while (done < len) {
        size_t part = 1 + chance(&writer->seed, PIPE_BUF);
        size_t moved = 0;

        part = part < len - done ? part : len - done;
        must(write(fds[1], writer->bytes + done, part) == (ssize_t)part, "write");
        while (shares && moved < part) {
            ssize_t n = tee(fds[0], writer->fd, part, 0);

            must(n > 0, "tee");
            moved += (size_t)n;
            must(read(fds[0], writer->bytes + done, (size_t)n) == n, "read");
            done += (size_t)n;
        }
        if (!shares)
            bytes_splice(writer, fds[0], NULL, part);
        done += shares ? 0 : part;
    }
    close(fds[0]);
    close(fds[1]);
}

static void socket_splice(struct writer *writer, size_t len)
{
    int fds[2];
    size_t done = 0;

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0, "make sockets");
    while (done < len) {
        size_t part = len - done < 65536 ? len - done : 65536;

        must(write(fds[1], writer->bytes + done, part) == (ssize_t)part, "write");
        bytes_splice(writer, fds[0], NULL, part);
        done += part;
    }
    close(fds[0]);
    close(fds[1]);
}

/* Pages of memory that nobody touches any more. */
static void memory_lend(struct writer *writer, size_t len)
{
    size_t skip = chance(&writer->seed, 4000), done = 0, size = len + 4096;
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(memory != MAP_FAILED, "get memory");
    memcpy(memory + skip, writer->bytes, len);
    while (done < len) {
        struct iovec iov = { memory + skip + done, len - done };
        ssize_t n = vmsplice(writer->fd, &iov, 1, 0);

        must(n > 0, "lend memory");
        done += (size_t)n;
    }
    munmap(memory, size);
}

static enum way way_choose(struct writer *writer)
{
    enum way way;

    do {
        way = (enum way)chance(&writer->seed, WAYS);
    } while (!(writer->scene->ways & 1u << way));
    return way;
}

static size_t length_choose(struct writer *writer, enum way way)
{
    size_t left = writer->scene->total - writer->at, len;

    if (way == WRITE_SMALL)
        len = 1 + chance(&writer->seed, chance(&writer->seed, 4) ? 200 : PIPE_BUF);
    else if (way == WRITE_LARGE)
        len = PIPE_BUF + 1 + chance(&writer->seed, LARGEST - PIPE_BUF);
    else
        len = 1 + chance(&writer->seed, 40000);
    return len < left ? len : left;
}

static void step_write(struct writer *writer)
{
    enum way way = way_choose(writer);
    size_t len = length_choose(writer, way);

    bytes_fill(writer, len);
    ends_note(writer, len, way == WRITE_SMALL);
    if (way == WRITE_SMALL || way == WRITE_LARGE)
        bytes_write(writer, len);
    else if (way == SPLICE_FILE)
        file_splice(writer, len);
    else if (way == SPLICE_PIPE || way == TEE_PIPE)
        pipe_splice(writer, len, way == TEE_PIPE);
    else if (way == SPLICE_SOCKET)
        socket_splice(writer, len);
    else
        memory_lend(writer, len);
    writer->at += len;
    /* Sometimes the reader is faster. */
    if (chance(&writer->seed, 64) == 0)
        usleep(50);
}

static void *writer_run(void *arg)
{
    struct writer *writer = arg;

    while (writer->at < writer->scene->total)
        step_write(writer);
    close(writer->fd);
    return NULL;
}

struct reader {
    size_t at;
    size_t wrong;               /* bytes that are not what was written */
    size_t cut;                 /* writes that should have stayed whole */
    size_t bad;                 /* lengths of records */
    bool stalled;
    bool ended;
};

static void bytes_check(struct reader *reader, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        reader->wrong += bytes[i] != byte_at(reader->at + i);
    reader->at += len;
}

static void records_check(struct reader *reader, const uint8_t *ends, const uint8_t *records,
                          size_t used)
{
    while (used > 0) {
        uint32_t len;

        memcpy(&len, records, sizeof(len));
        len = ntohl(len);
        if (len == 0 || len > used - PAGES_RECORD || (len > PIPE_BUF && len % PIPE_BUF)) {
            reader->bad++;
            return;
        }
        records += PAGES_RECORD;
        used -= PAGES_RECORD + len;
        for (size_t left = len, part; left > 0; left -= part, records += part) {
            part = left < PIPE_BUF ? left : PIPE_BUF;
            reader->cut += !ends[reader->at];
            bytes_check(reader, records, part);
        }
    }
}

static void scene_read(struct reader *reader, const struct scene *scene, int fd,
                       const uint8_t *ends)
{
    static uint8_t records[PAGES_ROOM];
    struct pages pages;
    unsigned seed = 77;

    pages_init(&pages);
    while (!reader->ended && !reader->stalled && !reader->bad) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        size_t taken;
        ssize_t n;

        reader->stalled = poll(&ready, 1, STALL_MS) == 0;
        if (scene->steal && chance(&seed, 4) == 0) {
            n = read(fd, records, 1 + chance(&seed, scene->steal));
            bytes_check(reader, records, n > 0 ? (size_t)n : 0);
        }
        n = pages_read(&pages, fd, records, &taken);
        if (n > 0)
            records_check(reader, ends, records, (size_t)n);
        reader->ended = n == 0;
        reader->bad += n < 0 && n != -EAGAIN;
    }
    pages_free(&pages);
}

static void scene_play(const struct scene *scene)
{
    static struct writer writer;
    struct reader reader = { 0 };
    pthread_t thread;
    int fds[2];

    must(pipe2(fds, O_CLOEXEC | scene->flags) == 0, "make a pipe");
    must(!scene->size || fcntl(fds[1], F_SETPIPE_SZ, scene->size) >= 0, "size a pipe");
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    writer.scene = scene;
    writer.fd = fds[1];
    writer.seed = 4711;
    writer.at = 0;
    writer.ends = calloc(1, scene->total + 1);
    must(writer.ends != NULL, "get memory");
    must(pthread_create(&thread, NULL, writer_run, &writer) == 0, "start a writer");
    scene_read(&reader, scene, fds[0], writer.ends);
    close(fds[0]);
    pthread_join(thread, NULL);
    ok(reader.ended && !reader.stalled && !reader.bad, "%s: all of it is read", scene->name);
    ok(reader.at == scene->total && reader.wrong == 0, "%s: as it was written (%zu of %zu)",
       scene->name, reader.at, scene->total);
    if (!(scene->steal || scene->ways & 1u << SPLICE_SOCKET))
        is_int(reader.cut, 0, "%s: no small write is cut", scene->name);
    free(writer.ends);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
        scene_play(&scenes[i]);
    return done_testing();
}
