/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "slaved/contact.h"
#include "slaved/link.h"

static struct {
    struct event *timer;
    void (*on_lost)(const char *words);
    int64_t heard, alive;       /* monotonic milliseconds */
    int ping_timeout, orphan_timeout;
    bool lost;
} contact;

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_past(int64_t since, int seconds)
{
    return now_ms() - since > (int64_t)seconds * 1000;
}

static void contact_check(evutil_socket_t fd, short what, void *arg)
{
    int64_t silence = link_silence();
    char words[80];

    (void)fd;
    (void)what;
    (void)arg;
    if (silence >= 0 && now_ms() - silence > contact.alive)
        contact.alive = now_ms() - silence;
    if (contact.lost)
        return;
    if (is_past(contact.alive, contact.ping_timeout))
        snprintf(words, sizeof(words), "no word from its machine for %d s", contact.ping_timeout);
    else if (is_past(contact.heard, contact.orphan_timeout))
        snprintf(words, sizeof(words), "no masterd there for %d s", contact.orphan_timeout);
    else
        return;
    contact.lost = true;
    contact.on_lost(words);
}

int contact_init(struct event_base *base, int ping_timeout, int orphan_timeout,
                 void (*on_lost)(const char *words))
{
    struct timeval second = { 1, 0 };

    contact.on_lost = on_lost;
    contact.ping_timeout = ping_timeout;
    contact.orphan_timeout = orphan_timeout;
    contact_heard();
    contact.timer = event_new(base, -1, EV_PERSIST, contact_check, NULL);
    return contact.timer && event_add(contact.timer, &second) == 0 ? 0 : -ENOMEM;
}

void contact_set_timeout(int ping_timeout)
{
    contact.ping_timeout = ping_timeout;
}

void contact_heard(void)
{
    contact.heard = contact.alive = now_ms();
    contact.lost = false;
}

void contact_refused(void)
{
    contact.alive = now_ms();
}

int64_t contact_since(void)
{
    return now_ms() - contact.heard;
}

void contact_finish(void)
{
    if (contact.timer)
        event_free(contact.timer);
    contact.timer = NULL;
}
