/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bpcp_end.h"
#include "tools/bpcp_name.h"
#include "tools/bpcp_report.h"
#include "tools/bpcp_stream.h"
#include "tools/bpcp_transfer.h"
#include "tools/tool.h"

#define ITSELF "/proc/self/exe"
#define FIXED_ARGS 16
#define LABEL_LEN 24

/* Arguments of one end. */
struct arguments {
    char label[LABEL_LEN];
    size_t count;
    char *list[];
};

/* What stands in front of messages from `node`. */
static void label_make(char label[LABEL_LEN], const struct transfer_plan *plan, int node)
{
    if (node == plan->asker)
        *label = '\0';
    else if (node == BPROC_NODE_MASTER)
        strcpy(label, "master: ");
    else
        snprintf(label, LABEL_LEN, "n%d: ", node);
}

static struct arguments *arguments_new(const struct transfer_plan *plan, const char *end, int node,
                                       size_t paths)
{
    struct arguments *args = calloc(1, sizeof(*args) + (FIXED_ARGS + paths + 1) * sizeof(char *));
    const char *dir = node == plan->asker ? plan->own_dir : plan->node_dir;

    if (!args)
        return NULL;
    label_make(args->label, plan, node);
    args->list[args->count++] = (char *)(uintptr_t)END_NAME;
    args->list[args->count++] = (char *)(uintptr_t)end;
    args->list[args->count++] = (char *)(uintptr_t)"-l";
    args->list[args->count++] = args->label;
    args->list[args->count++] = (char *)(uintptr_t)(dir ? "-C" : "-H");
    if (dir)
        args->list[args->count++] = (char *)(uintptr_t)dir;
    return args;
}

static void argument_add(struct arguments *args, const char *text)
{
    args->list[args->count++] = (char *)(uintptr_t)text;
}

/* This program itself goes there, as nodes need not have it. */
static void program_start(struct task *task, const struct transfer_plan *plan, int node,
                          char **argv, const enum task_stream streams[2])
{
    struct task_plan tasks = plan->tasks;
    struct command command = { .path = (char[]) { ITSELF }, .argv = argv, .sent = true };

    task_init(task, node, 0);
    tasks.command = &command;
    tasks.streams[0] = streams[0];
    tasks.streams[1] = streams[1];
    tasks.streams[2] = STREAM_OWN;
    /* The child has its own copy of the arguments when this is back. */
    task_start(task, &tasks);
}

static int source_start(struct transfer *transfer, const struct transfer_plan *plan, int node,
                        char *const *paths, size_t count)
{
    struct arguments *args = arguments_new(plan, "source", node, count);

    if (!args)
        return -ENOMEM;
    if (plan->recurse)
        argument_add(args, "-r");
    if (plan->total)
        argument_add(args, "-t");
    argument_add(args, "--");
    for (size_t i = 0; i < count; i++)
        argument_add(args, paths[i]);
    program_start(&transfer->source, plan, node, args->list,
                  (enum task_stream[]) { STREAM_PIPE, STREAM_PIPE });
    free(args);
    return 0;
}

/* The source is on `from`. */
static int target_start(struct task *task, const struct transfer_plan *plan, int node, int from,
                        char *const *names, size_t count, const char *suffix)
{
    struct arguments *args = arguments_new(plan, "target", node, count);

    if (!args)
        return -ENOMEM;
    if (plan->directory)
        argument_add(args, "-d");
    if (plan->preserve)
        argument_add(args, "-p");
    if (node == from)
        argument_add(args, "-b");
    argument_add(args, "-s");
    argument_add(args, suffix);
    argument_add(args, "--");
    argument_add(args, plan->target);
    for (size_t i = 0; i < count; i++)
        argument_add(args, names[i]);
    program_start(task, plan, node, args->list,
                  (enum task_stream[]) { STREAM_PIPE, STREAM_PIPE });
    free(args);
    return 0;
}

static void names_free(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
}

