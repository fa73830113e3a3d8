/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BProc: processes of one machine, the master, that run on other machines, its nodes.
 *
 * Calls and constants have the names, arguments and results of BProc 3 and of Scyld's manual, or,
 * if BPROC_API_VERSION is defined as 4 before this is included, of BProc 4: what differs there is
 * in <sys/bproc4.h>. Both forms are in one library and may be mixed in one program, file by file.
 * What this implementation adds is marked "ours". Link with -lbproc.
 *
 * All calls talk to the local daemon (masterd on the master, slaved on a node) over a socket; the
 * environment variable BPROC_SOCKET names another socket than the usual one, except in set-uid
 * programs. A call opens its connection and closes it before it returns; nothing is kept between
 * calls and no call needs an initialisation. Each is safe to use from several threads and none
 * from a signal handler. "Blocks for the daemon" means: for as long as the local daemon takes to
 * answer, which it does from memory; on a node, for one round trip to the master as well.
 *
 * Unless said otherwise a call returns -1 with errno set when it fails. Failures of every call:
 *   EBUSY            no daemon answers at the socket: BProc is not running here
 *   EIO              the daemon went away during the call, or sent what is no answer
 *   EPROTONOSUPPORT  the daemon speaks another version of the protocol (ours)
 *   EOPNOTSUPP       the daemon cannot do this from here, as some calls on a node (ours)
 *   EMFILE, ENFILE   no descriptor left for the connection
 *   ENOMEM           out of memory
 */
#ifndef _SYS_BPROC_H
#define _SYS_BPROC_H 1

#include <stdint.h>
#include <sys/socket.h>

#if defined(BPROC_API_VERSION) && BPROC_API_VERSION >= 4
#define _BPROC_FORM 4
#else
#define _BPROC_FORM 3
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- constants -------------------------------------------------------------------------- */

/* Node numbers are 0 and up. These stand where a node number may. */
#define BPROC_NODE_MASTER (-1)
#define BPROC_NODE_SELF   (-2)  /* the node the caller runs on */
#define BPROC_NODE_NONE   (-3)  /* a result: no such node */
#define BPROC_NODE_ANY    (-4)  /* bproc_proclist(): whatever the node */

/*
 * Dump flags: mapped files of that kind travel with the process. The others are expected on the
 * node under the same path, with the same content.
 */
#define BPROC_DUMP_LIBS  1      /* shared libraries */
#define BPROC_DUMP_EXEC  2      /* the executable */
#define BPROC_DUMP_OTHER 4      /* everything else */
#define BPROC_DUMP_ALL   7

#if _BPROC_FORM == 3
/*
 * I/O flags, in the same argument (ours).
 *
 * BPROC_IO_SEND_INFO, with a port: each of the three connections begins with two ints in the byte
 * order of the node, the pid of the process and the number of the descriptor (0, 1 or 2), so that
 * a program can take the connections of many processes on one port.
 * BPROC_IO_STDIN, with port 0: descriptor 0 is forwarded like 1 and 2 and is not /dev/null.
 */
#define BPROC_IO_SEND_INFO 0x10
#define BPROC_IO_STDIN     0x20

/*
 * In the same argument of _bproc_rfork and _bproc_rfork_io (ours): the child runs as soon as it
 * can; of its large memory what it touches comes at once, the rest behind it.
 */
#define BPROC_RFORK_LAZY   0x40

/* States of a node. Programs should go by the names; only down == 0 is old custom. */
enum bproc_node_state {
    bproc_node_down = 0,        /* not connected */
    bproc_node_unavailable = 1, /* connected, set aside by the administrator */
    bproc_node_error = 2,       /* connected, its node_up script failed */
    bproc_node_up = 3,          /* in use */
    bproc_node_reboot = 4,      /* was told to reboot */
    bproc_node_halt = 5,        /* was told to halt */
    bproc_node_pwroff = 6,      /* was told to switch itself off */
    bproc_node_boot = 7         /* connected, its node_up script runs */
};
#define BPROC_NODE_NSTATES 8
/* Initialises an array of BPROC_NODE_NSTATES strings, indexed by state. */
#define BPROC_NODE_STATE_STRINGS \
    { "down", "unavailable", "error", "up", "reboot", "halt", "pwroff", "boot" }
