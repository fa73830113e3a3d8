/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of a link share; nobody else includes this. link.c has the connections and the
 * table of what may come over one when, hello.c lets members in, report.c takes what nodes tell,
 * linksend.c tells them something. A message that does not decode ends its link.
 */
#ifndef MASTERD_LINK_IMPL_H
#define MASTERD_LINK_IMPL_H

#include <stdint.h>
#include <sys/queue.h>
#include <event2/event.h>

#include "common/conn.h"
#include "masterd/link.h"

#define HANDSHAKE_SECONDS 10

enum link_phase {
    LINK_SHAKING = 1, LINK_STRANGER = 2, LINK_MEMBER = 4, LINK_UP = 8,
    LINK_SPARE = 16,            /* its node will switch to it */
    LINK_LEFT = 32              /* its node has switched to another */
};

struct link_queue;

struct link {
    TAILQ_ENTRY(link) entry;    /* among the newcomers, before LINK_UP */
    TAILQ_ENTRY(link) beat;     /* in `queue`, which is the heartbeat's; NULL: none */
    struct link_queue *queue;
    struct conn *conn;
    struct node *node;          /* set with LINK_UP and LINK_SPARE */
    enum link_phase phase;
    int number;                 /* in the certificate */
    uint32_t addr;              /* host byte order */
    int64_t since;              /* when it came */
    int64_t heard, asked;       /* the heartbeat's */
    struct event *on_deadline;  /* until LINK_UP: for HELLO; of a spare: for the switch */
};

/* Its address to name[len], which is returned. */
const char *link_name(const struct link *link, char *name, size_t len);

/* The link's next phase. */
void link_settle(struct link *link, enum link_phase phase);

/* A member or stranger did what he may not, or what we cannot accept; its link ends. */
__attribute__((format(printf, 2, 3)))
void link_refuse(struct link *link, const char *fmt, ...);

/* The link that a node is about to switch to, or NULL. */
struct link *link_spare(const struct node *node);

/* hello.c: joining, HELLO, and the switch to another link. */
void hello_join(struct link *link, const struct frame_header *header, const uint8_t *body);
void hello_take(struct link *link, const struct frame_header *header, const uint8_t *body);
void hello_switch(struct link *link, const struct frame_header *header, const uint8_t *body);

/* report.c: what a node tells of its processes, or passes on for its users. */
void report_born(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_ghost_child(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_ghost_gone(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_group(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_notify(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_order(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_pass(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_passage(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_power(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_signal(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_started(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_status(struct link *link, const struct frame_header *header, const uint8_t *body);
void report_usage(struct link *link, const struct frame_header *header, const uint8_t *body);

#endif
