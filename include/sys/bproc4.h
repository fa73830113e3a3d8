/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BProc 4's form of what differs from BProc 3's. Part of <sys/bproc.h>, which includes it if
 * BPROC_API_VERSION is 4; not to be included by itself.
 *
 * The calls here that BProc 3 has too, with other arguments, have other names in the library; the
 * labels say which.
 */
#ifndef _SYS_BPROC4_H
#define _SYS_BPROC4_H 1

#ifndef _SYS_BPROC_H
#error "include <sys/bproc.h>, with BPROC_API_VERSION defined as 4"
#endif

#define _BPROC4(name) __asm__(name)

/* ---- constants and structures ------------------------------------------------------------ */

#define BPROC_STATUS_LEN  16    /* ours: bytes of a state, its NUL included */
#define BPROC_STATUS_NONE (-2)  /* no result of any call here */

/* Kinds of I/O. */
#define BPROC_IO_FILE   0
#define BPROC_IO_SOCKET 1

/*
 * Flags of I/O. SEND_INFO, for a socket: the connection begins with two ints in the byte order of
 * the node, the pid of the process and the number of the descriptor. DELAY: it is opened when the
 * call has succeeded, so that a failure is not told: the process finds a file closed and a socket
 * at its end.
 */
#define BPROC_IO_SEND_INFO 1
#define BPROC_IO_DELAY     2

/*
 * A descriptor that a process is to have.
 *
 * A socket is a TCP connection to an IPv4 address; 0.0.0.0 is the machine that the process comes
 * from. It is made from there, over the encrypted connection to the node, unless the configuration
 * says `io direct`; 127.0.0.1 means that machine, too. A file is opened by the process itself, with
 * its rights and in its working directory, with open(2)'s `flags` and `mode`, and read or written
 * from `offset` on (BProc did not implement that).
 */
struct bproc_io_t {
    int fd;                     /* its number in the process */
    short type;                 /* BPROC_IO_FILE, BPROC_IO_SOCKET */
    short flags;                /* BPROC_IO_SEND_INFO, BPROC_IO_DELAY */
    union {
        struct sockaddr addr;
        struct {
            int flags;
            int mode;
            long offset;
            char name[256];     /* NUL-terminated */
        } file;
    } d;
};

struct bproc_node_info_t {
    int node;
    char status[BPROC_STATUS_LEN];
    unsigned int mode;          /* permission bits, as 0111; only x bits occur */
    unsigned int user;
    unsigned int group;
    struct sockaddr addr;       /* a struct sockaddr_in with port 0; 0.0.0.0 when unknown */
};

struct bproc_node_set_t {
    int size;                   /* elements in use */
    int alloc;                  /* and allocated */
    struct bproc_node_info_t *node;
};
#define BPROC_EMPTY_NODESET { 0, 0, 0 }

/* ---- processes that start or go elsewhere ------------------------------------------------ */

/*
 * As their namesakes in <sys/bproc.h>, but `io` names all descriptors that the process has where it
 * goes, `iolen` of them, at most 16; all others are closed. 0: it has none at all. -1, and the
 * forms without a list: descriptors 1 and 2 are forwarded to the caller's own, 0 is /dev/null, as
 * everything else as <sys/bproc.h> says. `io` stays the caller's. On the caller's own node it is
 * the same. The forms without an underscore take the default dump flags; an exec ignores them.
 *
 * Errors beside those: EINVAL for a list with more than 16 entries or fewer than -1, a negative or
 * repeated descriptor number, an unknown kind or flag, an address that is not IPv4 or has no port,
 * a name without NUL or none; EFAULT if io is NULL; what open(2) on the node and connect(2) say
 * about an entry without BPROC_IO_DELAY.
 */
int bproc_rfork_io(int node, struct bproc_io_t *io, int iolen) _BPROC4("bproc4_rfork_io");
int _bproc_rfork_io(int node, struct bproc_io_t *io, int iolen, int flags)
    _BPROC4("_bproc4_rfork_io");
int bproc_move_io(int node, struct bproc_io_t *io, int iolen) _BPROC4("bproc4_move_io");
int _bproc_move_io(int node, struct bproc_io_t *io, int iolen, int flags)
    _BPROC4("_bproc4_move_io");
int bproc_rexec_io(int node, struct bproc_io_t *io, int iolen, const char *cmd,
                   char *const argv[], char *const envp[]) _BPROC4("bproc4_rexec_io");
int bproc_execmove_io(int node, struct bproc_io_t *io, int iolen, const char *cmd,
                      char *const argv[], char *const envp[]) _BPROC4("bproc4_execmove_io");
int _bproc_execmove_io(int node, struct bproc_io_t *io, int iolen, int flags, const char *cmd,
                       char *const argv[], char *const envp[]) _BPROC4("_bproc4_execmove_io");
int bproc_vrfork_io(int nnodes, int *nodes, int *pids, struct bproc_io_t *io, int iolen)
    _BPROC4("bproc4_vrfork_io");
