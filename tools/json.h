/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON as the tools print it with --json: one object on one line, whose first key is "version": 1.
 * Meanings of keys never change; new ones may be added. Times are seconds since 1970, sizes are
 * bytes; a set of nodes is there twice, as a list of numbers ("nodes") and folded ("nodeset").
 *
 * json_begin() opens the object, json_end() closes it. Between them each call adds a member to the
 * innermost object or list that is open; `key` is NULL in a list. Text that is no UTF-8 is shown
 * with U+FFFD for each wrong byte. Errors of the stream stay with the stream, for ferror() and
 * fflush() to tell; nothing blocks but writing to it.
 */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_VERSION 1
#define JSON_DEPTH_MAX 16       /* objects and lists within one another */

/* The members are the emitter's own. */
struct json {
    FILE *out;
    int depth;
    char closers[JSON_DEPTH_MAX];
    bool comma;
};

void json_begin(struct json *json, FILE *out);

/* Closes all that is open, and the line. */
void json_end(struct json *json);

void json_object(struct json *json, const char *key);
void json_list(struct json *json, const char *key);

/* Closes the innermost object or list. */
void json_close(struct json *json);

/* NULL becomes null. */
void json_string(struct json *json, const char *key, const char *value);

/* bytes[len], which may hold NULs; NULL only with 0. */
void json_text(struct json *json, const char *key, const char *bytes, size_t len);

void json_int(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* Three decimals; what is no finite number becomes null. */
void json_real(struct json *json, const char *key, double value);

/* A list of numbers. */
void json_ints(struct json *json, const char *key, const int *values, size_t count);

#endif
