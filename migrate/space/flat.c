/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/space/flat.h"

#define ALIGN(len) (((len) + 15) & ~(size_t)15)
#define KEPT_BYTES 65536

/* Offsets are halves of a pointer's room: the other one leads to the pointer noted before. */
_Static_assert(sizeof(void *) == sizeof(uint64_t), "pointers of 64 bits");
#define OFFSET_MAX UINT32_MAX

struct flat_head {
    uint64_t last;              /* pointer noted; 0: none */
    uint64_t spare;
};

static size_t bytes_add(struct flat *flat, const void *data, size_t len)
{
    size_t at = ALIGN(flat->len), need = at + len;

    if (!flat->error && need > OFFSET_MAX)
        flat->error = -ENOMEM;
    if (!flat->error && need > flat->size) {
        char *bytes = realloc(flat->bytes, need * 2);

        flat->error = bytes ? 0 : -ENOMEM;
        flat->bytes = bytes ? bytes : flat->bytes;
        flat->size = bytes ? need * 2 : flat->size;
    }
    if (flat->error)
        return 0;
    memset(flat->bytes + flat->len, 0, at - flat->len);
    if (data)
        memcpy(flat->bytes + at, data, len);
    else
        memset(flat->bytes + at, 0, len);
    flat->len = need;
    return at;
}

void flat_begin(struct flat *flat, const void *object, size_t len)
{
    const struct flat_head head = { .last = 0 };

    flat->len = 0;
    flat->error = 0;
    bytes_add(flat, &head, sizeof(head));
    bytes_add(flat, object, len);
}

size_t flat_member(size_t offset)
{
    return sizeof(struct flat_head) + offset;
}

size_t flat_own(struct flat *flat, size_t slot, const void *data, size_t len)
{
    size_t at = bytes_add(flat, data, len);
    struct flat_head head;
    uint64_t note;

    if (flat->error)
        return 0;
    memcpy(&head, flat->bytes, sizeof(head));
    note = head.last << 32 | at;
    memcpy(flat->bytes + slot, &note, sizeof(note));
    head.last = slot;
    memcpy(flat->bytes, &head, sizeof(head));
    return at;
}

int flat_end(const struct flat *flat)
{
    return flat->error;
}

void flat_tidy(struct flat *flat)
{
    if (flat->size <= KEPT_BYTES)
        return;
    free(flat->bytes);
    *flat = (struct flat){ .bytes = NULL };
    malloc_trim(0);
}

void *flat_settle(void *bytes)
{
    char *base = bytes;
    uint64_t slot = ((struct flat_head *)bytes)->last;

    while (slot != 0) {
        uint64_t note;
        char *target;

        memcpy(&note, base + slot, sizeof(note));
        target = base + (note & OFFSET_MAX);
        memcpy(base + slot, &target, sizeof(target));
        slot = note >> 32;
    }
    return flat_object(bytes);
}

void *flat_object(void *bytes)
{
    return (char *)bytes + sizeof(struct flat_head);
}
