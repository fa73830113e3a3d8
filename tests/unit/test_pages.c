/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "migrate/relay_pages.h"
#include "tests/unit/tap.h"

static uint8_t records[PAGES_ROOM];
static char bytes[PAGES_MANY * PIPE_BUF];

static void pipe_make(int fds[2])
{
    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
        exit(99);
}

static bool put(int fd, size_t len)
{
    return write(fd, bytes, len) == (ssize_t)len;
}

/* The lengths of what one call has read, separated by blanks; or its errno. */
static const char *lengths(struct pages *pages, int fd)
{
    static char text[512];
    size_t taken, sum = 0;
    ssize_t used = pages_read(pages, fd, records, &taken);
    uint32_t len;

    if (used <= 0)
        return used == 0 ? "end" : used == -EAGAIN ? "nothing" : strerror((int)-used);
    text[0] = '\0';
    for (ssize_t at = 0; at < used; at += PAGES_RECORD + len) {
        memcpy(&len, records + at, sizeof(len));
        len = ntohl(len);
        sum += len;
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u", at ? " " : "", len);
    }
    return sum == taken ? text : "another number of bytes than is said";
}

static void test_small(struct pages *pages)
{
    int fds[2];

    pipe_make(fds);
    is_str(lengths(pages, fds[0]), "nothing", "nothing waits in an empty pipe");
    ok(put(fds[1], 100), "a line is written");
    is_str(lengths(pages, fds[0]), "100", "it is read");
    ok(put(fds[1], 100) && put(fds[1], 1000), "two are written");
    is_str(lengths(pages, fds[0]), "1100", "they are one record, as they are no longer together");
    is_int(pages->pipes[PAGES_STEPS - 1][0], -1, "all that without a further pipe");
    close(fds[1]);
    is_str(lengths(pages, fds[0]), "end", "a closed pipe has ended");
    close(fds[0]);
}

static void test_cuts(struct pages *pages)
{
    int fds[2];

    pipe_make(fds);
    ok(put(fds[1], 3000) && put(fds[1], 3000) && put(fds[1], 1000) && put(fds[1], 4096),
       "four writes are made");
    is_str(lengths(pages, fds[0]), "3000 4000 4096", "none of them is cut");
    ok(put(fds[1], 10000) && put(fds[1], 4000), "a long one and another are written");
    is_str(lengths(pages, fds[0]), "4096 4096 1808 4000", "the long one alone is cut");
    close(fds[1]);
    is_str(lengths(pages, fds[0]), "end", "then there is nothing more");
    close(fds[0]);
}

static void test_full(struct pages *pages, int flags, const char *name)
{
    char want[16];
    int fds[2], full = 0;

    snprintf(want, sizeof(want), "%d", PAGES_RUN);
    pipe_make(fds);
    fcntl(fds[1], F_SETFL, flags | O_NONBLOCK);
    fcntl(fds[1], F_SETPIPE_SZ, 4 * PAGES_MANY * PIPE_BUF);
    for (int i = 0; i < 3; i++)
        full += put(fds[1], sizeof(bytes));
    ok(put(fds[1], 10), "%s: three buffers full of bytes and a line", name);
    for (int i = 0; i < 3; i++)
        full += strcmp(lengths(pages, fds[0]), want) == 0;
    is_int(full, 6, "%s: come as three runs", name);
    is_str(lengths(pages, fds[0]), "10", "%s: the line does, too", name);
    close(fds[0]);
    close(fds[1]);
}

/* Page after page that is not full for a byte. */
static void test_nearly(struct pages *pages)
{
    char want[512] = "";
    int fds[2], good = 1;

    for (int i = 0; i < PAGES_MANY; i++)
        strcat(want, i ? " 4095" : "4095");
    pipe_make(fds);
    fcntl(fds[1], F_SETPIPE_SZ, PAGES_MANY * PIPE_BUF);
    for (int i = 0; i < PAGES_MANY; i++)
        good &= put(fds[1], PIPE_BUF - 1);
    ok(good, "a pipe is filled with pages that are not quite full");
    is_str(lengths(pages, fds[0]), want, "each comes alone");
    close(fds[0]);
    close(fds[1]);
}

/* Fewer than make the longest run: in shorter ones, page by page only where a page is not full. */
static void test_few(struct pages *pages)
{
    int fds[2];

    pipe_make(fds);
    ok(put(fds[1], 10 * PIPE_BUF + 100), "some pages are written");
    is_str(lengths(pages, fds[0]), "32768 4096 4096 100", "as many as possible come as a run");
    ok(put(fds[1], 200) && put(fds[1], 9 * PIPE_BUF - 100), "a line is, and pages behind it");
    is_str(lengths(pages, fds[0]), "200 4096 4096 4096 4096 4096 4096 4096 4096 3996",
           "the line is no part of a run");
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    struct pages pages;

    pages_init(&pages);
    test_small(&pages);
    test_cuts(&pages);
    test_full(&pages, 0, "a pipe");
    test_full(&pages, O_DIRECT, "packet mode");
    test_nearly(&pages);
    test_few(&pages);
    pages_free(&pages);
    is_int(pages.pipes[0][0], -1, "the further pipes are closed in the end");
    return done_testing();
}
