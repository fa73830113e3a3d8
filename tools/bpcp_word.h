/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bpcp and a target say to each other: copy_words of proto/copy.x, over pipes.
 */
#ifndef TOOLS_BPCP_WORD_H
#define TOOLS_BPCP_WORD_H

#include <stddef.h>
#include <stdint.h>

#include "proto/copy.h"

/* A word that comes in parts; empty at the start. */
struct word_reader {
    uint8_t bytes[COPY_WORD_LEN];
    size_t used;
};

void word_encode(const copy_word *word, uint8_t bytes[COPY_WORD_LEN]);

/* In one piece. 0 or -errno. Blocks if the descriptor does. */
int word_put(int fd, const copy_word *word);

/*
 * Reads once. 1 with a word; 0 if it is not whole yet; -ENODATA when there are no more, -EPROTO
 * when it is none, or another -errno. Blocks if the descriptor does and has nothing.
 */
int word_get(struct word_reader *reader, int fd, copy_word *word);

#endif
