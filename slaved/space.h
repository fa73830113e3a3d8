/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slaved's end of the process space: starts bproc-space and speaks with it. When a process comes
 * whose number is taken there, by what stands for it or by a group or session of that number, a
 * second space is started for such processes; seconds.h knows who is in it.
 *
 * Life: space_start(); on_ready when the space can take processes; messages both ways; either
 * space_stop(), or on_end when the space has ended by itself, which nothing can be done about.
 * Nothing here blocks.
 */
#ifndef BPROC_SLAVED_SPACE_H
#define BPROC_SLAVED_SPACE_H

#include <stdint.h>
#include <sys/types.h>
#include <event2/event.h>

#include "proto/frame.h"

struct space_ops {
    void (*on_ready)(void);
    /* The answer to space_ask(); one from each space. */
    void (*on_answer)(uint32_t serial);
    /* The answer to the launch with that serial: the space's reply as it came. */
    void (*on_launched)(uint32_t serial, const struct frame_header *header, const uint8_t *body);
    /* P_SPACE_EXITED, P_SPACE_STOPPED, P_SPACE_CONTINUED; `second`: from that space. */
    void (*on_status)(bproc_proc event, pid_t pid, int status, int second);
    void (*on_born)(const born_msg *born, int second);
    void (*on_group)(const group_msg *group, int second);
    /* For a parent that lives elsewhere. */
    void (*on_signal)(const signal_msg *signal);
    /* The answer to space_root(): its status and words, or with it the first space's new root. */
    void (*on_root)(const struct frame_header *header, const uint8_t *body, int *fds);
    void (*on_end)(const char *words);
};

/*
 * `root` NULL: the node's own files. `over`: a folder over which its own subfolder `home` is laid,
 * or NULL. `binds` end with a NULL. 0 or -errno.
 */
int space_start(struct event_base *base, const char *root, const char *over,
                const char *const *binds, const struct space_ops *ops);

/*
 * Passes a P_LAUNCH_* on as it came, to the second space if `who`, with which its body begins, says
 * so. Its descriptors stay the caller's. 0; -EEXIST when the second space cannot have that number,
 * or there can be none; -errno.
 */
int space_launch(uint32_t serial, const launch_who *who, const struct frame_header *header,
                 const uint8_t *body, const int *fds);

/* `second`: to the process of that number in that space; pid -1: in both. */
void space_signal(const signal_msg *signal, int second);

/* SIGKILL to a launched process, or to all there is. */
void space_kill(pid_t pid, int second);

/*
 * Has every space answer when it has done what it was told before, such as to send signals. How
 * many there are.
 */
unsigned space_ask(uint32_t serial);

/* A parent has died where it lives. */
void space_orphan(pid_t ppid);

/* The numbers it is to give out itself. */
void space_numbers(const numbers_msg *numbers);

/*
 * Processes that are launched when on_root has said so have that root, in both spaces; in the
 * second one, if that cannot make it, none is launched any more. 0 or -errno.
 */
int space_root(const char *path, int node_ns);

/* The pid of its init, as we see it. */
pid_t space_pid(void);

/* The same of the second one; 0: there is none. */
pid_t space_second_pid(void);

/* The same, of the space that process `task`, as we see it, is in; 0 when it is in none. */
pid_t space_of(pid_t task);

/* Ends the space with all in it. `on_stopped` comes when it has gone. */
void space_stop(void (*on_stopped)(const char *words));

#endif
