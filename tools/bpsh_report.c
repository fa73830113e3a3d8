/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/nodeset.h"
#include "tools/bpsh_report.h"
#include "tools/json.h"
#include "tools/tool.h"

static void ending_put(struct json *json, const struct task *task)
{
    bool ended = task->started && !task->error;

    if (ended && WIFEXITED(task->status))
        json_int(json, "status", WEXITSTATUS(task->status));
    else
        json_null(json, "status");
    if (ended && WIFSIGNALED(task->status))
        json_int(json, "signal", WTERMSIG(task->status));
    else
        json_null(json, "signal");
    json_bool(json, "timed_out", task->timed_out);
    json_string(json, "error", task->error ? task_reason(task) : NULL);
}

static void task_put(struct json *json, const struct task *task)
{
    const struct output_text *out = &task->out[0].text, *err = &task->out[1].text;

    json_object(json, NULL);
    json_int(json, "node", task->node);
    json_int(json, "rank", task->rank);
    ending_put(json, task);
    json_real(json, "seconds", (double)(task->end - task->start) / 1000);
    json_text(json, "stdout", out->bytes, out->len);
    json_text(json, "stderr", err->bytes, err->len);
    json_close(json);
}

static void nodes_put(struct json *json, const struct nodeset *nodes)
{
    char *folded = nodeset_fold(nodes);

    json_ints(json, "nodes", nodes->nodes, nodes->count);
    json_string(json, "nodeset", folded);
    free(folded);
}

static void command_put(struct json *json, const struct command *command)
{
    json_list(json, "command");
    for (char **arg = command->argv; arg && *arg; arg++)
        json_string(json, NULL, *arg);
    json_close(json);
}

int report_json(const struct run *run, int64_t start)
{
    struct nodeset nodes = { 0 };
    struct json json;
    int error = 0;

    for (size_t i = 0; i < run->count && !error; i++)
        error = nodeset_push(&nodes, run->tasks[i].node);
    if (!error) {
        /* Any of these may write, and what follows a failure succeeds. */
        errno = 0;
        json_begin(&json, stdout);
        command_put(&json, run->plan->command);
        nodes_put(&json, &nodes);
        json_real(&json, "seconds", (double)(tool_clock() - start) / 1000);
        json_list(&json, "tasks");
        for (size_t i = 0; i < run->count; i++)
            if (run->tasks[i].started)
                task_put(&json, &run->tasks[i]);
        json_end(&json);
        if (fflush(stdout) != 0 || ferror(stdout))
            error = errno ? -errno : -EIO;
    }
    nodeset_free(&nodes);
    return error;
}

/* As a shell reads it back. */
static void word_print(const char *word)
{
    if (*word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789_@%+=:,./-") == strlen(word)) {
        fputs(word, stdout);
        return;
    }
    putchar('\'');
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    putchar('\'');
}

void report_plan(const struct run *run)
{
    const struct command *command = run->plan->command;

    for (size_t i = 0; i < run->count; i++) {
        printf("%d", run->tasks[i].node);
        if (command->path)
            printf(": %s", command->path);
        for (char **arg = command->argv; command->path && *arg && *++arg;) {
            putchar(' ');
            word_print(*arg);
        }
        putchar('\n');
    }
}