#endif

#define BPROC_X_OK 1            /* bproc_access(): may processes be sent there */

/* errno values beside the system's; bproc_strerror() has texts for them. */
#define BE_INVALIDNODE 300      /* no such node is configured */
#define BE_NODEDOWN    301      /* the node is known but not connected */
#define BE_SAMENODE    302      /* already there */
#define BE_SLAVEDIED   303      /* the node was lost while the call was under way */
#define BE_INVALIDPROC 304      /* no such process */

/* ---- structures ------------------------------------------------------------------------- */

#if _BPROC_FORM == 3
struct bproc_node_info_t {
    int node;
    int status;                 /* enum bproc_node_state */
    int mode;                   /* permission bits, as 0111; only x bits occur */
    uint16_t user;              /* 65534 when the number does not fit: see uid */
    uint16_t group;
    uint32_t addr;              /* IPv4, network byte order; 0 when unknown */
    uint32_t uid;               /* ours: the owner in full */
    uint32_t gid;               /* ours: the group in full */
};
#endif

struct bproc_proc_info_t {
    int pid;                    /* in the master's process space */
    int node;
};

struct bproc_version_t {
    char magic[3];              /* "BPr", without a NUL */
    uint8_t arch;               /* low byte of the ELF machine number of this library */
    uint32_t protocol;          /* version of the protocol the daemon and the library share */
    char version[24];           /* release of the daemon, NUL-terminated */
};

/* What a process uses (ours). */
#define BPROC_COMMAND_MAX 64
struct bproc_proc_usage_t {
    int pid;                    /* in the master's process space */
    int ppid;
    uint32_t uid;
    int nice;
    int threads;
    char state;                 /* R, S, D, T, Z and so on, as in proc(5) */
    char command[BPROC_COMMAND_MAX + 1];    /* beginning of the command line, NUL-terminated */
    uint64_t cpu_ms;            /* user and system time */
    uint64_t age_ms;            /* since it started */
    uint64_t rss;               /* resident memory, bytes */
};

/* What a node uses (ours). */
struct bproc_usage_t {
    int node;
    int cpus;
    double load[3];             /* averages over 1, 5 and 15 minutes */
    uint64_t uptime_ms;
    uint64_t busy_ms;           /* of all its CPUs together, since it booted */
    uint64_t memory;            /* bytes */
    uint64_t available;         /* of them, without swapping */
    int processes;              /* how many run there for BProc */
    int count;                  /* how many `list` has: those with most CPU time, at most 512 */
    struct bproc_proc_usage_t *list;
};

/* ---- processes that start or go elsewhere ------------------------------------------------ */

/*
 * fork(2), but the child runs on `node` (a number, BPROC_NODE_MASTER or BPROC_NODE_SELF).
 *
 * The parent gets the child's pid: an ordinary child of the caller, for kill(2), waitpid(2) and
 * job control. The child gets 0, on the node, with the caller's memory, signal handlers, limits,
 * credentials and the calling thread alone. Regular files stay open where the path exists there;
 * pipes, sockets and terminals that others hold too are forwarded. If `node` is the caller's own
 * it is a fork.
 *
 * `flags` is an OR of BPROC_DUMP_* and, in the form of BProc 3, BPROC_IO_*; the forms without it
 * take EXEC|OTHER if the node is up or the master, EXEC|LIBS|OTHER otherwise. Without `port`, or
 * with 0: descriptors 1 and 2 are forwarded to the caller's own, 0 is /dev/null. Otherwise a TCP
 * port, 1 to 65535, of the caller's machine: it gets three connections, in the order stdout,
 * stderr, stdin, raw bytes unless BPROC_IO_SEND_INFO; the caller listens and accepts.
 *
 * Failure: -1 in the parent, and no child, zombie or SIGCHLD exists; descriptors are as before.
 *   EBUSY           no daemon
 *   BE_INVALIDNODE  no such node (as all BE_* errors here: the form of BProc 3.2)
 *   BE_NODEDOWN     it is not connected
 *   BE_SLAVEDIED    it was lost during the call
 *   EPERM           the node's mode does not let the caller use it, or the caller's real,
 *                   effective and saved user ids differ
 *   EINVAL          unknown bits in flags, port outside 0 to 65535
 *   EAGAIN, ENOMEM  as fork(2), on either machine
 *   ENOEXEC         (ours) a mapped file that was not to be sent is not on the node as it is here
 *   EOPNOTSUPP      (ours) the process holds what cannot be sent: the daemon's log says what
 *   ECONNREFUSED    (ours) nobody listens at the port
 *   ENOSPC          (ours) the node has no room for the image
 *   ENOSYS          (ours) the kernel is too old here, or CRIU is missing or too old, here or there
 *   EIO             the image could not be moved for another reason: the daemon's log says which
 * Blocks until the child runs on the node or the call has failed.
 */
