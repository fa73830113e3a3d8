/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tap.h"
#include "tools/bpsh_command.h"
#include "tools/bpsh_input.h"
#include "tools/bpsh_output.h"

static char dir[] = "/tmp/test-bpsh-XXXXXX";

static void file_make(const char *name, mode_t mode)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, mode) < 0)
        perror(path);
    close(fd);
}

static void file_remove(const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    unlink(path);
}

static void test_lookup(void)
{
    char search[128], want[64], *found;

    file_make("runs", 0755);
    file_make("does-not", 0644);
    snprintf(search, sizeof(search), "/nonexistent:%s:/bin", dir);
    snprintf(want, sizeof(want), "%s/runs", dir);
    found = command_find("runs", search);
    is_str(found, want, "a command is found on the path");
    free(found);
    found = command_find("./a/b", search);
    is_str(found, "./a/b", "a name with a slash is its own path");
    free(found);
    errno = 0;
    is_str(command_find("does-not", search), NULL, "what cannot be executed is not found");
    is_int(errno, EACCES, "and that is the reason");
    is_str(command_find("absent", search), NULL, "what is not there is not found");
    is_int(errno, ENOENT, "and that is the reason");
    is_str(command_find("", search), NULL, "there is no command without a name");
    found = chdir(dir) == 0 ? command_find("runs", "/nonexistent::/bin") : NULL;
    is_str(found, "./runs", "an empty element is the current directory");
    free(found);
    file_remove("runs");
    file_remove("does-not");
}

static void test_wrapping(void)
{
    char *args[] = { (char[]) { "/bin/echo" }, (char[]) { "a b" }, NULL };
    struct command_files none = { 0 }, out = { .out = "file" };
    struct command command;

    is_int(command_make(&command, args, &none), 0, "a command without files is made");
    is_str(command.path, "/bin/echo", "it is what runs");
    is_str(command.argv[1], "a b", "with its arguments");
    command_free(&command);
    is_int(command_make(&command, args, &out), 0, "a command with a file is made");
    is_str(command.path, PKGLIBEXECDIR "/bproc-open", "what opens it runs first");
    is_str(command.argv[2], "file", "which gets the file's name");
    is_str(command.argv[4], "/bin/echo", "and the command");
    is_str(command.argv[5], "a b", "and its arguments");
    command_free(&command);
}

/* What output_read() makes of TEXT under STYLE, for node 12. */
static const char *shown(const char *text, struct output_style style)
{
    static struct sink sink;
    static char result[512];
    struct output output;
    int from[2], to[2];
    ssize_t n = -1;

    if (pipe(from) < 0 || pipe(to) < 0)
        return NULL;
    sink.fd = to[1];
    if (write(from[1], text, strlen(text)) < 0)
        return NULL;
    close(from[1]);
    if (output_open(&output, from[0], &sink, &style) < 0)
        return NULL;
    while (output.fd >= 0)
        output_read(&output, &style, 12);
    close(to[1]);
    n = read(to[0], result, sizeof(result) - 1);
    close(to[0]);
    result[n < 0 ? 0 : n] = '\0';
    return result;
}

static void test_output(void)
{
    struct output_style plain = { 0 }, lines = { .lines = true, .longest = 4 };
    struct output_style label = { .lines = true, .label = true, .longest = 4 };
    struct output_style prefix = { .lines = true, .prefix = true, .longest = 4 };

    is_str(shown("a\nbcdefg", plain), "a\nbcdefg", "bytes pass");
    is_str(shown("a\nbcdefg", lines), "a\nbcdefg", "so do lines, longer ones in pieces");
    is_str(shown("a\n\nb\n", prefix), " 12: a\n 12: \n 12: b\n", "each line has a prefix");
    is_str(shown("a\nbc", prefix), " 12: a\n 12: bc\n", "an unfinished line gets an end");
    is_str(shown("abcdef\n", prefix), " 12: abcd\n 12: ef\n", "each piece is a line");
    is_str(shown("abcd", prefix), " 12: abcd\n", "a piece of exactly the longest");
    is_str(shown("", prefix), "", "nothing stays nothing");
    is_str(shown("a\nb", label), "n12: a\nn12: b\n", "a name in front of each line");
}

static void test_kept(void)
{
    struct output_style style = { .lines = true, .prefix = true, .longest = 4 };
    struct output output;
    size_t total = 0;
    int fds[2];

    if (pipe2(fds, O_NONBLOCK) < 0 || output_open(&output, fds[0], NULL, &style) < 0)
        return;
    for (int i = 0; i < 40; i++) {
        static char bytes[10000];
        ssize_t n = write(fds[1], memset(bytes, 'a' + i % 26, sizeof(bytes)), sizeof(bytes));

        total += n > 0 ? (size_t)n : 0;
        output_read(&output, &style, 12);
    }
    close(fds[1]);
    output_read(&output, &style, 12);
    is_int(output.fd, -1, "an output that is kept closes at its end");
    is_int((int)output.text.len, (int)total, "all of it is there");
    ok(output.text.bytes[0] == 'a' && output.text.bytes[total - 1] == 'a' + 39 % 26,
       "in its order, as it came");
    output_close(&output);
    ok(output.text.bytes == NULL, "until it is closed");
}

