/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "migrate/departure_parts.h"
#include "migrate/imagedigest.h"

int departure_image_give(struct departure *d)
{
    image_msg msg = { .largest = 0 };
    int error = imagedigest_largest(d->image, &msg.largest);

    if (!error)
        error = msg_send(d->channel, K_EVENT, P_MOVE_IMAGE, 0, 0, FRAME_XDR(image_msg), &msg,
                         &d->image, 1);
    return error ? departure_fail(d, error, "cannot give the image of process %d to others: %s",
                                  d->arg.pid, strerror(-error)) : 0;
}

/* What nodes say they have got from each other is compared with it. */
static void *digest_make(void *arg)
{
    const struct departure *d = arg;

    imagedigest_keep(d->image);
    return NULL;
}

/* Whoever says to have the image has it from here, so that its digest is there by then. */
static int lead_send(struct departure *d, uint64_t *bytes)
{
    pthread_t digest;
    int error;

    if (!d->arg.share.followed)
        return departure_image_send(d, bytes);
    error = -pthread_create(&digest, NULL, digest_make, d);
    if (error)
        return error;
    error = departure_image_send(d, bytes);
    pthread_join(digest, NULL);
    return error;
}

/* 1: the node has the image; 0: it has not, or another one; -errno. */
static int node_has_it(struct departure *d)
{
    struct bulk_msg msg;
    pulled_msg pulled;
    int error = bulk_send(d->link->ssl, P_BULK_END, 0, NULL, NULL), has;

    if (!error)
        error = departure_hear(d, P_BULK_PULLED, &msg);
    if (error)
        return error;
    error = frame_decode(FRAME_XDR(pulled_msg), msg.body, msg.header.body_len, &pulled,
                         sizeof(pulled));
    bulk_free(&msg);
    if (error)
        return error;
    has = pulled.digest.digest_len == BPROC_HASH_LEN &&
          imagedigest_is(d->image, (const uint8_t *)pulled.digest.digest_val);
    frame_free(FRAME_XDR(pulled_msg), &pulled, sizeof(pulled));
    return has;
}

int departure_image_share(struct departure *d, uint64_t *bytes)
{
    int has = 0;

    if (d->arg.share.how == SHARE_LEAD)
        return lead_send(d, bytes);
    if (d->arg.share.from.node >= 0)
        has = node_has_it(d);
    if (has)
        return has < 0 ? has : 0;
    return departure_image_send(d, bytes);
}