int bproc_rfork(int node);
int _bproc_rfork(int node, int flags);
#if _BPROC_FORM == 3
int _bproc_rfork_io(int node, int flags, int port);
#endif

/*
 * The caller itself goes to `node` and goes on there, under the same pid, with the same parent; its
 * children, which stay where they are, can be waited for and signalled as before. 0, there. Where
 * the caller is already nothing happens, and the result is 0 (as in BProc 4; BProc 3 said ELOOP or
 * BE_SAMENODE). `flags`, `port` and what is forwarded: as for bproc_rfork(); from a node, 1 and 2
 * lead to where they led there. Interval timers go along; record locks and the CPU time used do
 * not, as with a fork.
 *
 * Failure: -1, and the caller is where and as it was. Signals wait during the call.
 *   EBUSY           no daemon; for BPROC_NODE_MASTER that is success, as in BProc 4
 *   EOPNOTSUPP      (ours) the caller has more than one thread, or timers of timer_create(2); or as
 *                   bproc_rfork()
 *   EEXIST          (ours) its number, or that of one of its children, is taken on the node, and
 *                   in its second process space as well
 *   all others      as bproc_rfork()
 * Blocks until the caller runs on the node or the call has failed.
 */
int bproc_move(int node);
int _bproc_move(int node, int flags);
#if _BPROC_FORM == 3
int _bproc_move_io(int node, int flags, int port);
#endif

/*
 * bproc_rfork() of many children at once, one for each of the `nnodes` elements of `nodes`; a node
 * may stand there several times, the master and the caller's own as well.
 *
 * In the parent the result is `nnodes`, and pids[i] is the pid of child i, or if that could not be
 * made the negated errno, one of bproc_rfork()'s; the others run. In a child it is its index, which
 * is also in its environment, as BPROC_RANK with seven digits (ours). `pids` has room for `nnodes`
 * elements and is nothing in a child. `flags` and `port` are for all.
 *
 * -1: no child was made.
 *   EINVAL  nnodes is negative, and as bproc_rfork()
 *   EFAULT  nodes or pids is NULL
 *   EBUSY   no daemon
 * Blocks until all run or have failed.
 */
int bproc_vrfork(int nnodes, int *nodes, int *pids);
int _bproc_vrfork(int nnodes, int *nodes, int *pids, int flags);
#if _BPROC_FORM == 3
int bproc_vrfork_io(int nnodes, int *nodes, int *pids, int port);
int _bproc_vrfork_io(int nnodes, int *nodes, int *pids, int flags, int port);
#endif

