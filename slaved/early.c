/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "slaved/early.h"
#include "slaved/link.h"

#define MOST 64

struct early {
    unsigned count;
    signal_msg signals[MOST];
};

int early_keep(struct early **early, const signal_msg *signal)
{
    if (!*early)
        *early = calloc(1, sizeof(**early));
    if (!*early || (*early)->count == MOST)
        return 0;
    (*early)->signals[(*early)->count++] = *signal;
    return 1;
}

void early_send(struct early **early)
{
    for (unsigned i = 0; *early && i < (*early)->count; i++)
        link_event(P_SIGNAL_PARENT, FRAME_XDR(signal_msg), &(*early)->signals[i]);
    free(*early);
    *early = NULL;
}