/* Puts TEXT into the input as if it were read from stdin; NULL is the end. */
static void feed(struct input *input, const char *text)
{
    int fds[2];

    if (pipe(fds) < 0 || (text && write(fds[1], text, strlen(text)) < 0))
        perror("pipe");
    close(fds[1]);
    input_read(input, fds[0]);
    close(fds[0]);
}

static void test_input(void)
{
    struct input input;
    uint64_t fast = 0, slow = 0;
    char got[16] = "";
    int fds[2];

    if (pipe2(fds, O_NONBLOCK) < 0)
        skip_all("no pipe");
    is_int(input_init(&input, -1, false), 0, "an input begins");
    ok(input_wants(&input), "it wants bytes");
    feed(&input, "hello");
    ok(!input_done(&input, fast), "a node that has had nothing is behind");
    is_int(input_write(&input, &fast, fds[1]), 0, "one node is given all");
    ok(input_done(&input, fast) && fast == 5, "and is done");
    input_drop(&input, slow);
    is_int(input_write(&input, &slow, fds[1]), 0, "the other one gets the same");
    is_int(read(fds[0], got, sizeof(got)), 10, "both have had it");
    is_str(got, "hellohello", "byte for byte");
    input_drop(&input, 5);
    is_int(input.used, 0, "what all have had is dropped");
    feed(&input, NULL);
    ok(input.eof && !input_wants(&input), "the end is noted");
    close(fds[0]);
    signal(SIGPIPE, SIG_IGN);
    input.used = 1;
    is_int(input_write(&input, &slow, fds[1]), -EPIPE, "a node that reads no more is told");
    close(fds[1]);
    input_free(&input);
}

static void test_input_pass(void)
{
    struct input input;
    uint64_t pos = 0;
    char got[16] = "";
    int in[2], out[2];

    if (pipe2(in, O_NONBLOCK) < 0 || pipe2(out, O_NONBLOCK) < 0)
        skip_all("no pipe");
    fcntl(out[1], F_SETPIPE_SZ, 4096);
    input_init(&input, in[0], false);
    ok(input_passes(&input, pos), "a pipe's bytes need no buffer");
    ok(write(in[1], "hello", 5) == 5 && input_pass(&input, &pos, in[0], out[1]) == 0 && pos == 5,
       "they are moved");
    ok(write(in[1], "world", 5) == 5 && input_pass(&input, &pos, in[0], out[1]) == 0 &&
       input.full && pos == 5, "unless there is no room");
    is_int(read(out[0], got, sizeof(got)), 5, "the node reads");
    input_pass(&input, &pos, in[0], out[1]);
    is_int(read(out[0], got, sizeof(got)), 5, "and gets the rest");
    ok(input_passes(&input, pos) && !input_passes(&input, pos - 1), "a node behind has to wait");
    close(in[1]);
    ok(input_pass(&input, &pos, in[0], out[1]) == 0 && input.eof, "the end is noted");
    close(in[0]);
    close(out[0]);
    close(out[1]);
    input_free(&input);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, in) < 0)
        skip_all("no sockets");
    input_init(&input, in[0], false);
    ok(!input_passes(&input, 0), "what is neither pipe nor file is copied");
    close(in[0]);
    close(in[1]);
    input_free(&input);
}

static void test_input_much(void)
{
    static char much[64 * 1024];
    struct input input;
    uint64_t pos = 0;
    int in[2], out[2];

    if (pipe2(in, O_NONBLOCK) < 0 || pipe2(out, O_NONBLOCK) < 0)
        skip_all("no pipe");
    input_init(&input, in[0], false);
    ok(write(in[1], much, 1) == 1 && input_pass(&input, &pos, in[0], out[1]) == 0 && pos == 1 &&
       fcntl(out[1], F_GETPIPE_SZ) == sizeof(much), "for little the node's pipe stays as it is");
    is_int(read(out[0], much, 1), 1, "the node reads");
    ok(write(in[1], much, sizeof(much)) == sizeof(much) &&
       input_pass(&input, &pos, in[0], out[1]) == 0 && pos == 1 + sizeof(much), "much is moved");
    ok(fcntl(in[0], F_GETPIPE_SZ) > (int)sizeof(much) &&
       fcntl(out[1], F_GETPIPE_SZ) > fcntl(in[0], F_GETPIPE_SZ), "and both pipes grow for more");
    for (int i = 0; i < 2; i++)
        close(in[i]), close(out[i]);
    input_free(&input);
}

static void test_input_room(void)
{
    static char much[4096 + 1];
    struct input input;

    memset(much, 'x', sizeof(much) - 1);
    input_init(&input, -1, false);
    for (int i = 0; i < 64 && input_wants(&input); i++)
        feed(&input, much);
    ok(!input_wants(&input) && input.used == input.room, "a full buffer wants nothing");
    input.grows = true;
    ok(input_wants(&input), "unless it grows");
    feed(&input, much);
    is_int(input.used, 65536 + 4096, "which it does");
    input_free(&input);
}

int main(void)
{
    if (!mkdtemp(dir))
        skip_all("no temporary directory");
    test_lookup();
    test_wrapping();
    test_output();
    test_kept();
    test_input();
    test_input_pass();
    test_input_much();
    test_input_room();
    if (rmdir(dir) < 0)
        diag("cannot remove %s", dir);
    return done_testing();
}
