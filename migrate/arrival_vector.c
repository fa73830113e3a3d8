/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fault.h"
#include "migrate/arrival_register.h"
#include "migrate/arrival_vector.h"
#include "migrate/bulk.h"
#include "migrate/imageedit.h"
#include "migrate/memorypull.h"
#include "migrate/memoryshare.h"
#include "migrate/nodelink.h"
#include "migrate/sibling.h"

/* From the node that it names, if that can be reached. */
static struct memorypull *pull_start(struct arrival *a)
{
    const vector_share *share = &a->launch.share;
    struct nodelink link = { .ssl = NULL };
    char text[256];

    if (share->from.node >= 0)
        nodelink_open(&link, a->setup->out, &share->from, text, sizeof(text));
    return memorypull_new(a->ssl, &link, share->word);
}

/* Those who follow find nothing here if it cannot be shared, and have its owner to ask. */
static struct memoryshare *share_start(struct arrival *a, pid_t pid)
{
    if (!a->launch.share.followed)
        return NULL;
    return memoryshare_new(a->slaved, a->launch.share.word, pid);
}

int arrival_memory(struct arrival *a, struct memoryrecv *memory, pid_t pid)
{
    int pulls = a->launch.share.how == SHARE_IMAGE, error;
    struct memorypull *pull = pulls ? pull_start(a) : NULL;
    struct memoryshare *share = share_start(a, pid);

    memoryrecv_join(memory, pull, share);
    error = pulls && !pull ? -ENOMEM
                           : memoryrecv_all(memory, a->image.store);
    if (!error) {
        memoryshare_end(share);
        error = FAULT(FAULT_RECEIVER_PULLED);
    }
    if (!error && pulls)
        error = bulk_send(a->ssl, P_BULK_FILLED, 0, NULL, NULL);
    memoryrecv_join(memory, NULL, NULL);
    memoryshare_free(share);
    memorypull_free(pull);
    return error;
}

int arrival_renumber(struct arrival *a)
{
    const vector_share *share = &a->launch.share;
    int error = 0;

    if (share->how == SHARE_IMAGE && share->pid != a->launch.pid)
        error = imageedit_number(a->image.dir, share->pid, a->launch.pid);
    if (error)
        snprintf(a->text, sizeof(a->text), "cannot read the image of process %d: %s",
                 a->launch.pid, strerror(-error));
    return error;
}

int arrival_forks_offer(struct arrival *a)
{
    share_arg arg = { .forks = 1 };
    int service, error;

    memcpy(arg.word, a->launch.share.word, sizeof(arg.word));
    service = sibling_start(a->gate, a->launch.pid, a->setup->root, &a->forker);
    if (service < 0) {
        snprintf(a->text, sizeof(a->text), "cannot prepare process %d to be forked: %s",
                 a->launch.pid, strerror(-service));
        return service;
    }
    error = msg_send(a->slaved, K_EVENT, P_SHARE_GIVE, 0, 0, FRAME_XDR(share_arg), &arg, &service,
                     1);
    close(service);
    return error;
}

void arrival_forks_end(struct arrival *a)
{
    if (a->forker <= 0)
        return;
    kill(a->forker, SIGKILL);
    waitpid(a->forker, NULL, __WALL);
    a->forker = 0;
}

static int service_take(struct arrival *a)
{
    share_arg arg = { .forks = 1 };

    memcpy(arg.word, a->launch.share.word, sizeof(arg.word));
    return arrival_share_take(a, &arg);
}

/* Its number, its place in the space. */
static int place_take(struct arrival *a)
{
    launch_who who = arrival_who(a);
    launched_ret ret;

    return msg_call(a->slaved, P_LAUNCH_FORK, FRAME_XDR(launch_who), &who, NULL, 0,
                    FRAME_XDR(launched_ret), &ret, sizeof(ret), a->text, sizeof(a->text));
}

int arrival_fork(struct arrival *a)
{
    int gate[2], service = service_take(a), error;

    if (service < 0)
        return service;
    error = FAULT(FAULT_RECEIVER_FORK);
    if (!error)
        error = place_take(a);
    if (!error && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) < 0)
        error = -errno;
    if (!error) {
        a->gate = gate[0];
        error = sibling_ask(service, a->launch.pid, gate[1], &a->launch, &a->ends);
        close(gate[1]);
    }
    close(service);
    return error;
}
