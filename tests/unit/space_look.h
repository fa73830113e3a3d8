/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc shows of the processes in the space of space_jobs.h, which comes before this. */
#ifndef TESTS_SPACE_LOOK_H
#define TESTS_SPACE_LOOK_H

/* The memory of its own that the largest keeper has; -1 when there is none. */
static int keepers_kilobytes(void)
{
    char path[64], line[128];
    int pid, kilobytes, most = -1;
    FILE *children, *status;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)space_pid, (int)space_pid);
    children = fopen(path, "re");
    while (children && fscanf(children, "%d", &pid) == 1) {
        snprintf(path, sizeof(path), "/proc/%d/status", pid);
        status = fopen(path, "re");
        while (status && fgets(line, sizeof(line), status))
            if (sscanf(line, "RssAnon: %d", &kilobytes) == 1 && kilobytes > most)
                most = kilobytes;
        if (status)
            fclose(status);
    }
    if (children)
        fclose(children);
    return most;
}

/* As the space's own processes see it; 0: it is not there. */
static char state_of(pid_t pid)
{
    char path[64], state = 0;
    FILE *stat;

    snprintf(path, sizeof(path), "/proc/%d/root/proc/%d/stat", (int)space_pid, (int)pid);
    stat = fopen(path, "re");
    if (stat) {
        if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
            state = 0;
        fclose(stat);
    }
    return state;
}

static bool becomes(pid_t pid, char state)
{
    for (int i = 0; i < 2000 && state_of(pid) != state; i++)
        usleep(5000);
    return state_of(pid) == state;
}

/* Who has to reap it may have done so already. */
static bool has_ended(pid_t pid)
{
    char state = state_of(pid);

    for (int i = 0; i < 2000 && state != 'Z' && state != 0; i++) {
        usleep(5000);
        state = state_of(pid);
    }
    return state == 'Z' || state == 0;
}

/* Init waits for what it is told, and nothing makes it look around meanwhile. */
static bool space_sleeps(void)
{
    unsigned long long wait = 0;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)space_pid);
    for (int i = 0; i < 1000 && (int)wait != -1; i++) {
        FILE *call = fopen(path, "re");

        usleep(5000);
        if (call && fscanf(call, "%*d %*x %*x %llx", &wait) != 1)
            wait = 0;
        if (call)
            fclose(call);
    }
    return (int)wait == -1;
}

#endif
