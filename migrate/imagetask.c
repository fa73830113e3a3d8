/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "migrate/imagefile.h"
#include "migrate/imagetask.h"

/* The numbers of the fields are CRIU's: core.proto, creds.proto, mm.proto and so on. */
#define TREE_PID 1
#define TREE_PARENT 2
#define TREE_THREADS (1u << 5)          /* repeated fields */
#define INVENTORY_IDS 3
#define IDS_FIRST_NAMESPACE 5
#define IDS_LAST_NAMESPACE 11           /* then that of time, which CRIU makes at each restore */
#define CORE_TASK 3
#define CORE_IDS 4
#define CORE_THREAD 5
#define TASK_SECCOMP 11
#define TASK_OOM 14
#define TASK_REPEATED (1u << 15)
#define THREAD_NICE 3
#define THREAD_POLICY 4
#define THREAD_CREDS 10
#define THREAD_SECCOMP 11
#define CREDS_BITS 13
#define CREDS_PROFILE 15
#define CREDS_APPARMOR 17
#define CREDS_NO_NEW_PRIVS 18
#define CREDS_REPEATED (1u << 9 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 14 | 1u << 19)
#define MM_EXE 12
#define MM_VMA 14
#define VMA_FILE 4
#define VMA_PROTECTION 5
#define VMA_STATUS 7
#define VMA_FLAGS 10

#define POLICY_BATCH 3
#define POLICY_IDLE 5
#define STATUS_SHARED (1u << 7)
#define STATUS_FILE (1u << 6 | STATUS_SHARED)
#define STATUS_MEMFD (1u << 14)
/* Regular, stack, vsyscall, vdso, heap, file, anonymous, vvar, memfd, shadow stack, guard. */
#define STATUS_KNOWN (0xfu | 1u << 5 | STATUS_FILE | 3u << 8 | 1u << 12 | STATUS_MEMFD | 3u << 15)

struct look {
    int dir;
    const struct image_task *task;
    unsigned records;
    uint32_t namespaces[IDS_LAST_NAMESPACE + 1];
    char *text;
    size_t len;
};

static int refuse(struct look *look, const char *what)
{
    snprintf(look->text, look->len, "%s", what);
    return -EPERM;
}

static int has(const struct message *message, unsigned number)
{
    return (message->seen & UINT32_C(1) << number) != 0;
}

static int tree_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct message m;
    int error = message_read(record, TREE_THREADS, &m);

    if (error)
        return error;
    if (look->records++ > 0 || message_value(&m, TREE_PID) != (uint32_t)look->task->pid ||
        message_value(&m, TREE_PARENT) != 0)
        return refuse(look, "is of other processes, too");
    return 0;
}

static int inventory_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct message m, ids;
    int error = message_read(record, 0, &m);

    if (!error)
        error = has(&m, INVENTORY_IDS)
                    ? message_read(m.fields[INVENTORY_IDS].content, 0, &ids) : -EPROTO;
    for (unsigned i = IDS_FIRST_NAMESPACE; !error && i <= IDS_LAST_NAMESPACE; i++)
        look->namespaces[i] = message_value(&ids, i);
    return error;
}

/* CRIU makes those namespaces in which a process differs from the inventory. */
static int ids_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct message m;
    int error = message_read(record, 0, &m);

    look->records++;
    for (unsigned i = IDS_FIRST_NAMESPACE; !error && i <= IDS_LAST_NAMESPACE; i++)
        if (message_value(&m, i) != look->namespaces[i])
            error = refuse(look, "has namespaces of its own");
    return error;
}

static int creds_check(struct look *look, const struct message *thread, uint32_t filter)
{
    struct message creds;
    int error = has(thread, THREAD_CREDS)
                    ? message_read(thread->fields[THREAD_CREDS].content, CREDS_REPEATED, &creds)
                    : -EPROTO;

    if (error)
        return error;
    if (message_value(&creds, CREDS_BITS))
        return refuse(look, "keeps capabilities");
    for (unsigned i = CREDS_PROFILE; i <= CREDS_APPARMOR; i++)
        if (has(&creds, i) && creds.fields[i].content.len > 0)
            return refuse(look, "has a security label");
    /* Without that, a set-uid program that it executes would have the filter. */
    if (filter && !message_value(&creds, CREDS_NO_NEW_PRIVS))
        return refuse(look, "filters the system calls of programs with more rights");
    return 0;
}

