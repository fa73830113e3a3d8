/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <ctype.h>
#include <curses.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "tools/bptop_keys.h"
#include "tools/bptop_target.h"

#define KEY_ESCAPE 27
#define KEY_REDRAW ('L' & 0x1f)
#define DELAY_LEAST 0.1
#define DELAY_MOST 86400

/* Asks on the bottom line; answer[len] is what was typed. False when the user would rather not. */
static bool ask(struct screen *screen, const char *question, char *answer,
                size_t len)
{
    size_t at = 0;
    int key = KEY_RESIZE;

    answer[0] = '\0';
    for (;;) {
        if (key == KEY_RESIZE)
            draw_all(screen);
        draw_prompt(question, answer);
        timeout(-1);
        key = getch();
        if (key == '\n' || key == KEY_ENTER)
            return true;
        if (key == KEY_ESCAPE || key == ERR)
            return false;
        if (key == KEY_REDRAW)
            clearok(curscr, TRUE);
        if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && at > 0)
            answer[--at] = '\0';
        else if (key < 128 && isprint(key) && at + 1 < len) {
            answer[at++] = (char)key;
            answer[at] = '\0';
        }
    }
}

/* "15", "TERM", "sigterm"; "" is SIGTERM, -1 none. */
static int signal_read(const char *text)
{
    char *end;
    long number;

    if (!*text)
        return SIGTERM;
    number = strtol(text, &end, 10);
    if (*end == '\0')
        return number > 0 && number < NSIG ? (int)number : -1;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    for (int i = 1; i < NSIG; i++)
        if (sigabbrev_np(i) && strcasecmp(text, sigabbrev_np(i)) == 0)
            return i;
    return -1;
}

static void signal_report(struct screen *screen, int error, int signo, int pid, int node)
{
    const char *reason = error == -EOPNOTSUPP ? "only the master can" :
                         error == -ESRCH ? "the master does not know it (any more)" :
                         strerror(-error);

    if (error)
        snprintf(screen->message, sizeof(screen->message),
                 "cannot signal process %d on node %d: %s", pid, node, reason);
    else
        snprintf(screen->message, sizeof(screen->message), "sent SIG%s to process %d on node %d",
                 sigabbrev_np(signo) ? sigabbrev_np(signo) : "?", pid, node);
}

/* Asks for a signal, and whether it is meant; 0 if not. */
static int signal_ask(struct screen *screen, const struct top_proc *proc)
{
    char question[256], answer[16];
    int signo;

    snprintf(question, sizeof(question), "signal for process %d on node %d, %.40s [TERM]:",
             proc->usage->pid, proc->node, proc->usage->command);
    if (!ask(screen, question, answer, sizeof(answer)))
        return 0;
    signo = signal_read(answer);
    if (signo < 0) {
        snprintf(screen->message, sizeof(screen->message), "'%s' is no signal", answer);
        return 0;
    }
    snprintf(question, sizeof(question), "send signal %d to process %d on node %d? (y/n)", signo,
             proc->usage->pid, proc->node);
    if (!ask(screen, question, answer, sizeof(answer)))
        return 0;
    return answer[0] == 'y' || answer[0] == 'Y' ? signo : 0;
}

static void process_signal(struct screen *screen)
{
    const struct top_proc *proc;
    int target, signo, error;

    if (screen->picture.proc_count == 0)
        return;
    proc = screen->picture.procs[screen->selected];
    target = target_open(&screen->sample, proc);
    signo = target < 0 ? SIGTERM : signal_ask(screen, proc);
    error = target < 0 ? target : 0;
    if (!error && signo)
        error = target_signal(target, signo);
    if (signo)
        signal_report(screen, error, signo, proc->usage->pid, proc->node);
    if (target >= 0)
        close(target);
}

static void nodes_choose(struct screen *screen)
{
    struct view view = screen->view;
    struct picture picture;

    if (!ask(screen, "nodes, as n[0-3,7] or allup:", view.nodes, sizeof(view.nodes)))
        return;
    if (view_make(&picture, &view, &screen->sample, screen->message,
                  sizeof(screen->message)) < 0)
        return;
    view_free(&picture);
    screen->view = view;
}

static void user_choose(struct screen *screen)
{
    char user[SAMPLE_USER_MAX];

    if (ask(screen, "user, by name or number:", user, sizeof(user)) &&
        view_user_check(user, screen->message, sizeof(screen->message)) == 0)
        memcpy(screen->view.user, user, sizeof(user));
}

static void delay_choose(struct screen *screen)
{
    char answer[16], *end;
    double delay;

    if (!ask(screen, "seconds between two looks:", answer, sizeof(answer)) || !*answer)
        return;
    delay = strtod(answer, &end);
    if (*end == '\0' && delay >= DELAY_LEAST && delay <= DELAY_MOST)
        screen->delay = delay;
    else
        snprintf(screen->message, sizeof(screen->message), "'%s' is no delay", answer);
}

static bool key_sorts(struct view *view, int key)
{
    static const char letters[SORT_FIELDS + 1] = {
        [SORT_CPU] = 'P', [SORT_MEMORY] = 'M', [SORT_TIME] = 'T', [SORT_PID] = 'N',
        [SORT_NODE] = 'G', [SORT_USER] = 'U', [SORT_COMMAND] = 'C'
    };
    const char *letter = key > 0 && key < 128 ? strchr(letters, key) : NULL;

    if (letter)
        view->sort = (enum view_sort)(letter - letters);
    return letter != NULL;
}

static bool key_moves(struct screen *screen, int key)
{
    size_t count = screen->picture.proc_count, page = screen->rows, at = screen->selected;

    switch (key) {
    case KEY_UP: at -= at > 0; break;
    case KEY_DOWN: at++; break;
    case KEY_PPAGE: at -= at < page ? at : page; break;
    case KEY_NPAGE: at += page; break;
    case KEY_HOME: at = 0; break;
    case KEY_END: at = count; break;
    default: return false;
    }
    screen->selected = at < count ? at : count > 0 ? count - 1 : 0;
    return true;
}

bool keys_obey(struct screen *screen, int key)
{
    if (key == KEY_REDRAW) {
        clearok(curscr, TRUE);
        return false;
    }
    screen->message[0] = '\0';
    if (key_moves(screen, key) || key_sorts(&screen->view, key))
        return false;
    switch (key) {
    case 'q': screen->done = true; break;
    case 'h':
    case '?': screen->help = !screen->help; break;
    case 'r': screen->view.reverse = !screen->view.reverse; break;
    case 't': screen->view.no_nodes = !screen->view.no_nodes; break;
    case 'k': process_signal(screen); break;
    case 'w': nodes_choose(screen); break;
    case 'u': user_choose(screen); break;
    case 'd': delay_choose(screen); break;
    case ' ': return true;
    default: break;
    }
    return false;
}
