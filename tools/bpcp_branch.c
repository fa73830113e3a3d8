/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tools/bpcp_branch.h"

#define PART (1 << 20)

void branch_init(struct branch *branch, struct task *task)
{
    *branch = (struct branch) { .task = task };
}

bool branch_lives(const struct branch *branch)
{
    return branch->task->input_fd >= 0;
}

void branch_join(struct branch *before, struct branch *branch, uint64_t at)
{
    before->next = branch;
    branch->before = before;
    before->order_chain = branch->order_chain = true;
    before->chain_at = branch->chain_at = at;
}

void branch_follow(struct branch *branch)
{
    const struct branch *before = branch->before;

    if (!branch->chained || branch->left || (!before->lost && before->task->out[0].fd >= 0))
        return;
    branch->order_unchain = branch->left = true;
}

uint64_t branch_pos(const struct branch *branch)
{
    return branch->chained ? branch->got : branch->task->input_pos;
}

/* How far bpcp itself may send now: others wait until they know whom to pass the rest on to. */
static uint64_t stream_end(const struct branch *branch, const struct ring *stream)
{
    if (branch->chained)
        return branch->task->input_pos;
    return branch->order_chain ? branch->chain_at : stream->end;
}

bool branch_wants(const struct branch *branch, const struct ring *stream)
{
    return branch->word_left > 0 || branch->order_chain || branch->order_unchain ||
           branch->task->input_pos < stream_end(branch, stream);
}

/* What comes next; false if it is nothing. */
static bool word_next(struct branch *branch, const struct ring *stream, copy_word *word)
{
    uint64_t pos = branch->task->input_pos, end = stream_end(branch, stream);

    *word = (copy_word) { 0 };
    if (pos < end) {
        word->order = COPY_BYTES;
        word->number = end - pos < PART ? end - pos : PART;
        branch->part_end = pos + word->number;
    } else if (branch->order_chain) {
        word->order = COPY_CHAIN;
        word->number = pos;
        if (branch->next) {
            word->node = branch->next->task->node;
            memcpy(word->name, branch->next->name, COPY_NAME_LEN);
        }
        branch->order_chain = false;
        branch->chained = branch->before != NULL;
        branch->got = pos;
    } else if (branch->order_unchain) {
        word->order = COPY_UNCHAIN;
        branch->order_unchain = false;
    } else {
        return false;
    }
    return true;
}

static int word_write(struct branch *branch)
{
    const uint8_t *rest = branch->word + COPY_WORD_LEN - branch->word_left;
    ssize_t n = write(branch->task->input_fd, rest, branch->word_left);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    branch->word_left -= (size_t)n;
    return 0;
}

void branch_write(struct branch *branch, const struct ring *stream)
{
    struct task *task = branch->task;
    copy_word word;
    int error = 0;

    do {
        if (branch->word_left > 0)
            error = word_write(branch);
        if (!error && branch->word_left == 0)
            error = ring_write(stream, &task->input_pos, branch->part_end, task->input_fd);
        if (error || branch->word_left > 0 || task->input_pos < branch->part_end)
            break;
        if (!word_next(branch, stream, &word))
            return;
        word_encode(&word, branch->word);
        branch->word_left = COPY_WORD_LEN;
    } while (true);
    if (error)
        task_close_input(task);
}

/* A target that claims what cannot be. */
static int got_take(struct branch *branch, uint64_t number, const struct ring *stream)
{
    if (number < branch->got || number < stream->start || number > stream->end)
        return -EPROTO;
    branch->got = number;
    return 0;
}

static int cut_take(struct branch *branch, uint64_t number, const struct ring *stream)
{
    int error;

    /* It had said so when it was told to. */
    if (!branch->chained)
        return 0;
    error = got_take(branch, number, stream);
    if (error)
        return error;
    branch->chained = false;
    branch->task->input_pos = branch->part_end = number;
    return 0;
}

static int word_take(struct branch *branch, const copy_word *word, const struct ring *stream)
{
    switch (word->order) {
    case COPY_READY: memcpy(branch->name, word->name, COPY_NAME_LEN); return 0;
    case COPY_GOT: return branch->chained ? got_take(branch, word->number, stream) : 0;
    case COPY_CUT: return cut_take(branch, word->number, stream);
    case COPY_LOST: branch->lost = true; return 0;
    case COPY_REFUSED: branch->refused = (uint32_t)word->number; return 0;
    default: return -EPROTO;
    }
}

void branch_read(struct branch *branch, const struct ring *stream)
{
    struct task *task = branch->task;
    copy_word word;
    int result = word_get(&branch->reader, task->out[0].fd, &word);

    if (result > 0)
        result = word_take(branch, &word, stream);
    if (result < 0)
        output_close(&task->out[0]);
    if (result == -EPROTO)
        task_close_input(task);
}
