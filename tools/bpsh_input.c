/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/bpsh_input.h"

#define FIRST_ROOM 65536
#define PASS_MAX (1024 * 1024)
#define PIPE_USUAL 65536
#define PIPE_GROWN (256 * 1024)
#define PIPE_OWN_GROWN (1024 * 1024)

int input_init(struct input *input, int fd, bool grows)
{
    struct stat st;

    *input = (struct input) { .bytes = malloc(FIRST_ROOM), .room = FIRST_ROOM, .grows = grows };
    input->copies = fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode));
    return input->bytes ? 0 : -ENOMEM;
}

void input_free(struct input *input)
{
    free(input->bytes);
    input->bytes = NULL;
}

bool input_wants(const struct input *input)
{
    return !input->eof && (input->grows || input->used < input->room);
}

static int input_grow(struct input *input)
{
    char *bytes = realloc(input->bytes, 2 * input->room);

    if (!bytes)
        return -ENOMEM;
    input->bytes = bytes;
    input->room *= 2;
    return 0;
}

int input_read(struct input *input, int fd)
{
    ssize_t n;
    int error = 0;

    if (input->used == input->room)
        error = input_grow(input);
    if (error) {
        input->eof = true;
        return error;
    }
    n = read(fd, input->bytes + input->used, input->room - input->used);
    if (n > 0) {
        input->used += (size_t)n;
    } else if (n == 0) {
        input->eof = true;
    } else if (errno != EINTR && errno != EAGAIN) {
        error = -errno;
        input->eof = true;
    }
    return error;
}

bool input_done(const struct input *input, uint64_t pos)
{
    return pos == input->start + input->used;
}

int input_write(const struct input *input, uint64_t *pos, int fd)
{
    while (!input_done(input, *pos)) {
        size_t skip = (size_t)(*pos - input->start);
        ssize_t n = write(fd, input->bytes + skip, input->used - skip);

        if (n >= 0)
            *pos += (uint64_t)n;
        else if (errno == EAGAIN)
            return 0;
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

bool input_passes(const struct input *input, uint64_t pos)
{
    return !input->copies && !input->eof && input_done(input, pos);
}

/* The kernel says how much of that its user may have. */
static void pipe_grow(int fd, int want)
{
    int size = fcntl(fd, F_GETPIPE_SZ);

    if (size >= 0 && size < want)
        fcntl(fd, F_SETPIPE_SZ, want);
}

int input_pass(struct input *input, uint64_t *pos, int from, int to)
{
    ssize_t n = splice(from, NULL, to, NULL, PASS_MAX, SPLICE_F_NONBLOCK);

    /* A stdin as full as pipes usually are can do with more room, and what it is moved to, too. */
    if (n >= PIPE_USUAL && !input->grown) {
        pipe_grow(from, PIPE_GROWN);
        pipe_grow(to, PIPE_OWN_GROWN);
        input->grown = true;
    }
    if (n > 0) {
        *pos += (uint64_t)n;
        input->start = *pos;
        input->used = 0;
    } else if (n == 0) {
        input->eof = true;
    } else if (errno == EAGAIN) {
        input->full = true;
    } else if (errno == EPIPE) {
        return -EPIPE;
    } else if (errno != EINTR) {
        /* Whatever else is wrong read(2) will tell. */
        input->copies = true;
    }
    return 0;
}

void input_drop(struct input *input, uint64_t pos)
{
    size_t count = (size_t)(pos - input->start);

    /* Moving little for the sake of little would cost more than it frees. */
    if (count < input->used && count < input->room / 2)
        return;
    memmove(input->bytes, input->bytes + count, input->used - count);
    input->used -= count;
    input->start = pos;
}
