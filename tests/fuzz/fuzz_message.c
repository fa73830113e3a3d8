/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every decoder that a peer's bytes can reach: the input is a frame, prefix and body, and the body
 * is offered to the decoder of its procedure. What decodes must encode again to the same bytes.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "proto/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct decoder {
    bproc_proc proc;
    xdrproc_t decode;
    size_t size;
} decoders[] = {
#define DECODER(proc, type) { proc, FRAME_XDR(type), sizeof(type) }
    DECODER(P_NODE_LIST, node_list_ret), DECODER(P_GROUP_LIST, group_list_ret),
    DECODER(P_PROC_LIST, proc_list_ret),
    DECODER(P_ACCESS, access_arg), DECODER(P_NODE_SET_STATE, set_state_arg),
    DECODER(P_NODE_SET_PERM, set_perm_arg), DECODER(P_TOKEN_CREATE, token_arg),
    DECODER(P_STATS, stats_ret), DECODER(P_NODE_USAGE, usage_ret),
    DECODER(P_MOVE_ASK, move_ask_arg), DECODER(P_MOVE_HANDOVER, move_handover_arg),
    DECODER(P_GATE, gate_msg), DECODER(P_GHOST_HELLO, ghost_hello_arg),
    DECODER(P_GHOST_SIGNAL, signal_msg), DECODER(P_GHOST_EXIT, status_msg),
    DECODER(P_JOIN, join_arg), DECODER(P_HELLO, hello_arg), DECODER(P_EXITED, status_msg),
    DECODER(P_PASS, pass_arg), DECODER(P_MOVE_START, move_start_arg),
    DECODER(P_MOVE_READY, move_report), DECODER(P_BULK_LAUNCH, launch_arg),
    DECODER(P_BULK_NEED, need_msg), DECODER(P_BULK_FILE, bulk_file),
    DECODER(P_BULK_DATA, exec_spec), DECODER(P_STREAM_CREDIT, credit_msg),
    DECODER(P_DEPART_ALLOW, depart_arg), DECODER(P_DEPART_FAILED, failed_msg),
    DECODER(P_EXPECT, expect_msg), DECODER(P_RECV_TICKET, ticket_arg),
    DECODER(P_RECV_CHILDREN, children_msg), DECODER(P_LAUNCH_DONE, commit_msg),
    DECODER(P_LAUNCH_EXEC, launch_exec_arg), DECODER(P_LAUNCH_CRIU, launch_criu_arg),
    DECODER(P_LAUNCH_FORK, launch_who), DECODER(P_GATE_FORK, fork_msg),
    DECODER(P_BULK_NAMED, page_named), DECODER(P_SHARE_TAKE, share_arg),
    DECODER(P_BULK_REST, rest_msg),
};

static void body_try(const struct decoder *decoder, const uint8_t *body, size_t len)
{
    void *out = malloc(decoder->size);
    uint8_t *again;
    size_t again_len;

    if (frame_decode(decoder->decode, body, len, out, decoder->size) == 0) {
        if (frame_encode(decoder->decode, out, BPROC_MAX_BODY, &again, &again_len) == 0) {
            if (again_len != len)
                abort();
            free(again);
        }
        frame_free(decoder->decode, out, decoder->size);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct frame_header header;

    if (len < FRAME_PREFIX || frame_parse_header(bytes, &header) < 0 ||
        header.body_len != len - FRAME_PREFIX)
        return 0;
    for (size_t i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++)
        if (decoders[i].proc == header.proc)
            body_try(&decoders[i], bytes + FRAME_PREFIX, header.body_len);
    return 0;
}
