/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <curses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bptop_keys.h"
#include "tools/bptop_screen.h"
#include "tools/tool.h"

static volatile sig_atomic_t ended_by;

static void signal_take(int signo)
{
    ended_by = signo;
}

/* Before initscr(), which leaves handlers alone that it finds. */
static void signals_catch(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    struct sigaction action = { .sa_handler = signal_take };

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
}

/* A new picture of the sample, with the same process selected if it is still there. */
static void picture_renew(struct screen *screen)
{
    const struct top_proc *proc = NULL;
    struct picture picture;
    int node = 0, pid = 0;

    if (screen->selected < screen->picture.proc_count)
        proc = screen->picture.procs[screen->selected];
    if (proc) {
        node = proc->node;
        pid = proc->usage->pid;
    }
    view_make(&picture, &screen->view, &screen->sample, screen->message,
              sizeof(screen->message));
    for (size_t i = 0; proc && screen->selected > 0 && i < picture.proc_count; i++)
        if (picture.procs[i]->node == node && picture.procs[i]->usage->pid == pid)
            screen->selected = i;
    view_free(&screen->picture);
    screen->picture = picture;
}

/* Without an answer the old sample stays, with a word on it. */
static void sample_renew(struct screen *screen)
{
    struct sample sample, before = screen->sample;
    int error = sample_take(&sample, before.nodes ? &before : NULL);

    if (error) {
        snprintf(screen->message, sizeof(screen->message), "cannot look at the nodes: %s",
                 tool_reason(-error));
        return;
    }
    screen->sample = sample;
    picture_renew(screen);
    /* Only now: the old picture points into it. */
    sample_free(&before);
}

/* Keys until it is time for the next sample, or one is asked for. */
static void keys_serve(struct screen *screen, int64_t until)
{
    bool again = false;

    while (!screen->done && !ended_by && !again) {
        int64_t left = until - tool_clock();
        int key;

        draw_all(screen);
        if (left <= 0)
            return;
        timeout(left < 1000000 ? (int)left : 1000000);
        key = getch();
        if (key == ERR)
            continue;
        again = keys_obey(screen, key);
        picture_renew(screen);
    }
}

int screen_run(const struct screen_options *options)
{
    struct screen screen = { .view = options->view, .delay = options->delay,
                             .color = options->color };

    signals_catch();
    initscr();
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    set_escdelay(50);
    curs_set(0);
    draw_start(&screen);
    for (long i = 0; !screen.done && !ended_by &&
         (options->iterations == 0 || i < options->iterations); i++) {
        sample_renew(&screen);
        keys_serve(&screen, tool_clock() + (int64_t)(screen.delay * 1000));
    }
    endwin();
    view_free(&screen.picture);
    sample_free(&screen.sample);
    return ended_by;
}