/*
 * execve(2), but `cmd` and everything it needs is looked up and run on `node`; nothing of the
 * image here travels. `argv` and `envp` are as for execve; all strings stay the caller's. The
 * process keeps its pid, credentials, signal mask, limits, umask and working directory (`/` if it
 * is not on the node). `port` and the forms without it: as for bproc_rfork(); `flags`: BPROC_IO_*
 * only. Of BProc's manuals it is not known which spelled the form with `port` with an underscore,
 * so there are both; the form with `flags` is ours.
 *
 * Does not return when the program was executed on the node: the caller is then the process that
 * stands for it here. Failure: -1, the caller is as before. (BProc let a process whose exec failed
 * on the node exit with status 1; here the call says why instead. Ours.)
 *   EBUSY, BE_INVALIDNODE, BE_NODEDOWN, BE_SLAVEDIED, EPERM, EAGAIN, ENOMEM, EIO, ECONNREFUSED:
 *                   as bproc_rfork()
 *   EINVAL          unknown bits in flags, port outside 0 to 65535
 *   EFAULT          cmd or argv is NULL
 *   E2BIG           arguments and environment are longer than the system takes
 *   ENAMETOOLONG    cmd is longer than a path may be
 *   ENOENT, EACCES, ENOEXEC, ENOTDIR, ELOOP, ETXTBSY and the others of execve(2): of the exec on
 *                   the node
 * Blocks until the process runs on the node or the call has failed.
 */
int bproc_rexec(int node, const char *cmd, char *const argv[], char *const envp[]);
int _bproc_rexec(int node, int flags, const char *cmd, char *const argv[], char *const envp[]);
#if _BPROC_FORM == 3
int bproc_rexec_io(int node, int port, const char *cmd, char *const argv[], char *const envp[]);
int _bproc_rexec_io(int node, int port, const char *cmd, char *const argv[], char *const envp[]);
#endif

/*
 * As bproc_rexec(), but the program is the caller's machine's own file `cmd`: its bytes are sent
 * if the node has not got them yet. Its libraries and interpreter are expected on the node. The
 * form with `flags` is ours.
 * Errors: those of bproc_rexec() and, for the file here, EACCES, ENOENT, ENOTDIR, ELOOP, and EPERM
 * when it is set-uid or set-gid. (BProc let a process whose move failed exit with the errno as its
 * status; here the call fails. Ours.)
 */
int bproc_execmove(int node, const char *cmd, char *const argv[], char *const envp[]);
int _bproc_execmove(int node, int flags, const char *cmd, char *const argv[], char *const envp[]);
#if _BPROC_FORM == 3
int bproc_execmove_io(int node, int port, const char *cmd, char *const argv[],
                      char *const envp[]);
int _bproc_execmove_io(int node, int port, const char *cmd, char *const argv[],
                       char *const envp[]);
#endif

/*
 * bproc_execmove() in many children at once, while the caller goes on. Arguments and results as
 * bproc_vrfork()'s, the negated errnos those of bproc_execmove(); it returns in the caller alone.
 * If `envp` has the string "BPROC_RANK=XXXXXXX", each child finds its index there in the place of
 * the seven X, with leading zeros.
 *
 * -1: no child was made. EINVAL, EFAULT, EBUSY: as bproc_vrfork(), EFAULT also if cmd or argv is
 * NULL. EACCES, ENOENT, ENOTDIR, ELOOP, EPERM: of the file here, as bproc_execmove().
 */
int bproc_vexecmove(int nnodes, int *nodes, int *pids, const char *cmd, char *const argv[],
                    char *const envp[]);
#if _BPROC_FORM == 3
int bproc_vexecmove_io(int nnodes, int *nodes, int *pids, int port, const char *cmd,
                       char *const argv[], char *const envp[]);
#endif

/*
 * The caller leaves the process space: it runs on where it is, and to everybody else it has called
 * exit(code). Root only. 0, in the process that runs on: on a node the same one, whose number may
 * by and by mean another process elsewhere; on the master a child, which goes on in its place.
 *   EPERM           the caller is not root
 *   ENOSYS          BProc is not running here
 *   EAGAIN, ENOMEM  as fork(2)
 * Blocks for the local daemon. What runs on still ends with the slave daemon of its node, and when
 * that has lost the master (ours).
 */
int bproc_detach(long code);