/* What the copies will be called; NULL without memory. */
static char **names_make(char *const *paths, size_t count)
{
    char **names = calloc(count + 1, sizeof(*names));

    for (size_t i = 0; names && i < count; i++) {
        names[i] = name_of_copy(paths[i]);
        if (!names[i]) {
            names_free(names, count);
            return NULL;
        }
    }
    return names;
}

int transfer_start(struct transfer *transfer, const struct transfer_plan *plan, int node,
                   char *const *paths, size_t count, const char *suffix)
{
    char **names = names_make(paths, count);
    int error = names ? ring_init(&transfer->stream, CHAIN_ROOM) : -ENOMEM;

    transfer->targets = calloc(plan->nodes->count, sizeof(*transfer->targets));
    transfer->branches = calloc(plan->nodes->count, sizeof(*transfer->branches));
    if (!transfer->targets || !transfer->branches)
        error = -ENOMEM;
    if (!error)
        error = source_start(transfer, plan, node, paths, count);
    for (size_t i = 0; i < plan->nodes->count && !error; i++) {
        error = target_start(&transfer->targets[i], plan, plan->nodes->nodes[i], node, names,
                             count, suffix);
        branch_init(&transfer->branches[i], &transfer->targets[i]);
        transfer->count++;
    }
    chain_init(&transfer->chain, transfer->branches, transfer->count, plan->self);
    names_free(names, count);
    return error;
}

/* A word of a command line, malloc'd; what is made after a failure is NULL as well. */
__attribute__((format(printf, 3, 4)))
static void word_add(char **words, size_t *count, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if ((*count == 0 || words[*count - 1]) && vasprintf(&words[*count], format, args) < 0)
        words[*count] = NULL;
    va_end(args);
    (*count)++;
}

/* Each by its number: of a range those that are not configured would be left out unnoticed. */
static char *nodes_list(const struct nodeset *nodes)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; out && i < nodes->count; i++)
        fprintf(out, "%s%d", i > 0 ? "," : "", nodes->nodes[i]);
    if (out && fclose(out) != 0) {
        free(text);
        text = NULL;
    }
    return text;
}

/* Command line of the bpcp on `node`. -ENOMEM when its last word is NULL. */
static int words_make(char **words, const struct transfer_plan *plan, int node,
                      char *const *paths, size_t paths_count, const char *suffix)
{
    char *nodes = nodes_list(plan->nodes);
    size_t count = 0;

    if (!nodes)
        return -ENOMEM;
    word_add(words, &count, "bpcp");
    word_add(words, &count, "--asker=%d", plan->asker);
    word_add(words, &count, "--dir=%s", plan->own_dir);
    word_add(words, &count, "--suffix=%s", suffix);
    word_add(words, &count, "--progress=%s", plan->total ? "always" : "never");
    if (!plan->node_dir)
        word_add(words, &count, "--home");
    if (plan->directory)
        word_add(words, &count, "--directory");
    if (plan->recurse)
        word_add(words, &count, "-r");
    if (plan->preserve)
        word_add(words, &count, "-p");
    word_add(words, &count, "--");
    /* With a node in front nothing in the name of a file looks like one. */
    for (size_t i = 0; i < paths_count; i++)
        if (node == BPROC_NODE_MASTER)
            word_add(words, &count, "master:%s", paths[i]);
        else
            word_add(words, &count, "n%d:%s", node, paths[i]);
    word_add(words, &count, "%s:%s", nodes, plan->target);
    free(nodes);
    return words[count - 1] ? 0 : -ENOMEM;
}

int transfer_delegate(struct transfer *transfer, const struct transfer_plan *plan, int node,
                      char *const *paths, size_t count, const char *suffix)
{
    size_t room = FIXED_ARGS + count;
    char **words = calloc(room, sizeof(*words));
    int error = words ? words_make(words, plan, node, paths, count, suffix) : -ENOMEM;

    if (!error)
        program_start(&transfer->source, plan, node, words,
                      (enum task_stream[]) { STREAM_NULL, STREAM_NULL });
    names_free(words, room);
    return error;
}

