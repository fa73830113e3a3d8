/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of CRIU's image files: two magic numbers, then records, each a length of four bytes and
 * a protobuf message. What is taken points into what it is taken from and lives as long; the
 * taking functions move the start of `in`. Nothing here blocks.
 */
#ifndef BPROC_IMAGEFILE_H
#define BPROC_IMAGEFILE_H

#include <stddef.h>
#include <stdint.h>

#define MAGIC_LEN 8
#define LENGTH_LEN 4
#define MAX_VARINT 10

struct bytes {
    uint8_t *at;
    size_t len;
};

struct field {
    unsigned number;
    uint64_t value;                     /* of a varint; else 0 */
    struct bytes whole, content;        /* with and without the tag; content of a message */
};

/* Reads a whole file to malloc'd file->at, which the caller frees, on failure too. 0/-errno. */
int imagefile_read(int dir_fd, const char *name, struct bytes *file);

/* Replaces what a file holds. 0/-errno. */
int imagefile_write(int dir_fd, const char *name, const struct bytes *file);

/* 0, or -EPROTO when the magic numbers are not there. */
int magic_skip(struct bytes *in);

/* 1 with a record, 0 at the end, -EPROTO. */
int record_take(struct bytes *in, struct bytes *record);

/* 1 with a field, 0 at the end, -EPROTO, also for a number that protobuf has not. */
int field_take(struct bytes *in, struct field *field);

#define MESSAGE_FIELDS 32

/* A message with each field at its number; of those that are repeated the last one. */
struct message {
    struct field fields[MESSAGE_FIELDS];
    uint32_t seen;                      /* bits: which of them there are */
};

/*
 * 0, or -EPROTO: also when a number is beyond MESSAGE_FIELDS, or a field that is not among the bits
 * of `repeated` is there twice, of which CRIU would make one.
 */
int message_read(struct bytes in, uint32_t repeated, struct message *message);

/* The number, as wide as CRIU takes it; 0 when it is not there. */
uint32_t message_value(const struct message *message, unsigned number);

/* Called with each record of a file; 0 to go on, 1 to stop, or -errno. */
typedef int record_visitor(struct bytes record, void *arg);

/* 0, -EPROTO, what the visitor said, or the errno of a file operation. */
int imagefile_visit(int dir_fd, const char *name, record_visitor *visit, void *arg);

/* Bytes put at `out`, at most MAX_VARINT. */
size_t varint_put(uint8_t *out, uint64_t value);

#endif