/*
 * execve(2), but on a node `cmd` is a file of the master's; a relative path begins in the caller's
 * folder there, or in / when it has none. The process stays on its node; interpreter and libraries
 * are the node's. On the master, and without BProc, it is execve(2).
 *   EFAULT          cmd or argv is NULL
 *   EPERM           the file is set-uid or set-gid
 *   EACCES          the caller may not read it there, or not execute it; or /tmp here has noexec
 *   ENOSPC, EOPNOTSUPP ... of a file without a name in /tmp, which the program is executed from
 *   all others      as execve(2), and as bproc_rexec() to the master
 * Blocks until the program is executed or the call has failed.
 */
int bproc_execve(const char *cmd, char *const argv[], char *const envp[]);

/*
 * An image of the caller is written to descriptor `fd`: memory, registers, signal handlers and
 * mask, timers' state apart; of the descriptors none. `flags`, BPROC_DUMP_*: mapped files that are
 * put into it; the others must be the same when it is used. 1 in the caller (ours), which goes on;
 * 0 where the image was used by bproc_undump(). The calling thread alone is in it.
 *   EINVAL          unknown bits in flags
 *   EBADF           fd is no descriptor
 *   EPERM           the caller's user ids differ
 *   EBUSY, ENOSYS, ENOMEM, EIO, EAGAIN: as bproc_rfork(); ENOSPC, EPIPE ... of writing to fd
 * Blocks until the image is written.
 */
int bproc_dump(int fd, int flags);

/*
 * The caller becomes the process whose image is read from `fd`: it has the caller's pid, parent,
 * and descriptors 0, 1 and 2, and goes on with a return of 0 from bproc_dump(), where the caller
 * is. An image is good for any number of times: one that was made on the master everywhere in the
 * cluster, one of a node there alone. Does not return when it succeeds: the caller is then the
 * process that stands for it. Failure: -1, the caller is as before.
 *   EBADF           fd is no descriptor
 *   ENOEXEC         it is no image, one of another release, or a mapped file is not the same
 *   EBADMSG         it was changed since, or made elsewhere
 *   EPERM           it is another user's, or has groups that the caller has not
 *   EAGAIN          the caller's number is taken in both of the node's process spaces
 *   EBUSY, BE_NODEDOWN, ENOSYS, ENOMEM, EIO, EAGAIN: as bproc_rfork()
 * Blocks until the process runs.
 */
int bproc_undump(int fd);

/*
 * An image of a program as it is after its exec, before it has done anything, is written to `fd`:
 * with these arguments and this environment, and the caller's credentials, limits, folder, signal
 * mask and ignored signals. bproc_undump() starts it. 0 in the caller (ours), which goes on;
 * `flags` as for bproc_dump(): executable and interpreter are mapped; libraries it finds later.
 *   EFAULT          cmd or argv is NULL
 *   EPERM           cmd is set-uid or set-gid, or the caller's user ids differ
 *   ENOENT, EACCES, ENOEXEC, ENOTDIR, ELOOP, E2BIG ... of execve(2); ENOEXEC also: a program for
 *                   another machine
 *   EINTR           a signal came to the caller's process group meanwhile
 *   all others      as bproc_dump()
 * Blocks until the image is written.
 */
int bproc_execdump(int fd, int flags, const char *cmd, char *const argv[], char *const envp[]);

/* ---- nodes ------------------------------------------------------------------------------- */

/*
 * Node the caller runs on, BPROC_NODE_MASTER on the master. If no daemon answers the result is
 * BPROC_NODE_NONE with errno EBUSY, as -1 would mean the master (ours). Blocks for the daemon.
 */
int bproc_currnode(void);

/* Number of configured nodes, whatever their state, without the master. Blocks for the daemon. */
int bproc_numnodes(void);

/*
 * Address of `node`, a struct sockaddr_in with port 0, to *addr. *size: bytes of room at addr in,
 * bytes used out; what does not fit is cut off. BPROC_NODE_MASTER gives the master's.
 * EINVAL: no such node, or it has no address, or addr or size is NULL or *size negative.
 * Blocks for the daemon.
 */
int bproc_nodeaddr(int node, struct sockaddr *addr, int *size);

