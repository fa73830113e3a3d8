/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * promptly CASE NODE: what a process says and hears while most of its memory is still to come.
 */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

#include "tests/progs/prog.h"

#define SIZE (256UL << 20)              /* takes long on a slow link */
#define PATIENCE_MS 15000

static int to_child[2], from_child[2];

static pid_t lazy_fork(const char *node)
{
    char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t pid;

    CHECK(memory != MAP_FAILED, "cannot map memory: %s", strerror(errno));
    for (size_t at = 0; at < SIZE; at += 4096)
        *(size_t *)(void *)(memory + at) = at + 1;
    MUST(pipe(to_child));
    MUST(pipe(from_child));
    pid = _bproc_rfork(atoi(node), BPROC_DUMP_EXEC | BPROC_DUMP_OTHER | BPROC_RFORK_LAZY);
    if (pid < 0)
        die("cannot fork onto node %s: %s", node, bproc_strerror(errno));
    close(to_child[pid > 0 ? 0 : 1]);
    close(from_child[pid > 0 ? 1 : 0]);
    return pid;
}

static void word_expect(const char *want)
{
    struct pollfd fd = { .fd = from_child[0], .events = POLLIN };
    char got[64] = "";

    CHECK(poll(&fd, 1, PATIENCE_MS) == 1, "nothing has come of '%s'", want);
    MUST(read(from_child[0], got, sizeof(got) - 1));
    CHECK(strcmp(got, want) == 0, "'%s' has come, not '%s'", got, want);
}

/* Who keeps the memory for the child ends with the last page. */
static void lack_expect(void)
{
    CHECK(system("pgrep -x bproc-pages >/dev/null") == 0, "all of the memory has come before that");
}

static void word_say(int fd, const char *word)
{
    MUST(write(fd, word, strlen(word)));
}

static void talks(int argc, char **argv)
{
    pid_t pid = lazy_fork(argv[0]);
    char got[64] = "";

    (void)argc;
    if (pid == 0) {
        word_say(from_child[1], "here");
        MUST(read(to_child[0], got, sizeof(got) - 1));
        word_say(from_child[1], got);
        _exit(7);
    }
    word_expect("here");
    lack_expect();
    word_say(to_child[1], "and now");
    word_expect("and now");
    child_expect(pid, 7 << 8);
}

static void dies(int argc, char **argv)
{
    pid_t pid = lazy_fork(argv[0]);

    (void)argc;
    if (pid == 0) {
        word_say(from_child[1], "last words");
        raise(SIGKILL);
    }
    child_expect(pid, SIGKILL);
    word_expect("last words");
}

static const struct prog_case cases[] = {
    { "talks", talks }, { "dies", dies }, { NULL, NULL },
};

int main(int argc, char **argv)
{
    return prog_run(cases, argc, argv);
}
