/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <math.h>

#include "tests/unit/tap.h"
#include "tools/json.h"

static char *text;
static size_t len;
static struct json json;

static void start(void)
{
    json_begin(&json, open_memstream(&text, &len));
}

/* What was printed since start(); good until the next end(). */
static const char *end(void)
{
    static char copy[4096];

    json_end(&json);
    fclose(json.out);
    snprintf(copy, sizeof(copy), "%s", text);
    free(text);
    return copy;
}

static const char *string(const char *value)
{
    start();
    json_string(&json, "s", value);
    return end();
}

static void test_nesting(void)
{
    static const int numbers[] = { 0, -1, 7 };

    start();
    is_str(end(), "{\"version\":1}\n", "an object with a version");
    start();
    json_ints(&json, "nodes", numbers, 3);
    json_list(&json, "empty");
    json_close(&json);
    json_list(&json, "list");
    json_object(&json, NULL);
    json_int(&json, "a", INT64_MIN);
    json_close(&json);
    json_object(&json, NULL);
    json_close(&json);
    json_string(&json, NULL, "x");
    json_close(&json);
    json_bool(&json, "b", true);
    is_str(end(), "{\"version\":1,\"nodes\":[0,-1,7],\"empty\":[],"
                  "\"list\":[{\"a\":-9223372036854775808},{},\"x\"],\"b\":true}\n",
           "commas stand where they belong");
    start();
    json_object(&json, "a");
    json_list(&json, "b");
    is_str(end(), "{\"version\":1,\"a\":{\"b\":[]}}\n", "the end closes all");
}

static void test_values(void)
{
    start();
    json_real(&json, "r", 0.0625);
    json_real(&json, "nan", NAN);
    json_bool(&json, "f", false);
    json_string(&json, "s", NULL);
    is_str(end(), "{\"version\":1,\"r\":0.062,\"nan\":null,\"f\":false,\"s\":null}\n",
           "numbers, and what is none");
}

static void test_text(void)
{
    is_str(string("a\"b\\c/"), "{\"version\":1,\"s\":\"a\\\"b\\\\c/\"}\n", "quotes, backslashes");
    is_str(string("\x01\t\n\x7f"), "{\"version\":1,\"s\":\"\\u0001\\u0009\\u000a\\u007f\"}\n",
           "control characters");
    is_str(string("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7"),
           "{\"version\":1,\"s\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7\"}\n", "UTF-8");
    is_str(string("\xff" "a\xc3"), "{\"version\":1,\"s\":\"\\ufffda\\ufffd\"}\n",
           "bytes that are none");
    is_str(string("\xc0\x80\xed\xa0\x80\xf4\x90\x80\x80"),
           "{\"version\":1,\"s\":\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"
           "\\ufffd\\ufffd\\ufffd\\ufffd\"}\n",
           "overlong ones, surrogates, those beyond the last");
}

int main(void)
{
    test_nesting();
    test_values();
    test_text();
    return done_testing();
}
