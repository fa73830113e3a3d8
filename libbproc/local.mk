# SPDX-License-Identifier: LGPL-2.1-or-later

lib_LTLIBRARIES += libbproc/libbproc.la
noinst_LTLIBRARIES += libbproc/libcalls.la libbproc/libclient.la

# For the tools of ours that say more to the daemon than the interface has calls for.
CLIENT_SOURCES = libbproc/client.c libbproc/client.h \
	libbproc/guard.c libbproc/guard.h
libbproc_libclient_la_SOURCES = $(CLIENT_SOURCES)

# By itself for a tool of ours that is sent to nodes, which may lack the library.
CALLS_SOURCES = \
	libbproc/access.c libbproc/access.h \
	libbproc/address.c \
	libbproc/admin.c \
	libbproc/api4_io.c libbproc/api4_io.h \
	libbproc/api4_node.c \
	libbproc/attr.c \
	libbproc/clonable.c libbproc/clonable.h \
	libbproc/depart.c libbproc/depart.h \
	libbproc/descriptors.c libbproc/descriptors.h \
	libbproc/detach.c \
	libbproc/dump.c \
	libbproc/entry.c libbproc/entry.h \
	libbproc/epolls.c libbproc/epolls.h \
	libbproc/execdump.c \
	libbproc/fetch.c libbproc/fetch.h \
	libbproc/flight.c libbproc/flight.h \
	libbproc/gatefork.c libbproc/gatefork.h \
	libbproc/holder.c libbproc/holder.h \
	libbproc/io.c libbproc/io.h \
	libbproc/lazy.c libbproc/lazy.h \
	libbproc/libraries.c \
	libbproc/masterfile.c \
	libbproc/move.c libbproc/move.h \
	libbproc/node.c libbproc/node.h \
	libbproc/nodeset.c \
	libbproc/notifier.c \
	libbproc/placeholders.c libbproc/placeholders.h \
	libbproc/proc.c libbproc/proc.h \
	libbproc/program.c libbproc/program.h \
	libbproc/programflight.c libbproc/programflight.h \
	libbproc/quietfork.c libbproc/quietfork.h \
	libbproc/quietwork.c libbproc/quietwork.h \
	libbproc/remain.c libbproc/remain.h \
	libbproc/rexec.c libbproc/rexec.h \
	libbproc/rfork.c libbproc/rfork.h \
	libbproc/spawn.c libbproc/spawn.h \
	libbproc/spawnline.c libbproc/spawnline.h \
	libbproc/spec.c libbproc/spec.h \
	libbproc/spool.c libbproc/spool.h \
	libbproc/standin.c libbproc/standin.h \
	libbproc/streams.c libbproc/streams.h \
	libbproc/strerror.c \
	libbproc/fences.c libbproc/fences.h \
	libbproc/pieces.c libbproc/pieces.h \
	libbproc/twin.c libbproc/twin.h \
	libbproc/undump.c \
	libbproc/usage.c \
	libbproc/vector.c libbproc/vector.h \
	libbproc/vectorfork.c libbproc/vectorfork.h \
	libbproc/version.c
libbproc_libcalls_la_SOURCES = $(CALLS_SOURCES)

libbproc_libbproc_la_SOURCES =
# The archive: the shared library of XDR brings Kerberos into every program that links us.
libbproc_libbproc_la_LIBADD = libbproc/libcalls.la libbproc/libclient.la proto/libwire.la $(XDR_LIBS)
libbproc_libbproc_la_LDFLAGS = $(HARDENING_LDFLAGS) -version-info 1:0:0 \
	-Wl,--version-script=$(srcdir)/libbproc/libbproc.map
if !SANITIZER
libbproc_libbproc_la_LDFLAGS += -Wl,-z,defs
endif
libbproc_libbproc_la_DEPENDENCIES = libbproc/libcalls.la libbproc/libclient.la \
	proto/libwire.la libbproc/libbproc.map

EXTRA_DIST += libbproc/libbproc.map
