/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/bproc.h>
#include <sys/socket.h>

#include "libbproc/client.h"
#include "libbproc/spawnline.h"

int spawnline_open(struct spawnline *line)
{
    int conn;

    if (line->conn >= 0)
        return 0;
    if (!line->set)
        line->set = malloc(sizeof(*line->set));
    conn = line->set ? client_open() : -ENOMEM;
    if (conn < 0)
        return conn;
    line->conn = conn;
    line->len = 0;
    return 0;
}

void spawnline_close(struct spawnline *line)
{
    client_close(line->conn);
    line->conn = -1;
    free(line->set);
    line->set = NULL;
}

/* The first of the messages that have come: 1; 0: it is not whole; -errno: it is none. */
static int message_take(struct spawnline *line, struct frame_header *header)
{
    size_t size;
    int error;

    if (line->len < FRAME_PREFIX)
        return 0;
    error = frame_parse_header(line->bytes, header);
    if (error)
        return error;
    size = FRAME_PREFIX + header->body_len;
    if (size > sizeof(line->bytes))
        return -EMSGSIZE;
    if (line->len < size)
        return 0;
    line->len -= size;
    memmove(line->bytes, line->bytes + size, line->len);
    return 1;
}

/*
 * What else has come: 1; 0: nothing; -errno: it has ended. The kernel tells of a reset, behind all
 * that was sent, when whoever closed the other end had not read everything.
 */
static int bytes_take(struct spawnline *line)
{
    ssize_t n;

    do
        n = recv(line->conn, line->bytes + line->len, sizeof(line->bytes) - line->len,
                 MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : -errno;
    line->len += (size_t)n;
    return n > 0 ? 1 : -EPIPE;
}

int spawnline_wait(const struct spawnline *line)
{
    char byte;
    ssize_t n;

    do
        n = recv(line->conn, &byte, sizeof(byte), MSG_PEEK);
    while (n < 0 && errno == EINTR);
    return n > 0 ? 0 : n < 0 ? -errno : -EPIPE;
}

static int answer_error(const struct frame_header *header)
{
    int error = header->status > 0 ? client_error(-header->status) : 0;

    return error == -BPROC_PID_TAKEN ? -EAGAIN : error;
}

int spawnline_hear(struct spawnline *line, struct spawnline_answer *answer)
{
    struct frame_header header;
    int got = line->conn < 0 ? -EPIPE : 1;

    while (got > 0) {
        got = message_take(line, &header);
        if (got == 0)
            got = bytes_take(line);
        else if (got > 0 && header.kind == K_REPLY && header.proc == P_MOVE_HANDOVER) {
            *answer = (struct spawnline_answer){ header.serial, answer_error(&header) };
            return 1;
        }
    }
    if (got < 0)
        spawnline_close(line);
    return got;
}
