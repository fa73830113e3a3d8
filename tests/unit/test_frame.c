/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>

#include "proto/frame.h"
#include "tests/unit/tap.h"

static const uint8_t signal_golden[] = {
    0x80, 0x00, 0x00, 0x34,                                     /* last fragment, 52 bytes */
    0x00, 0x00, 0x00, BPROC_PROTO_VERSION,
    0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x2b,             /* event, P_SIGNAL */
    0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00,             /* serial, status */
    0x00, 0x00, 0x00, 0x00,                                     /* descriptors */
    0x00, 0x00, 0x10, 0x92, 0x00, 0x00, 0x00, 0x0a,             /* pid 4242, SIGUSR1 */
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x05,             /* SI_QUEUE, from pid 5 */
    0x00, 0x00, 0x03, 0xe8,                                     /* from uid 1000 */
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe              /* value -2 */
};

static void test_golden(void)
{
    struct frame_header header = { .kind = K_EVENT, .proc = P_SIGNAL, .serial = 7 }, parsed;
    signal_msg msg = { .pid = 4242, .signo = 10, .code = -1, .from_pid = 5, .from_uid = 1000,
                       .value = -2 }, back;
    uint8_t *frame;
    size_t len;

    is_int(frame_build(&header, FRAME_XDR(signal_msg), &msg, &frame, &len), 0, "a frame is built");
    is_int(len, sizeof(signal_golden), "its length");
    ok(memcmp(frame, signal_golden, sizeof(signal_golden)) == 0, "its bytes are the golden ones");
    is_int(frame_parse_header(frame, &parsed), 0, "its header is read");
    is_int(parsed.proc, P_SIGNAL, "procedure");
    is_int(parsed.serial, 7, "serial");
    is_int(parsed.body_len, len - FRAME_PREFIX, "length of the body");
    is_int(frame_decode(FRAME_XDR(signal_msg), frame + FRAME_PREFIX, parsed.body_len, &back,
                        sizeof(back)), 0, "its body is read");
    ok(memcmp(&back, &msg, sizeof(msg)) == 0, "and is what was written");
    is_int(frame_decode(FRAME_XDR(signal_msg), frame + FRAME_PREFIX, parsed.body_len - 4, &back,
                        sizeof(back)), -EPROTO, "a short body is refused");
    is_int(frame_decode(FRAME_XDR(status_msg), frame + FRAME_PREFIX, parsed.body_len, &back,
                        sizeof(status_msg)), -EPROTO, "leftovers are refused");
    free(frame);
}

static int header_with(size_t at, uint8_t value)
{
    uint8_t bytes[FRAME_PREFIX];
    struct frame_header header;

    memcpy(bytes, signal_golden, sizeof(bytes));
    bytes[at] = value;
    return frame_parse_header(bytes, &header);
}

static void test_header(void)
{
    is_int(header_with(0, 0x00), -EPROTO, "no last fragment mark");
    is_int(header_with(3, 0x10), -EPROTO, "shorter than a header");
    is_int(header_with(0, 0xff), -EMSGSIZE, "longer than any message");
    is_int(header_with(1, 0x11), -EMSGSIZE, "a little longer than any message");
    is_int(header_with(7, BPROC_PROTO_VERSION + 1), -EPROTONOSUPPORT, "another version");
    is_int(header_with(11, 3), -EPROTO, "unknown kind");
    is_int(header_with(15, 0), -EPROTO, "procedure 0");
    is_int(header_with(14, 0x10), -EPROTO, "procedure beyond the last");
    is_int(header_with(27, 201), -EMSGSIZE, "too many descriptors");
}

static void test_bounds(void)
{
    static proc_record procs[BPROC_MAX_PROCS + 1];
    struct frame_header header = { .kind = K_REPLY, .proc = P_PROC_LIST };
    proc_list_ret list = { .procs = { BPROC_MAX_PROCS, procs } }, back;
    /* A count that promises far more than the bytes hold. */
    static const uint8_t greedy[] = { 0x00, 0x00, 0xff, 0xff, 0, 0, 0, 1 };
    uint8_t *frame;
    size_t len;

    is_int(frame_build(&header, FRAME_XDR(proc_list_ret), &list, &frame, &len), 0,
           "the longest list is built");
    free(frame);
    list.procs.procs_len++;
    is_int(frame_build(&header, FRAME_XDR(proc_list_ret), &list, &frame, &len), -EMSGSIZE,
           "a longer one is refused");
    is_int(frame_decode(FRAME_XDR(proc_list_ret), greedy, sizeof(greedy), &back, sizeof(back)),
           -EPROTO, "a count beyond the bytes is refused");
}

static uint32_t seed = 12345;

static uint32_t random_next(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static const struct { const char *name; xdrproc_t xdr; size_t size; } types[] = {
    { "error_ret", FRAME_XDR(error_ret), sizeof(error_ret) },
    { "node_list_ret", FRAME_XDR(node_list_ret), sizeof(node_list_ret) },
    { "move_handover_arg", FRAME_XDR(move_handover_arg), sizeof(move_handover_arg) },
    { "exec_spec", FRAME_XDR(exec_spec), sizeof(exec_spec) },
    { "join_arg", FRAME_XDR(join_arg), sizeof(join_arg) },
    { "hello_arg", FRAME_XDR(hello_arg), sizeof(hello_arg) },
    { "pass_arg", FRAME_XDR(pass_arg), sizeof(pass_arg) },
    { "move_start_arg", FRAME_XDR(move_start_arg), sizeof(move_start_arg) },
    { "move_report", FRAME_XDR(move_report), sizeof(move_report) },
    { "launch_arg", FRAME_XDR(launch_arg), sizeof(launch_arg) },
    { "need_msg", FRAME_XDR(need_msg), sizeof(need_msg) },
    { "launch_exec_arg", FRAME_XDR(launch_exec_arg), sizeof(launch_exec_arg) },
};

/* Small numbers make counts that nearly fit, so that decoding goes deep. */
static void bytes_fill(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 4 <= len; i += 4) {
        uint32_t word = random_next() % 8 ? random_next() % 6 : random_next();

        bytes[i] = (uint8_t)(word >> 24);
        bytes[i + 1] = (uint8_t)(word >> 16);
        bytes[i + 2] = (uint8_t)(word >> 8);
        bytes[i + 3] = (uint8_t)word;
    }
}

static void test_hostile(void)
{
    union { uint64_t align; uint8_t bytes[65536]; } out;
    uint8_t bytes[512];

    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        int good = 0, bad = 0;

        for (int round = 0; round < 3000; round++) {
            size_t len = 4 * (random_next() % (sizeof(bytes) / 4));

            bytes_fill(bytes, len);
            if (frame_decode(types[t].xdr, bytes, len, &out, types[t].size) == 0) {
                frame_free(types[t].xdr, &out, types[t].size);
                good++;
            } else {
                bad++;
            }
        }
        ok(bad > 0, "%s survives 3000 hostile bodies (%d of them decoded)", types[t].name, good);
    }
}

int main(void)
{
    test_golden();
    test_header();
    test_bounds();
    test_hostile();
    return done_testing();
}
