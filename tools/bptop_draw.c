/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bptop_draw.h"

enum { PAIR_GOOD = 1, PAIR_BAD, PAIR_BETWEEN };

static const char *const keys[] = {
    "  P M T N G U C sort by CPU, memory, time, pid, node, user, command",
    "  r             the other way round",
    "  arrows, page up, page down, home, end   choose a process",
    "  k             send it a signal",
    "  w             show some nodes only; an empty answer shows all",
    "  u             show the processes of one user only; the same",
    "  t             hide or show the nodes",
    "  d             change the delay",
    "  space         look again now",
    "  control-L     draw all anew",
    "  h, ?          these lines",
    "  q             end",
};

void draw_start(const struct screen *screen)
{
    if (!screen->color || !has_colors())
        return;
    start_color();
    use_default_colors();
    init_pair(PAIR_GOOD, COLOR_GREEN, -1);
    init_pair(PAIR_BAD, COLOR_RED, -1);
    init_pair(PAIR_BETWEEN, COLOR_YELLOW, -1);
}

static void row_draw(int row, const char *text, attr_t attributes, short pair)
{
    char line[FORMAT_MAX];

    if (row >= LINES)
        return;
    format_fit(line, sizeof(line), text, COLS);
    attr_set(attributes, pair, NULL);
    mvaddstr(row, 0, line);
    /* Behind a full line the cursor is on the next. */
    if (attributes & A_REVERSE && getcury(stdscr) == row)
        hline(' ' | A_REVERSE, COLS - getcurx(stdscr));
    attr_set(A_NORMAL, 0, NULL);
}

/* Without colours the pair of a state is the ordinary one. */
static short state_pair(const struct screen *screen, const struct top_node *node)
{
    if (!screen->color || !has_colors())
        return 0;
    if (node->state == bproc_node_up)
        return node->usage ? PAIR_GOOD : PAIR_BETWEEN;
    return node->state == bproc_node_down || node->state == bproc_node_error ? PAIR_BAD :
           PAIR_BETWEEN;
}

/* At most a third of the window; the row below. */
static int nodes_draw(const struct screen *screen, int row)
{
    size_t room = LINES > 9 ? (size_t)LINES / 3 : 1, count = screen->picture.node_count;
    char line[FORMAT_MAX];

    row_draw(row++, format_node_header, A_REVERSE, 0);
    for (size_t i = 0; i < count && i < room; i++) {
        const struct top_node *node = screen->picture.nodes[i];

        if (i + 1 == room && count > room) {
            snprintf(line, sizeof(line), "       and %zu more", count - i);
            row_draw(row++, line, A_NORMAL, 0);
            break;
        }
        format_node(line, node);
        row_draw(row++, line, A_NORMAL, state_pair(screen, node));
    }
    return row + 1;
}

static void window_move(struct screen *screen)
{
    size_t count = screen->picture.proc_count;

    if (screen->selected >= count)
        screen->selected = count > 0 ? count - 1 : 0;
    if (screen->selected < screen->first)
        screen->first = screen->selected;
    if (screen->rows > 0 && screen->selected >= screen->first + screen->rows)
        screen->first = screen->selected - screen->rows + 1;
    if (screen->first > 0 && screen->first + screen->rows > count)
        screen->first = count > screen->rows ? count - screen->rows : 0;
}

static void procs_draw(struct screen *screen, int row)
{
    char line[FORMAT_MAX];

    row_draw(row++, format_proc_header, A_REVERSE, 0);
    screen->rows = LINES - 1 > row ? (size_t)(LINES - 1 - row) : 0;
    window_move(screen);
    for (size_t i = 0; i < screen->rows; i++) {
        size_t at = screen->first + i;

        if (at >= screen->picture.proc_count)
            break;
        format_proc(line, screen->picture.procs[at]);
        row_draw(row++, line, at == screen->selected ? A_REVERSE : A_NORMAL, 0);
    }
}

static void status_draw(const struct screen *screen)
{
    const struct view *view = &screen->view;
    char line[FORMAT_MAX];

    snprintf(line, sizeof(line), "by %s%s%s%s%s%s; every %g s; h help, q end",
             view_sort_name(view->sort), view->reverse ? ", reverse" : "",
             *view->nodes ? "; nodes " : "", view->nodes, *view->user ? "; user " : "", view->user,
             screen->delay);
    row_draw(LINES - 1, *screen->message ? screen->message : line,
             *screen->message ? A_BOLD : A_DIM, 0);
}

static void help_draw(void)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        row_draw((int)i + 2, keys[i], A_NORMAL, 0);
}

void draw_all(struct screen *screen)
{
    char line[FORMAT_MAX];
    int row = 2;

    erase();
    format_summary(line, &screen->picture, &screen->view, screen->sample.when);
    row_draw(0, line, A_BOLD, 0);
    if (screen->help) {
        help_draw();
    } else {
        if (!screen->view.no_nodes)
            row = nodes_draw(screen, row);
        procs_draw(screen, row);
    }
    status_draw(screen);
    refresh();
}

void draw_prompt(const char *question, const char *typed)
{
    char line[2 * FORMAT_MAX], fitting[FORMAT_MAX];

    /* What is typed has to be seen. */
    format_fit(fitting, sizeof(fitting), question, COLS - 1 - (int)strlen(typed));
    snprintf(line, sizeof(line), "%s %s", fitting, typed);
    move(LINES - 1, 0);
    clrtoeol();
    row_draw(LINES - 1, line, A_BOLD, 0);
    refresh();
}