int _bproc_vrfork_io(int nnodes, int *nodes, int *pids, struct bproc_io_t *io, int iolen,
                     int flags) _BPROC4("_bproc4_vrfork_io");
int bproc_vexecmove_io(int nnodes, int *nodes, int *pids, struct bproc_io_t *io, int iolen,
                       const char *cmd, char *const argv[], char *const envp[])
    _BPROC4("bproc4_vexecmove_io");
int _bproc_vexecmove_io(int nnodes, int *nodes, int *pids, struct bproc_io_t *io, int iolen,
                        int flags, const char *cmd, char *const argv[], char *const envp[])
    _BPROC4("_bproc4_vexecmove_io");

/* ---- nodes ------------------------------------------------------------------------------- */

/*
 * State of `node` as a word, to `status`, which has room for `len` bytes; it ends with a NUL if
 * there is room for that. Result: length of the word without NUL, also when that is more than
 * there was room for. The words are down, unavailable, error, up, reboot, halt, pwroff, boot, and
 * what bproc_nodesetstatus() was given; the master is always up. BE_INVALIDNODE: no such node.
 * EINVAL: len is negative, or status is NULL though it is not 0. Blocks for the daemon.
 */
int bproc_nodestatus(int node, char *status, int len) _BPROC4("bproc4_nodestatus");

/*
 * Sets the state of a node by its word: bproc_nodesetstatus() of BProc 3 otherwise. Any other word
 * of at most 15 bytes makes the node unavailable, and is what the calls of this form tell until
 * its state changes. EINVAL: the word is empty or longer, or as there.
 */
int bproc_nodesetstatus(int node, const char *status) _BPROC4("bproc4_nodesetstatus");

/*
 * Fills *info (the caller's) for `node`, 0. A node that is down has one, too. BE_INVALIDNODE: no
 * such node. EINVAL: info is NULL. Blocks for the daemon.
 */
int bproc_nodeinfo(int node, struct bproc_node_info_t *info) _BPROC4("bproc4_nodeinfo");

/*
 * 0 if the caller may send processes to the node of a record in hand: judged by its state, owner,
 * group and mode, and by the caller's effective ids, without asking anybody. EPERM: he may not.
 * EINVAL: info is NULL, or mode is neither BPROC_X_OK nor 0. Does not block.
 */
int _bproc_access(struct bproc_node_info_t *info, int mode) _BPROC4("_bproc4_access");

/*
 * All nodes, down ones included, in ascending order, in the place of what *set holds; the set is to
 * be initialised and remains the caller's. Result: how many. EINVAL: set is NULL. Blocks for the
 * daemon. The second form is for a descriptor of bproc_notifier(): it acknowledges first what that
 * has told; EIO: the notifier has come to its end.
 */
int bproc_nodelist(struct bproc_node_set_t *set) _BPROC4("bproc4_nodelist");
int bproc_nodelist_(struct bproc_node_set_t *set, int fd);

/*
 * Sets of nodes. A set is BPROC_EMPTY_NODESET or what bproc_nodeset_init() made, with room for
 * `size` elements; _grow() sees to room for `size` in all, _add() appends a copy of *info,
 * _append() all of `src`, which may be `dst`; _free() makes it empty again. An element may be in it
 * several times. 0, or -1 with ENOMEM and the set as it was; EINVAL for a negative size. They do
 * not block.
 */
int bproc_nodeset_init(struct bproc_node_set_t *set, int size);
int bproc_nodeset_grow(struct bproc_node_set_t *set, int size);
void bproc_nodeset_free(struct bproc_node_set_t *set);
int bproc_nodeset_add(struct bproc_node_set_t *set, struct bproc_node_info_t *info);
int bproc_nodeset_append(struct bproc_node_set_t *dst, struct bproc_node_set_t *src);

/*
 * The nodes of `in` that `spec` names, appended to `out` in the order of `spec`; what it names
 * twice is there twice. `spec` is a list with commas: 5, n5 or .5 a node, 2-6 those from 2 to 6,
 * 2- those from 2 on, all every node, up (or allup) those in that state, notup (or allnotup) the
 * others, master the master, of which it makes a record if `in` has none. Nodes that `in` has not
 * got are passed over. Numbers are as in C: a leading 0 makes them octal. 0; -1 with EINVAL if
 * `spec` is none or an argument is NULL, ENOMEM; then `out` is as it was. Does not block.
 *
 * bproc_nodespec() is the same for all nodes of bproc_nodelist(). Blocks for the daemon.
 */
int bproc_nodefilter(struct bproc_node_set_t *out, struct bproc_node_set_t *in, const char *spec);
int bproc_nodespec(struct bproc_node_set_t *out, const char *spec);

/* ---- processes --------------------------------------------------------------------------- */

/*
 * Node that process `pid` runs on; -1 when it runs on the master, is none of BProc's, or on
 * failure. Blocks for the daemon.
 */
int bproc_pidnode(int pid) _BPROC4("bproc4_pidnode");

#endif
