/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "migrate/pagehash.h"
#include "proto/bproc.h"

struct pagehash {
    IMB_MGR *lanes;
    uint8_t names[BPROC_MAX_BATCH][PAGE_HASH];
};

struct pagehash *pagehash_new(void)
{
    struct pagehash *hash = malloc(sizeof(*hash));

    if (!hash)
        return NULL;
    hash->lanes = alloc_mb_mgr(0);
    if (hash->lanes)
        init_mb_mgr_auto(hash->lanes, NULL);
    if (hash->lanes && imb_get_errno(hash->lanes) == 0)
        return hash;
    pagehash_free(hash);
    return NULL;
}

void pagehash_free(struct pagehash *hash)
{
    if (!hash)
        return;
    if (hash->lanes)
        free_mb_mgr(hash->lanes);
    free(hash);
}

/* Pages end as lanes fill, or in the flush: `job` is one that has ended, or NULL. */
static size_t jobs_count(IMB_MGR *lanes, const IMB_JOB *job)
{
    size_t done = 0;

    for (; job; job = IMB_GET_COMPLETED_JOB(lanes))
        done += job->status == IMB_STATUS_COMPLETED;
    return done;
}

int pagehash_names(struct pagehash *hash, const uint8_t *pages, size_t count,
                   uint8_t (*names)[PAGE_HASH])
{
    const IMB_JOB *ended;
    size_t done = 0;

    for (size_t i = 0; i < count; i++) {
        IMB_JOB *job = IMB_GET_NEXT_JOB(hash->lanes);

        job->cipher_mode = IMB_CIPHER_NULL;
        job->cipher_direction = IMB_DIR_ENCRYPT;
        job->chain_order = IMB_ORDER_HASH_CIPHER;
        job->hash_alg = IMB_AUTH_SHA_256;
        job->src = pages + i * PAGE_BYTES;
        job->hash_start_src_offset_in_bytes = 0;
        job->msg_len_to_hash_in_bytes = PAGE_BYTES;
        job->auth_tag_output = names[i];
        job->auth_tag_output_len_in_bytes = PAGE_HASH;
        done += jobs_count(hash->lanes, IMB_SUBMIT_JOB(hash->lanes));
    }
    while ((ended = IMB_FLUSH_JOB(hash->lanes)))
        done += jobs_count(hash->lanes, ended);
    return done == count ? 0 : -EIO;
}

int pagehash_batch(struct pagehash *hash, const uint8_t *pages, size_t count,
                   uint8_t digest[PAGE_HASH])
{
    int error = pagehash_names(hash, pages, count, hash->names);

    if (!error && !EVP_Digest(hash->names, count * PAGE_HASH, digest, NULL, EVP_sha256(), NULL))
        error = -EIO;
    return error;
}
