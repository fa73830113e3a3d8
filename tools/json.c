/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "tools/json.h"

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

static void text_write(FILE *out, const char *text, size_t len)
{
    fputc('"', out);
    while (len > 0) {
        const unsigned char *at = (const unsigned char *)text;
        int length = utf8_length(at, len);

        if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else if (*at < 0x20 || *at == 0x7f)
            fprintf(out, "\\u%04x", *at);
        else if (length > 0)
            fwrite(at, 1, (size_t)length, out);
        else
            fputs("\\ufffd", out);
        length = length > 0 ? length : 1;
        text += length;
        len -= (size_t)length;
    }
    fputc('"', out);
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
