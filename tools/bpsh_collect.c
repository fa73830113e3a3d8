/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bpsh_collect.h"
#include "tools/tool.h"

#define RULE "---------------"

static int text_compare(const struct output_text *a, const struct output_text *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return a->len > 0 ? memcmp(a->bytes, b->bytes, a->len) : 0;
}

static int task_compare(const void *a, const void *b)
{
    const struct task *left = *(struct task *const *)a, *right = *(struct task *const *)b;
    int order = text_compare(&left->out[0].text, &right->out[0].text);

    return order ? order : (left->rank > right->rank) - (left->rank < right->rank);
}

static int group_compare(const void *a, const void *b)
{
    const struct group *left = a, *right = b;

    if (left->nodes.count != right->nodes.count)
        return left->nodes.count > right->nodes.count ? -1 : 1;
    return left->first - right->first;
}

/* The tasks that were created, ordered by their text. How many. */
static size_t tasks_sort(const struct task **tasks, const struct run *run)
{
    size_t count = 0;

    for (size_t i = 0; i < run->count; i++)
        if (run->tasks[i].started && !run->tasks[i].error)
            tasks[count++] = &run->tasks[i];
    qsort(tasks, count, sizeof(*tasks), task_compare);
    return count;
}

int collect_make(struct collection *collection, const struct run *run)
{
    const struct task **tasks = calloc(run->count + 1, sizeof(*tasks));
    size_t count = tasks ? tasks_sort(tasks, run) : 0;
    int error = 0;

    *collection = (struct collection) { calloc(run->count + 1, sizeof(*collection->groups)), 0 };
    if (!tasks || !collection->groups)
        error = -ENOMEM;
    for (size_t i = 0; i < count && !error; i++) {
        const struct output_text *text = &tasks[i]->out[0].text;
        struct group *last = collection->groups + collection->count - 1;

        if (collection->count == 0 || text_compare(last->text, text) != 0) {
            last = collection->groups + collection->count++;
            *last = (struct group) { .text = text, .first = tasks[i]->rank };
        }
        error = nodeset_push(&last->nodes, tasks[i]->node);
    }
    free(tasks);
    if (error)
        collect_free(collection);
    else
        qsort(collection->groups, collection->count, sizeof(struct group), group_compare);
    return error;
}

void collect_free(struct collection *collection)
{
    for (size_t i = 0; i < collection->count; i++)
        nodeset_free(&collection->groups[i].nodes);
    free(collection->groups);
    *collection = (struct collection) { 0 };
}

char *collect_title(const struct group *group)
{
    char *folded = nodeset_fold(&group->nodes), *title = NULL;

    if (folded && asprintf(&title, "%s (%zu)", folded, group->nodes.count) < 0)
        title = NULL;
    free(folded);
    return title;
}

static void text_put(struct sink *sink, const char *text)
{
    sink_put(sink, text, strlen(text));
}

static int group_print(const struct group *group, struct sink *sink)
{
    const struct output_text *text = group->text;
    char *title = collect_title(group), *head;
    const char *on = tool_color(sink->fd, TOOL_BOLD), *off = tool_color(sink->fd, TOOL_PLAIN);
    int len = title ? asprintf(&head, "%s" RULE "\n%s\n" RULE "%s\n", on, title, off) : -1;

    free(title);
    if (len < 0)
        return -ENOMEM;
    text_put(sink, head);
    free(head);
    sink_put(sink, text->bytes, text->len);
    if (text->bytes[text->len - 1] != '\n')
        text_put(sink, "\n");
    return 0;
}

int collect_print(const struct collection *collection, struct sink *sink)
{
    int error = 0;

    for (size_t i = 0; i < collection->count && !error; i++)
        if (collection->groups[i].text->len > 0)
            error = group_print(&collection->groups[i], sink);
    sink_flush(sink);
    return error;
}
