/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "migrate/bulk.h"
#include "migrate/memorypull.h"
#include "migrate/pagehash.h"

#define PATIENCE_SECONDS 12             /* for one batch */

struct memorypull {
    SSL *master;
    struct nodelink from;
    struct pagehash *hash;
    int asked;                          /* the master, for the rest */
};

static volatile sig_atomic_t pulled = -1;

/* A node that sends a byte at a time would never be late by a socket's own limit. */
static void on_late(int signo)
{
    (void)signo;
    shutdown(pulled, SHUT_RDWR);
}

static void pull_begin(const struct memorypull *pull)
{
    struct sigaction late = { .sa_handler = on_late };

    sigaction(SIGALRM, &late, NULL);
    pulled = SSL_get_fd(pull->from.ssl);
    alarm(PATIENCE_SECONDS);
}

static void pull_end(void)
{
    alarm(0);
    pulled = -1;
    signal(SIGALRM, SIG_DFL);
}

static int digest_check(const struct memorypull *pull, const page_named *named,
                        const uint8_t *bytes, size_t len)
{
    uint8_t digest[PAGE_HASH];
    int error = pagehash_batch(pull->hash, bytes, len / PAGE_BYTES, digest);

    if (error)
        return error;
    return CRYPTO_memcmp(digest, named->digest, sizeof(digest)) == 0 ? 0 : -EBADMSG;
}

static int batch_take(const struct memorypull *pull, const page_named *named, uint8_t *bytes,
                      size_t len)
{
    int error;

    pull_begin(pull);
    error = bulk_recv_data(pull->from.ssl, bytes, len);
    pull_end();
    return error ? error : digest_check(pull, named, bytes, len);
}

static int rest_ask(struct memorypull *pull, unsigned number)
{
    rest_msg rest = { .number = number };

    nodelink_close(&pull->from);
    pull->asked = 1;
    return bulk_send(pull->master, P_BULK_REST, 0, FRAME_XDR(rest_msg), &rest);
}

int memorypull_take(struct memorypull *pull, const page_named *named, uint8_t *bytes, size_t len)
{
    if (pull->asked)
        return 0;
    if (pull->from.ssl && batch_take(pull, named, bytes, len) == 0)
        return 1;
    return rest_ask(pull, named->number);
}

int memorypull_waits(const struct memorypull *pull)
{
    return pull->asked;
}

int memorypull_rest(struct memorypull *pull)
{
    if (!pull->asked)
        return -EPROTO;
    pull->asked = 0;
    return 0;
}

struct memorypull *memorypull_new(SSL *master, struct nodelink *from, const share_word word)
{
    struct memorypull *pull = malloc(sizeof(*pull));
    struct pagehash *hash = pull ? pagehash_new() : NULL;
    share_arg arg = { .forks = 0 };

    if (!hash) {
        nodelink_close(from);
        free(pull);
        return NULL;
    }
    *pull = (struct memorypull){ .master = master, .from = *from, .hash = hash };
    memcpy(arg.word, word, sizeof(arg.word));
    if (pull->from.ssl &&
        bulk_send(pull->from.ssl, P_BULK_PULL, 0, FRAME_XDR(share_arg), &arg) < 0)
        nodelink_close(&pull->from);
    return pull;
}

void memorypull_free(struct memorypull *pull)
{
    if (!pull)
        return;
    nodelink_close(&pull->from);
    pagehash_free(pull->hash);
    free(pull);
}
