/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections of the library to the local daemon.
 *
 * A connection lives for one call: client_open(), messages, client_close(). All that are open, and
 * what else a call holds, stand in a list, so that a child forked by the library, which shares
 * them with the caller's other threads, can close them. Everything here is safe in threads.
 */
#ifndef BPROC_CLIENT_H
#define BPROC_CLIENT_H

#include "proto/msg.h"

/*
 * Connects to the daemon. A close-on-exec blocking socket, to be ended with client_close();
 * -EBUSY when nobody is there, -EMFILE, -ENFILE, -ENOMEM, -EACCES, -ENAMETOOLONG.
 * Blocks while the daemon's queue of connections is full.
 */
int client_open(void);

/*
 * A descriptor of ours must not take the number of a closed standard stream, which a child gets
 * replaced. Moves `fd`, close-on-exec, above those and returns its number; -EMFILE, with it closed.
 */
int client_fd_raise(int fd);

/*
 * Lists another descriptor of the library's, to be ended like a connection. 0, -ENOMEM. To be
 * called inside the guard that the descriptor was made in.
 */
int client_claim(int fd);

/*
 * A pipe of the library's, close-on-exec and listed; 0, or -EMFILE, -ENFILE, -ENOMEM with both ends
 * to be given to client_close() all the same.
 */
int client_pipe(int pair[2]);

/* Ends a connection; a negative `fd` is allowed. Keeps errno. */
void client_close(int fd);

/* Takes `fd` out of the list without closing it: the caller of the library is to own it. */
void client_release(int fd);

/*
 * In a forked child: closes all that is listed but `fd` (-1: all), which stays listed.
 * Async-signal-safe.
 */
void client_forget_all_but(int fd);

/*
 * An errno of the transport or of a reply, negative, as the interface gives it: a connection
 * that broke is -EIO. Others stay as they are.
 */
int client_error(int error);

/*
 * One call over a connection of its own, as msg_call(); errors have passed client_error().
 * Blocks until the daemon answers.
 */
int client_call(bproc_proc proc, xdrproc_t encode, const void *arg, xdrproc_t decode, void *ret,
                size_t ret_size);

/*
 * The same for calls about a node whose manual says EINVAL for a wrong one: BE_INVALIDNODE and
 * BE_NODEDOWN become -EINVAL.
 */
int client_call_node(bproc_proc proc, xdrproc_t encode, const void *arg, xdrproc_t decode,
                     void *ret, size_t ret_size);

/* The edge of the library: a negative `error` into errno and -1; anything else as it is. */
int client_result(int error);

#endif
