/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "tools/json.h"

#define ESCAPE 6                    /* bytes of "\\u0000" */

/* Bytes of the UTF-8 character in text[len], 0 if there is none: overlong, surrogate, cut off. */
static int utf8_length(const unsigned char *text, size_t len)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    int length = text[0] < 0x80 ? 1 : text[0] >> 5 == 6 ? 2 : text[0] >> 4 == 14 ? 3 :
                 text[0] >> 3 == 30 ? 4 : 0;
    uint32_t code;

    if (length < 2 || (size_t)length > len)
        return length < 2 ? length : 0;
    code = text[0] & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        if (text[i] >> 6 != 2)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    return code < least[length] || code > 0x10ffff || code >> 11 == 0x1b ? 0 : length;
}

/* Appends bytes to `to`, whose end it returns. */
static char *bytes_put(char *to, const char *bytes, int count)
{
    while (count-- > 0)
        *to++ = *bytes++;
    return to;
}

/* The character that text[len] begins with, `length` bytes long; 0: what is none. */
static char *character_put(char *to, const char *text, int length)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char byte = (unsigned char)*text;

    if (byte == '"' || byte == '\\')
        *to++ = '\\';
    else if (byte < 0x20 || byte == 0x7f)
        return bytes_put(to, (char[]){ '\\', 'u', '0', '0', digits[byte >> 4],
                                       digits[byte & 15] }, ESCAPE);
    return length > 0 ? bytes_put(to, text, length) : bytes_put(to, "\\ufffd", ESCAPE);
}

/* By pieces: output may be long, and each call of stdio costs more than a character does. */
static void text_write(FILE *out, const char *text, size_t len)
{
    char piece[1024], *to = piece;

    *to++ = '"';
    while (len > 0) {
        int length = utf8_length((const unsigned char *)text, len);

        to = character_put(to, text, length);
        length = length > 0 ? length : 1;
        text += length;
        len -= (size_t)length;
        if (to > piece + sizeof(piece) - 2 * ESCAPE) {
            fwrite(piece, 1, (size_t)(to - piece), out);
            to = piece;
        }
    }
    *to++ = '"';
    fwrite(piece, 1, (size_t)(to - piece), out);
}

/* What stands in front of each value. */
static void value_begin(struct json *json, const char *key)
{
    if (json->comma)
        fputc(',', json->out);
    json->comma = true;
    if (!key)
        return;
    text_write(json->out, key, strlen(key));
    fputc(':', json->out);
}

static void nest(struct json *json, const char *key, char opener, char closer)
{
    assert(json->depth < JSON_DEPTH_MAX);
    value_begin(json, key);
    fputc(opener, json->out);
    json->closers[json->depth++] = closer;
    json->comma = false;
}

void json_object(struct json *json, const char *key)
{
    nest(json, key, '{', '}');
}

void json_list(struct json *json, const char *key)
{
    nest(json, key, '[', ']');
}

void json_close(struct json *json)
{
    assert(json->depth > 0);
    fputc(json->closers[--json->depth], json->out);
    json->comma = true;
}

void json_begin(struct json *json, FILE *out)
{
    *json = (struct json) { .out = out };
    json_object(json, NULL);
    json_int(json, "version", JSON_VERSION);
}

void json_end(struct json *json)
{
    while (json->depth > 0)
        json_close(json);
    fputc('\n', json->out);
}

void json_string(struct json *json, const char *key, const char *value)
{
    if (!value) {
        json_null(json, key);
        return;
    }
    json_text(json, key, value, strlen(value));
}

void json_text(struct json *json, const char *key, const char *bytes, size_t len)
{
    value_begin(json, key);
    text_write(json->out, bytes, len);
}

void json_int(struct json *json, const char *key, int64_t value)
{
    value_begin(json, key);
    fprintf(json->out, "%" PRId64, value);
}

void json_real(struct json *json, const char *key, double value)
{
    if (!isfinite(value)) {
        json_null(json, key);
        return;
    }
    value_begin(json, key);
    fprintf(json->out, "%.3f", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    value_begin(json, key);
    fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
    value_begin(json, key);
    fputs("null", json->out);
}

void json_ints(struct json *json, const char *key, const int *values, size_t count)
{
    json_list(json, key);
    for (size_t i = 0; i < count; i++)
        json_int(json, NULL, values[i]);
    json_close(json);
}
