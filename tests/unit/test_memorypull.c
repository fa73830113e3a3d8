/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that comes from a node that is not believed, and the list by which it is named. */
#include "config.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "migrate/memorylist.h"
#include "migrate/memorypull.h"
#include "migrate/pagehash.h"
#include "migrate/pagestore.h"
#include "tests/unit/relay_pair.h"

#define PAGES 3

static const share_word word = "0123456789abcde";

/* As the node before has them. */
static void pages_make(uint8_t *pages, unsigned number)
{
    for (size_t i = 0; i < PAGES * PAGE_BYTES; i++)
        pages[i] = (uint8_t)(i * 31 + number);
}

/* Serves two batches, the second with a byte that is another one if it `lies`, or half of it. */
static void node_run(SSL *ssl, int lies, int breaks)
{
    uint8_t pages[PAGES * PAGE_BYTES];
    struct bulk_msg msg;

    must(bulk_recv(ssl, &msg) == 0 && msg.header.proc == P_BULK_PULL, "be asked");
    pages_make(pages, 0);
    bulk_send_data(ssl, P_BULK_DATA, 0, pages, PAGE_BYTES);
    bulk_send_data(ssl, P_BULK_DATA, 0, pages + PAGE_BYTES, (PAGES - 1) * PAGE_BYTES);
    pages_make(pages, 1);
    pages[PAGES * PAGE_BYTES - 1] ^= (uint8_t)lies;
    bulk_send_data(ssl, P_BULK_DATA, 0, pages, breaks ? PAGE_BYTES : sizeof(pages));
    _exit(0);
}

static void named_make(page_named *named, unsigned number)
{
    static uint8_t pages[PAGES * PAGE_BYTES];
    struct pagehash *hash = pagehash_new();

    must(hash != NULL, "get memory");
    pages_make(pages, number);
    named->number = number;
    must(pagehash_batch(hash, pages, PAGES, (uint8_t *)named->digest) == 0, "hash");
    pagehash_free(hash);
}

/* The number from which on the master is asked for the rest; -1: something else. */
static int rest_hear(SSL *master)
{
    struct bulk_msg msg;
    rest_msg rest = { .number = 0 };
    int error = bulk_recv(master, &msg);

    if (!error && msg.header.proc == P_BULK_REST)
        error = frame_decode(FRAME_XDR(rest_msg), msg.body, msg.header.body_len, &rest,
                             sizeof(rest));
    else
        error = -EPROTO;
    bulk_free(&msg);
    return error ? -1 : (int)rest.number;
}

static void test_pull(const char *what, int lies, int breaks)
{
    uint8_t pages[PAGES * PAGE_BYTES], want[PAGES * PAGE_BYTES];
    SSL *master[2], *node[2];
    struct nodelink link;
    struct memorypull *pull;
    page_named named;
    int good = !lies && !breaks;
    pid_t pid;

    tls_pair(master);
    tls_pair(node);
    pid = fork();
    if (pid == 0)
        node_run(node[0], lies, breaks);
    tls_free(node[0]);
    link.ssl = node[1];
    pull = memorypull_new(master[1], &link, word);
    named_make(&named, 0);
    pages_make(want, 0);
    ok(memorypull_take(pull, &named, pages, sizeof(pages)) == 1 &&
       memcmp(pages, want, sizeof(pages)) == 0, "%s: the first batch comes", what);
    named_make(&named, 1);
    is_int(memorypull_take(pull, &named, pages, sizeof(pages)), good, "%s: the second", what);
    is_int(memorypull_waits(pull), !good, "%s: the master is asked", what);
    if (!good) {
        is_int(rest_hear(master[0]), 1, "%s: for the rest", what);
        named_make(&named, 2);
        is_int(memorypull_take(pull, &named, pages, sizeof(pages)), 0,
               "%s: what he has said before is let go by", what);
        is_int(memorypull_rest(pull), 0, "%s: until he begins", what);
        ok(!memorypull_waits(pull), "%s: which he does once", what);
    }
    ok(memorypull_rest(pull) == -EPROTO, "%s: he sends no rest unasked", what);
    memorypull_free(pull);
    tls_free(master[0]);
    tls_free(master[1]);
    must(waitpid(pid, NULL, 0) == pid, "wait");
}

static int list_file(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    must(fd >= 0, "make a file");
    return fd;
}

static void test_list(void)
{
    static struct memoryitem item, found;
    int fd = list_file();
    struct memorylist *list = memorylist_make(dup(fd)), *reader = memorylist_open(fd);
    int ends = 1;

    must(list && reader, "make a list");
    ok(memorylist_next(reader, &found, 1) == -EAGAIN, "nothing is listed");
    for (unsigned i = 0; i < 3; i++) {
        item.number = i;
        item.count = i + 1;
        item.runs[i] = (page_run){ .start = i * 65536, .pages = i + 1 };
        item.digest[0] = (uint8_t)i;
        must(memorylist_add(list, &item) == 0, "list");
    }
    item.number = 1;
    ok(memorylist_add(list, &item) == 0, "one is listed again");
    memorylist_end(list);
    memorylist_end(list);
    for (unsigned i = 0; i < 3; i++)
        ends = ends && memorylist_next(reader, &found, 0) == 1 && found.number == i &&
               found.count == i + 1 && found.runs[i].start == i * 65536 && found.digest[0] == i;
    ok(ends, "all are read, each once");
    is_int((int)memoryitem_pages(&found), 6, "with their pages");
    is_int(memorylist_next(reader, &found, 0), 0, "there are no more");
    is_int(memorylist_back(reader, 5), -EPROTO, "none can be asked for that was not listed");
    is_int(memorylist_back(reader, 4), -EPROTO, "nor one after the end");
    is_int(memorylist_back(reader, 1), 0, "it goes back");
    ok(memorylist_next(reader, &found, 0) == 1 && found.number == 1 && found.count == 2,
       "one is read again");
    memorylist_free(list);
    memorylist_free(reader);
}

int main(void)
{
    test_list();
    test_pull("a good node", 0, 0);
    test_pull("a node that lies", 1, 0);
    test_pull("a node that breaks off", 0, 1);
    return done_testing();
}