/*
 * A descriptor that becomes readable at every change of the configuration or of a node's state;
 * a read() of any size acknowledges what happened so far. Its end (read() gives 0) means that the
 * daemon went away: close it and ask for a new one. The caller closes it; it is close-on-exec.
 * Blocks for the daemon.
 */
int bproc_notifier(void);

/*
 * 0 if the caller may send processes to `node`. `mode` is BPROC_X_OK, or 0, which asks only whether
 * the node is known. EPERM: he may not. EINVAL: no such node, or another mode. Credentials are
 * the effective ones at the time of the call. Blocks for the daemon.
 */
int bproc_access(int node, int mode);

/* Release of the running daemon to *version, 0. EINVAL: version is NULL. Blocks for the daemon. */
int bproc_version(struct bproc_version_t *version);

/*
 * Text for an errno value or a BE_* code; a negative one counts as its absolute value. Never NULL;
 * not to be freed, good until the thread's next call of this or of strerror(3). Does not block.
 */
const char *bproc_strerror(int error);

/*
 * Attributes of nodes (of BProc 4, where they are extended attributes of files): a name of at most
 * 63 bytes with a value of at most 64, of any kind; 32 for each node. They are gone when the node
 * goes down, not when the master daemon starts anew. Names begin with "bproc."; one that does not
 * gets that in front of it. There are from the start, all as text without NUL (the format is ours):
 *   bproc.state  the state, as bpstat(1) shows it
 *   bproc.addr   the IPv4 address, with dots
 *   bproc.cpus, bproc.hz, bproc.mem  of a connected node: processors online, clock of the
 *                first in Hz (absent where it is not known), memory in bytes; root may change them
 *
 * bproc_getnodeattr() puts the value to `value`, which has room for `size` bytes. Result: its
 * length; with `size` 0 only that. ERANGE: there is not enough room. ENODATA: no such attribute.
 *
 * bproc_setnodeattr() sets it, 0. Root only (EPERM). To set bproc.state is to set the node's state;
 * bproc.addr cannot be set (EPERM). EINVAL: the node is down. E2BIG: more than 64 bytes. ENOSPC: 32
 * others are there.
 *
 * Both: EINVAL: no such node, or a NULL or an empty name, or a negative size. ENAMETOOLONG.
 * EFAULT: value is NULL though size is not 0. They block for the daemon.
 */
#define BPROC_ATTR_NAME_MAX  63
#define BPROC_ATTR_VALUE_MAX 64
int bproc_getnodeattr(int node, const char *name, void *value, int size);
int bproc_setnodeattr(int node, const char *name, const void *value, int size);

#if _BPROC_FORM == 3
/*
 * State of `node`, enum bproc_node_state; the master is always up. EINVAL: no such node.
 * Blocks for the daemon.
 */
int bproc_nodestatus(int node);

/*
 * Fills *info (the caller's) for `node`, 0. EINVAL: no such node, or it is down, as in BProc 3
 * (bproc_nodelist() tells about down nodes too), or info is NULL. Blocks for the daemon.
 */
int bproc_nodeinfo(int node, struct bproc_node_info_t *info);

/*
 * All nodes, down ones included, in ascending order. Result: how many; *list is malloc'd, the
 * caller frees it; it is NULL when there are none or the call fails. EINVAL: list is NULL.
 * Blocks for the daemon.
 */
int bproc_nodelist(struct bproc_node_info_t **list);

/*
 * Address and port of the master, as bproc_nodeaddr(). If the master has several: on the master
 * the first, on a node the one that node is connected to. Blocks for the daemon.
 */
int bproc_masteraddr(struct sockaddr *addr, int *size);

/*
 * Node with that IPv4 address (`size` bytes), BPROC_NODE_MASTER for the master's, BPROC_NODE_NONE
 * when there is none or on failure (errno is then set, else 0). Blocks for the daemon.
 */
int bproc_nodenumber(struct sockaddr *addr, int size);

/*
 * Node of that name: "master" or "-1", "self", "3", "n3" or ".3". BPROC_NODE_NONE if it is unknown
 * (errno 0) or on failure (errno set). Host names are not known. Blocks for the daemon.
 */
