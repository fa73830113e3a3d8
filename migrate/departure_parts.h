/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of one departure, see departure.h: they share what is known of the process that leaves.
 * All blocking. 0 or -errno, with the reason in departure->text; a part that fails leaves it to
 * the end of the child to give things back.
 */
#ifndef BPROC_DEPARTURE_PARTS_H
#define BPROC_DEPARTURE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>

#include "migrate/bulk.h"
#include "migrate/criuworker.h"
#include "migrate/departure.h"
#include "migrate/files.h"
#include "migrate/memorylist.h"
#include "migrate/memorysend.h"
#include "migrate/nodelink.h"

struct departure {
    const struct departure_setup *setup;
    move_start_arg arg;
    dump_arg dump;
    int dumps;                      /* a process is dumped */
    int maps;                       /* it goes with the files that a process has mapped */
    int has_image;                  /* an image goes; else what is to be executed, or nothing */
    int own_mounts;                 /* our mount namespace while we are in another; -1 */
    int mounts;                     /* that of the process; -1 */
    int space;                      /* pidfd on the init of the process's space; -1 */
    int channel;                    /* to the daemon */
    int spec;                       /* memory file of an exec; a dump's file; -1 */
    int exe;                        /* the executable of an execmove; -1 */
    int originals[BPROC_MAX_STREAMS];   /* by stream; -1 */
    struct files files;
    int image;                      /* directory in memory; -1 */
    struct memorysend *ahead;       /* is read, and goes behind the image; NULL */
    struct lazysend *lazy;          /* sends the memory of one that runs meanwhile; NULL */
    struct memorylist *list;        /* of what has gone of it, for the others of a vector; NULL */
    int memory_fd;                  /* of another one, whose image goes; -1 */
    struct criuworker criu;         /* while it dumps */
    struct nodelink *link;
    int waited;                     /* the connection is that of an earlier departure */
    int lost;                       /* and has ended before the node has begun with anything */
    struct carrying *carrying;      /* its streams, once they are made ready; NULL */
    int watched;                    /* a thread sees when the daemon gives up, */
    pthread_t watcher;              /* this one */
    int heard;                      /* the node has said something to this launch */
    move_report report;
    char text[BPROC_MAX_TEXT];
    struct timespec mark;
    atomic_int committed;
};

/* Says why, for the caller of bproc_rfork() and the log. Returns `error`. */
__attribute__((format(printf, 3, 4)))
int departure_fail(struct departure *d, int error, const char *fmt, ...);

/* From now on the end of the channel is ours, until the commit. */
int departure_watch(struct departure *d);

/* Returns when the node has said something. Without a thread: ends us if the daemon gives up. */
void departure_heed(struct departure *d);

/* Microseconds since the last look are `what`'s. */
void departure_lap(struct departure *d, move_time what);

/* ---- departure_dump.c: the process becomes an image in memory ---- */

/* Our mounts become those of the process until departure_mounts_leave(). */
int departure_mounts_enter(struct departure *d);
void departure_mounts_leave(struct departure *d);

/* There is CRIU then, soon, among these mounts, and room for an image. */
int departure_worker_start(struct departure *d);

/* The files that it has mapped, or the executable of an execmove. */
int departure_files(struct departure *d);

/* Waits until the daemon says that the process is at its gate, and sets CRIU on it. */
int departure_dump_start(struct departure *d);

/* What was dumped of one that has another's image. */
int departure_dump_hear(struct departure *d);
int departure_dump_finish(struct departure *d);

/* 0 if the image has no other rights than the process's owner. */
int departure_image_check(const struct departure *d);

/* ---- departure_vector.c: the children of a vector ---- */

/* The image of the one that is dumped is whole: the daemon gets it, for the others. */
int departure_image_give(struct departure *d);

/*
 * The memory of one that has another's image: named, for what the node gets from another node, or
 * sent; *bytes of it. Until the node has it in its place. -BPROC_IMAGE_LOST: the other has gone.
 */
int departure_memory_name(struct departure *d, uint64_t *bytes);

/* ---- departure_lazy.c: memory that comes while the process runs already ---- */

/*
 * A thread with a connection of its own begins to offer what there is. Life: start; the word by
 * which the node finds that connection; wait until it is made; heed, until the node says something
 * on the other one, or that one has failed; go when the process runs; end, when the node has all of
 * it or nobody wants it any more, which says whether that was well. The end of this process is the
 * end of all of that.
 */
int departure_lazy_start(struct departure *d);
void departure_lazy_word(const struct departure *d, share_word word);
int departure_lazy_wait(struct departure *d);
int departure_lazy_heed(struct departure *d);
int departure_lazy_go(struct departure *d);
int departure_lazy_end(struct departure *d);

/* ---- departure_file.c: images in files ---- */

/* The process goes into the file of a bproc_dump. */
int departure_file_write(struct departure *d);

/* The image of a bproc_undump comes from its file. */
int departure_file_read(struct departure *d);

/* ---- departure_node.c: what is said to the node ---- */

/*
 * Connects, unless there is a connection of an earlier departure, tells what comes, and sends the
 * files that the node says it lacks, if there are any.
 */
int departure_launch(struct departure *d);

/* The image, or what is to be executed. The first is the image alone, with no end; *bytes sent. */
int departure_image_send(struct departure *d, uint64_t *bytes);
int departure_contents(struct departure *d);

/* Begins to read what is to go behind the image, if there is any. */
int departure_memory_begin(struct departure *d);

/* Nobody holds it any more. */
void departure_memory_end(struct departure *d);

/*
 * Waits for what the node says next, or for `want`; its P_BULK_FAILED becomes our failure. The
 * first two leave the message, to be freed; the third is for one without a body.
 */
int departure_hear_any(struct departure *d, struct bulk_msg *msg);
int departure_hear(struct departure *d, bproc_proc want, struct bulk_msg *msg);
int departure_expect(struct departure *d, bproc_proc want);

#endif