/* The first bytes say how much there will be. */
static void total_read(struct transfer *transfer)
{
    uint8_t bytes[COPY_HEAD_LEN];
    copy_head head;

    if (ring_copy(&transfer->stream, 0, bytes, sizeof(bytes)) < sizeof(bytes))
        return;
    transfer->headed = true;
    if (stream_parse_head(bytes, &head) == 0)
        transfer->total = head.bytes;
}

void transfer_read(struct transfer *transfer)
{
    ssize_t n = ring_read(&transfer->stream, transfer->source.out[0].fd, SIZE_MAX);

    if (!transfer->headed)
        total_read(transfer);
    if (n > 0 || n == -EINTR || n == -EAGAIN)
        return;
    /* An error of a pipe is its end; the targets then see that the stream broke off. */
    transfer->eof = true;
    output_close(&transfer->source.out[0]);
}

uint64_t transfer_done(const struct transfer *transfer)
{
    return chain_done(&transfer->chain, transfer->stream.end);
}

static void refusal_pass(struct transfer *transfer)
{
    uint32_t number = chain_refused(&transfer->chain), wire = htonl(number);

    if (number == transfer->refused || number == 0)
        return;
    transfer->refused = number;
    /* A source that does not read them has none of these to come. */
    if (transfer->source.input_fd >= 0 &&
        write(transfer->source.input_fd, &wire, sizeof(wire)) < 0)
        task_close_input(&transfer->source);
}

void transfer_settle(struct transfer *transfer)
{
    bool used = false;

    chain_settle(&transfer->chain, &transfer->stream);
    for (size_t i = 0; i < transfer->count; i++) {
        if (transfer->eof && branch_pos(&transfer->branches[i]) == transfer->stream.end)
            task_close_input(&transfer->targets[i]);
        used = used || branch_lives(&transfer->branches[i]);
    }
    refusal_pass(transfer);
    ring_drop(&transfer->stream, transfer_done(transfer));
    /* Nobody takes any more: the source shall not go on. */
    if (!used)
        output_close(&transfer->source.out[0]);
}

void transfer_signal(const struct transfer *transfer, int signo)
{
    if (transfer->source.pid > 0)
        kill(transfer->source.pid, signo);
    for (size_t i = 0; i < transfer->count; i++)
        if (transfer->targets[i].pid > 0)
            kill(transfer->targets[i].pid, signo);
}

void transfer_reap(struct transfer *transfer)
{
    task_reap(&transfer->source);
    for (size_t i = 0; i < transfer->count; i++)
        task_reap(&transfer->targets[i]);
}

bool transfer_over(const struct transfer *transfer)
{
    for (size_t i = 0; i < transfer->count; i++)
        if (!task_over(&transfer->targets[i]))
            return false;
    return task_over(&transfer->source);
}

static unsigned task_errors(const struct task *task, const struct transfer_plan *plan)
{
    char label[LABEL_LEN];
    struct report report = { .label = label };

    label_make(label, plan, task->node);
    if (task->error)
        report_error(&report, "cannot start: %s", task_reason(task));
    else if (WIFSIGNALED(task->status))
        report_error(&report, "%s", task_death(task));
    else
        report.errors = (unsigned)WEXITSTATUS(task->status);
    return report.errors;
}

unsigned transfer_errors(const struct transfer *transfer, const struct transfer_plan *plan)
{
    unsigned errors = task_errors(&transfer->source, plan);

    for (size_t i = 0; i < transfer->count; i++)
        errors += task_errors(&transfer->targets[i], plan);
    return errors;
}

void transfer_free(struct transfer *transfer)
{
    task_free(&transfer->source);
    for (size_t i = 0; i < transfer->count; i++)
        task_free(&transfer->targets[i]);
    free(transfer->targets);
    free(transfer->branches);
    ring_free(&transfer->stream);
    *transfer = (struct transfer) { 0 };
}