int bproc_getnodebyname(const char *name);

/*
 * 0 if the caller may send processes to the node of a record in hand: judged by its state, owner,
 * group and mode, and by the caller's effective ids, without asking anybody. EPERM: he may not.
 * EINVAL: info is NULL, or mode is neither BPROC_X_OK nor 0. Does not block.
 */
int _bproc_access(struct bproc_node_info_t *info, int mode);

/*
 * Of early BProc: the first has nothing to do and gives 0, or -1 if no daemon answers; the second
 * is 1 if the node's state is up, else 0. They block for the daemon.
 */
int bproc_init(void);
int bproc_nodeup(int node);
#endif

/* ---- processes --------------------------------------------------------------------------- */

#if _BPROC_FORM == 3
/*
 * Node that process `pid` of the master's process space runs on. As in Scyld's manual:
 * BPROC_NODE_NONE when it runs on the master, is none of BProc's, or on failure (errno is then
 * set, else 0). Blocks for the daemon.
 */
int bproc_pidnode(int pid);

/*
 * Node where process `pid` started in the unified process space: BPROC_NODE_MASTER, where its ghost
 * is, if it runs on a node; else, and on failure, as bproc_pidnode(). Blocks for the daemon.
 */
int bproc_pidghostnode(int pid);
#endif

/*
 * The processes that run on `node`, or on all with BPROC_NODE_ANY. Result: how many; *list is
 * malloc'd, the caller frees it; it is NULL when there are none or the call fails. EINVAL: no
 * such node, or list is NULL. Blocks for the daemon.
 */
int bproc_proclist(int node, struct bproc_proc_info_t **list);

/*
 * What `node`, or with BPROC_NODE_ANY the master and all nodes that are connected, and the
 * processes there use, nodes in ascending order (ours). Result: how many; *list is malloc'd, one
 * free() of it frees the processes as well; it is NULL when there are none or the call fails. A
 * node that does not answer within two seconds, and one that is down, is left out. Of the master
 * the machine is told about, not its processes. Figures are at most a second old. EINVAL: no such
 * node, or list is NULL. EAGAIN: too many ask at once. Blocks until the nodes have answered.
 */
int bproc_usage(int node, struct bproc_usage_t **list);

/* ---- administration ---------------------------------------------------------------------- */

/*
 * Permissions of a connected node: mode bits (x bits only, as 0111), owner, group. 0. The mode may
 * be set by the node's owner and root, the group by root and by an owner who is a member of it,
 * the owner by root alone. EPERM: the caller may not. EINVAL: no such node, it is down, other
 * bits than x, a negative user or group. Processes that are there already are not affected.
 * Block for the daemon.
 */
int bproc_chmod(int node, int mode);
int bproc_chown(int node, int user);
int bproc_chgrp(int node, int group);

#if _BPROC_FORM == 3
/*
 * Sets the state of a connected node, 0. Root only (EPERM). `down` disconnects it, kills what runs
 * there, and lets its slave daemon in again only when that was started anew or the state is set to
 * `up`; both are possible while it is not connected. reboot, halt and pwroff are the _async calls
 * below; boot is the daemon's own. EINVAL: no such node, it is not connected, or that state cannot
 * be set. Blocks for the daemon. The first is Scyld's name, the second BProc 3's.
 */
int bproc_setnodestatus(int node, int status);
int bproc_nodesetstatus(int node, int status);
#endif

/*
 * The machine of a node reboots, halts or switches itself off: it runs its own configuration's
 * command for it. 0 when it has gone. From then on that is its state, until it connects again.
 * The _async forms give 0 as soon as it has been told. Root only (EPERM).
 *   EINVAL          no such node, or it is not connected
 *   EIO             its command failed: the daemon's log says how; its state is what it was
 *   EALREADY        it is still busy with an earlier order
 *   ETIMEDOUT       it was told, but is still there after five minutes
 * Block until the node has gone, the _async forms for the daemon.
 */
