/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dumpflags [-d] [-s] [-w] [-o OTHER] NODE FLAGS [FILE]...: forks onto NODE, the FILEs mapped and
 * untouched. FLAGS is any of x (executable), l (libraries), o (others), or "default". The child
 * compares what it finds mapped with what its parent found. Prints "ok", or the name of errno if
 * the call fails.
 *
 *   -d  removes the FILEs between mapping and forking
 *   -s  maps them shared, for writing too
 *   -w  the child waits until standard input of its parent ends before it looks
 *   -o  and then goes to node OTHER first
 */
#include "config.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/progs/prog.h"

#define MAX_FILES 8

struct mapping {
    const uint8_t *bytes;
    size_t len;
    uint64_t sum;
};

static uint64_t bytes_sum(const uint8_t *bytes, size_t len)
{
    uint64_t sum = 14695981039346656037u;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ bytes[i]) * 1099511628211u;
    return sum;
}

static void file_map(struct mapping *mapping, const char *path, int shared)
{
    int fd = open(path, (shared ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    struct stat st;
    void *bytes;

    MUST(fd);
    MUST(fstat(fd, &st));
    mapping->len = (size_t)st.st_size;
    /* Once for the sum, then anew, so that no page of it is in the child's memory. */
    bytes = mmap(NULL, mapping->len, PROT_READ, MAP_PRIVATE, fd, 0);
    MUST((long)bytes == -1 ? -1 : 0);
    mapping->sum = bytes_sum(bytes, mapping->len);
    munmap(bytes, mapping->len);
    bytes = mmap(NULL, mapping->len, shared ? PROT_READ | PROT_WRITE : PROT_READ,
                 shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
    MUST((long)bytes == -1 ? -1 : 0);
    mapping->bytes = bytes;
    close(fd);
}

static int flags_parse(const char *text)
{
    return (strchr(text, 'x') ? BPROC_DUMP_EXEC : 0) | (strchr(text, 'l') ? BPROC_DUMP_LIBS : 0) |
           (strchr(text, 'o') ? BPROC_DUMP_OTHER : 0);
}

static int child(const struct mapping *mappings, int count, const int wait[2],
                 const char *other)
{
    char *text = NULL;

    close(wait[1]);
    end_expect(wait[0]);
    if (other)
        MUST(bproc_move(atoi(other)));
    for (int i = 0; i < count; i++)
        CHECK(bytes_sum(mappings[i].bytes, mappings[i].len) == mappings[i].sum,
              "mapping %d has other contents", i);
    CHECK(asprintf(&text, "%d %.2f", getpid(), 1.5) > 0, "libc does not work");
    free(text);
    return 0;
}

int main(int argc, char **argv)
{
    struct mapping mappings[MAX_FILES];
    int opt, unlinks = 0, shared = 0, waits = 0, wait[2], count;
    const char *other = NULL;
    pid_t pid;

    while ((opt = getopt(argc, argv, "dswo:")) != -1) {
        unlinks |= opt == 'd';
        shared |= opt == 's';
        waits |= opt == 'w';
        other = opt == 'o' ? optarg : other;
    }
    count = argc - optind - 2;
    CHECK(count >= 0 && count <= MAX_FILES,
          "usage: dumpflags [-dsw] [-o OTHER] NODE FLAGS [FILE]");
    argv += optind;
    for (int i = 0; i < count; i++) {
        file_map(&mappings[i], argv[2 + i], shared);
        if (unlinks)
            MUST(unlink(argv[2 + i]));
    }
    MUST(pipe(wait));
    pid = strcmp(argv[1], "default") == 0 ? bproc_rfork(atoi(argv[0]))
                                          : _bproc_rfork(atoi(argv[0]), flags_parse(argv[1]));
    if (pid == 0)
        return child(mappings, count, wait, other);
    if (pid < 0) {
        int error = errno;

        CHECK(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "a failed call left a child");
        puts(strerrorname_np(error) ? strerrorname_np(error) : bproc_strerror(error));
        return 0;
    }
    while (waits && getchar() != EOF)
        continue;
    close(wait[0]);
    close(wait[1]);
    child_expect(pid, 0);
    puts("ok");
    return 0;
}
