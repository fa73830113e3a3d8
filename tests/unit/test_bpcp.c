/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tap.h"
#include "tools/bpcp_name.h"
#include "tools/bpcp_bar.h"
#include "tools/bpcp_stream.h"
#include "tools/bpcp_target.h"

static char dir[] = "/tmp/test-bpcp-XXXXXX";
static FILE *stream;

static void stream_begin(void)
{
    stream = tmpfile();
    if (!stream || stream_put_head(stream, 0) < 0)
        perror("cannot make a stream");
}

static void entry_put(copy_kind kind, const char *name)
{
    copy_record record = { .kind = kind };

    record.copy_record_u.entry.name = (char *)(uintptr_t)name;
    record.copy_record_u.entry.mode = kind == COPY_DIR ? 0755 : 0644;
    if (stream_put(stream, &record) < 0)
        perror(name);
}

static void data_put(uint64_t offset, unsigned count, const char *bytes)
{
    copy_record record = { .kind = COPY_DATA };

    record.copy_record_u.data = (copy_data) { offset, count };
    if (stream_put(stream, &record) < 0 || stream_put_bytes(stream, bytes, strlen(bytes)) < 0)
        perror("cannot put data");
}

static void mark_put(copy_kind kind)
{
    copy_record record = { .kind = kind };

    if (stream_put(stream, &record) < 0)
        perror("cannot put a mark");
}

static ssize_t bytes_get(void *arg, void *bytes, size_t most)
{
    return (ssize_t)fread(bytes, 1, most, arg);
}

/* What the target says of the stream when "asked" was asked for. */
static int received(void)
{
    char *asked[] = { (char *)(uintptr_t)"asked", NULL };
    struct target target = { .in = { bytes_get, stream }, .path = dir, .suffix = "",
                             .asked = asked, .report = { .label = "" } };
    int result;

    rewind(stream);
    result = target_check(&target) ? target_receive(&target) : -ENOENT;
    fclose(stream);
    return result;
}

static void file_put(const char *name)
{
    entry_put(COPY_FILE, name);
    data_put(0, 2, "hi");
    mark_put(COPY_FILE_END);
}

static off_t size_of(const char *name)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return stat(path, &st) < 0 ? -1 : st.st_size;
}

static void test_good(void)
{
    copy_record end = { .kind = COPY_FILE_END };

    stream_begin();
    entry_put(COPY_DIR, "asked");
    entry_put(COPY_FILE, "file");
    data_put(10, 2, "hi");
    end.copy_record_u.end.size = 100;
    stream_put(stream, &end);
    mark_put(COPY_DIR_END);
    mark_put(COPY_END);
    is_int(received(), 0, "a stream as it should be");
    is_int(size_of("asked/file"), 100, "is on the disk");
}

static void test_names(void)
{
    const char *const bad[] = { "..", ".", "a/b", "/etc/passwd", "../x", "other", "" };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        stream_begin();
        file_put(bad[i]);
        mark_put(COPY_END);
        is_int(received(), -EPROTO, "'%s', which nobody asked for, is refused", bad[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (strcmp(bad[i], "other") == 0)
            continue;
        stream_begin();
        entry_put(COPY_DIR, "asked");
        file_put(bad[i]);
        mark_put(COPY_DIR_END);
        mark_put(COPY_END);
        is_int(received(), -EPROTO, "'%s' inside a directory too", bad[i]);
    }
    is_int(size_of("other"), -1, "nothing came of them");
}

static void test_order(void)
{
    stream_begin();
    mark_put(COPY_DIR_END);
    mark_put(COPY_END);
    is_int(received(), -EPROTO, "an end without a directory");
    stream_begin();
    data_put(0, 2, "hi");
    mark_put(COPY_END);
    is_int(received(), -EPROTO, "data without a file");
    stream_begin();
    entry_put(COPY_FILE, "asked");
    entry_put(COPY_FILE, "asked");
    is_int(received(), -EPROTO, "a file in a file");
    stream_begin();
    entry_put(COPY_DIR, "asked");
    mark_put(COPY_END);
    is_int(received(), -EPROTO, "a directory without an end");
    stream_begin();
    file_put("asked");
    is_int(received(), -EPROTO, "a stream without an end");
}

static void test_bounds(void)
{
    stream_begin();
    entry_put(COPY_FILE, "asked");
    data_put(0, COPY_MAX_DATA + 1, "hi");
    is_int(received(), -EPROTO, "more data than may be at once");
    stream_begin();
    entry_put(COPY_FILE, "asked");
    data_put(UINT64_MAX - 1, 2, "hi");
    is_int(received(), -EPROTO, "data behind every file's end");
    stream_begin();
    entry_put(COPY_FILE, "asked");
    data_put(0, 100, "hi");
    is_int(received(), -EPROTO, "data that are cut short");
    stream_begin();
    stream_put_bytes(stream, "\xff\xff\xff\xff", 4);
    is_int(received(), -EPROTO, "a record without an end");
    stream = tmpfile();
    is_int(received(), -ENODATA, "nothing at all");
    stream = tmpfile();
    stream_put_bytes(stream, "this is no stream of files", 26);
    is_int(received(), -EPROTO, "another program's output");
    stream = tmpfile();
    stream_put_bytes(stream, "\x42\x50\x63\x70\0\0\0\x7f\0\0\0\0\0\0\0\0", 16);
    is_int(received(), -EPROTONOSUPPORT, "another release's");
}

static void name_is(const char *path, const char *want)
{
    char *name = name_of_copy(path);

    is_str(name, want, "the copy of '%s'", path);
    free(name);
}

static void test_copy_names(void)
{
    name_is("a", "a");
    name_is("/a/b", "b");
    name_is("a/b//", "b");
    name_is("a/..b", "..b");
    name_is("...", "...");
    name_is(".", "");
    name_is("a/..", "");
    name_is("./", "");
    name_is("/", "");
    ok(name_answers("a", "a") && name_answers("a[b]", "a[b]"), "a name answers to itself");
    ok(name_answers("a.c", "*.c") && !name_answers("a.h", "*.c"), "and to a pattern");
    ok(!name_answers(".bashrc", "*"), "but not when it is hidden");
}

static void progress_is(uint64_t done, uint64_t total, double seconds, const char *want)
{
    char text[128];

    bar_format(text, sizeof(text), done, total, seconds);
    is_str(text, want, "progress of %llu in %g s", (unsigned long long)done, seconds);
}

static void test_progress(void)
{
    progress_is(0, 0, 0, "  0% [........................]       0 B       0 B/s    -:-- left");
    progress_is(512, 1024, 1, " 50% [############............]     512 B     512 B/s    0:01 left");
    progress_is(1 << 20, 1u << 30, 10,
                "  0% [........................]   1.0 MiB   102 KiB/s 2:50:30 left");
    progress_is(2000, 1024, 1,
                "100% [########################]   2.0 KiB   2.0 KiB/s    0:00 left");
}

int main(void)
{
    char command[64];

    if (!mkdtemp(dir))
        skip_all("cannot make a folder in /tmp");
    test_copy_names();
    test_progress();
    test_good();
    test_names();
    test_order();
    test_bounds();
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    ok(system(command) == 0, "the folder is removed");
    return done_testing();
}