int bproc_nodereboot(int node);
int bproc_nodehalt(int node);
int bproc_nodepwroff(int node);
int bproc_nodereboot_async(int node);
int bproc_nodehalt_async(int node);
int bproc_nodepwroff_async(int node);

/*
 * Processes that arrive on a node from now on have the folder `path` of the node's own files as
 * their root; "/" takes that back. Those that are there already keep theirs. What processes need
 * of the node (/dev, /sys, /run, the file cache) is mounted there, /proc is the process space's.
 * It lasts until the slave daemon ends. Root only (EPERM).
 *   EINVAL          no such node, it is not connected, or path is not absolute
 *   E2BIG           path is longer than a path may be; EFAULT: it is NULL
 *   ENOENT, ENOTDIR, EACCES, EROFS ... of the folder, on the node
 *   EALREADY        it is changing its root already
 * Blocks until the node has done it. The first is Scyld's name, the second BProc 3's.
 */
int bproc_slave_chroot(int node, const char *path);
int bproc_nodechroot(int node, char *path);

/*
 * The file cache of a node. _ok empties it; processes keep what they have mapped. _fail forgets
 * which files could not be had: this cache does not remember that, so nothing is done but the
 * checks. Root only (EPERM). EINVAL: no such node, or it is not connected; errors of the node's
 * disk. Block until the node has done it.
 */
int bproc_nodecachepurgeok(int node);
int bproc_nodecachepurgefail(int node);

/*
 * A file of the master's is put into the cache of the caller's node, so that processes which have
 * it mapped come faster; 0. On the master it is looked at only. EFAULT: path is NULL. EACCES,
 * ENOENT ...: of the file, which the caller must be allowed to read. All others as bproc_rexec() to
 * the master and bproc_rfork() from there. Blocks until it is there.
 */
int bproc_requestfile(const char *path);

/*
 * The library list: which mapped files count as libraries, which BPROC_DUMP_LIBS is about; other
 * mapped files are sent by BPROC_DUMP_OTHER. An entry is the path of a file, or a pattern for paths
 * as of fnmatch(3) that begins with / or *. At first it has "*.so" and "*.so.*" (ours); it
 * outlives the daemon. Changes are for root (EPERM).
 *
 * bproc_libclear() empties the list: all that is mapped is sent by default. bproc_libadd() and
 * bproc_libdel() give 0 (adding what is there is no error) or -1: ENOENT, there is none to delete;
 * ENOSPC, 256 are there; EINVAL, neither a path nor such a pattern; ENAMETOOLONG; EFAULT, NULL.
 * bproc_liblist() gives the number of entries and in *list, malloc'd for the caller to free, each
 * with a NUL behind it, and one more NUL. Block for the daemon and its disk.
 */
int bproc_libclear(void);
int bproc_libadd(const char *name);
int bproc_libdel(const char *name);
int bproc_liblist(char **list);

/*
 * The slave daemon of a connected node makes its connection to the master anew, to the IPv4
 * address and port `rem` (`remsize` bytes; address or port 0: as it is), from `loc` (NULL or zeros:
 * any), and then gives up the old one. No process is touched, nothing is lost; the master reaches
 * the node at its new address. 0 when it has switched; if it cannot, the old connection stays. The
 * daemon goes on with these addresses until it is started anew. Root only (EPERM).
 *   EINVAL          rem is NULL, an address is none of IPv4, no such node, it is not connected, or
 *                   the master does not let it in from there
 *   EPERM           the configuration gives the node other addresses
 *   EALREADY        it is reconnecting already
 *   EIO, ECONNREFUSED, EHOSTUNREACH, EADDRNOTAVAIL, EADDRINUSE, ETIMEDOUT ... of the new connection
 * Blocks until then, 30 s at most.
 */
int bproc_nodereconnect(int node, struct sockaddr *rem, int remsize, struct sockaddr *loc,
                        int locsize);

#if _BPROC_FORM == 4
#include <sys/bproc4.h>
#endif

#ifdef __cplusplus
}
#endif

#endif