/* The nice value is a folded signed number: an odd one is negative. */
static int thread_check(struct look *look, const struct message *core, uint32_t filter)
{
    struct message thread;
    uint32_t policy;
    int error = has(core, CORE_THREAD)
                    ? message_read(core->fields[CORE_THREAD].content, 0, &thread) : -EPROTO;

    if (error)
        return error;
    policy = message_value(&thread, THREAD_POLICY);
    if (policy != 0 && policy != POLICY_BATCH && policy != POLICY_IDLE)
        return refuse(look, "has real-time priority");
    if (message_value(&thread, THREAD_NICE) & 1)
        return refuse(look, "has a negative nice value");
    return creds_check(look, &thread, filter | message_value(&thread, THREAD_SECCOMP));
}

static int task_check(struct look *look, const struct message *core, uint32_t *filter)
{
    struct message task;
    int error = 0;

    *filter = 0;
    if (!has(core, CORE_TASK))
        return 0;
    error = message_read(core->fields[CORE_TASK].content, TASK_REPEATED, &task);
    if (error)
        return error;
    *filter = message_value(&task, TASK_SECCOMP);
    return message_value(&task, TASK_OOM) >> 31 ? refuse(look, "is spared when memory runs out")
                                               : 0;
}

static int core_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct message core;
    uint32_t filter;
    int error = message_read(record, 0, &core);

    if (error)
        return error;
    if (has(&core, CORE_IDS))
        return refuse(look, "has namespaces of its own");
    if (look->task->is_root)
        return 0;
    error = task_check(look, &core, &filter);
    return error ? error : thread_check(look, &core, filter);
}

static int cores_check(struct look *look)
{
    DIR *dir = fdopendir(openat(look->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    int error = dir ? 0 : -errno;

    while (!error && (entry = readdir(dir)))
        if (strncmp(entry->d_name, "core-", 5) == 0)
            error = imagefile_visit(look->dir, entry->d_name, core_visit, look);
    if (dir)
        closedir(dir);
    return error;
}

static int vma_check(struct look *look, struct bytes content)
{
    enum image_mapping how = MAPPED_READABLE;
    struct message m;
    uint32_t status;
    int error = message_read(content, 0, &m);

    if (error)
        return error;
    status = message_value(&m, VMA_STATUS);
    if (status & ~STATUS_KNOWN)
        return refuse(look, "has memory of a kind that is unknown");
    if (!(status & STATUS_FILE) || status & STATUS_MEMFD)
        return 0;
    if (has(&m, VMA_FLAGS))
        how = (message_value(&m, VMA_FLAGS) & O_ACCMODE) == O_RDONLY ? MAPPED_READABLE
                                                                     : MAPPED_WRITABLE;
    else if (message_value(&m, VMA_PROTECTION) & PROT_WRITE && status & STATUS_SHARED)
        how = MAPPED_WRITABLE;
    return look->task->mapped(look->task->arg, message_value(&m, VMA_FILE), how);
}

static int mm_visit(struct bytes record, void *arg)
{
    struct look *look = arg;
    struct field field;
    int more, error = 0;

    while (!error && (more = field_take(&record, &field)) != 0) {
        if (more < 0)
            return more;
        if (field.number == MM_EXE)
            error = look->task->mapped(look->task->arg, (uint32_t)field.value,
                                       MAPPED_PROGRAM);
        else if (field.number == MM_VMA)
            error = vma_check(look, field.content);
    }
    return error;
}

static int of_process(struct look *look, const char *what, record_visitor *visit)
{
    char name[32];

    snprintf(name, sizeof(name), "%s-%d.img", what, look->task->pid);
    return imagefile_visit(look->dir, name, visit, look);
}

int imagetask_check(int dir_fd, const struct image_task *task, char *text, size_t len)
{
    struct look look = { .dir = dir_fd, .task = task, .text = text, .len = len };
    int error = imagefile_visit(dir_fd, "pstree.img", tree_visit, &look);

    if (!error)
        error = imagefile_visit(dir_fd, "inventory.img", inventory_visit, &look);
    look.records = 0;
    if (!error)
        error = of_process(&look, "ids", ids_visit);
    if (!error && look.records != 1)
        error = -EPROTO;
    if (!error)
        error = cores_check(&look);
    return error ? error : of_process(&look, "mm", mm_visit);
}
