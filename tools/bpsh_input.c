/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpsh_input.h"

#define FIRST_ROOM 65536

int input_init(struct input *input, bool grows)
{
    *input = (struct input) { .bytes = malloc(FIRST_ROOM), .room = FIRST_ROOM, .grows = grows };
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
