# SPDX-License-Identifier: GPL-2.0-or-later

# The archive, where a program or the library must stay small: the shared library of XDR brings
# Kerberos with it. The sanitizers' own wrappers of XDR find only the shared one.
if SANITIZER
XDR_LIBS = $(TIRPC_LIBS)
else
XDR_LIBS = -l:libtirpc.a
endif

# What rpcgen makes is compiled by itself: it leaves unused variables behind, which our own code may
# not.
noinst_LTLIBRARIES += proto/libxdr.la proto/libwire.la proto/libproto.la

XDR_SOURCES = proto/bproc.h proto/bproc_xdr.c proto/copy.h proto/copy_xdr.c
nodist_proto_libxdr_la_SOURCES = $(XDR_SOURCES)
proto_libxdr_la_CFLAGS = $(AM_CFLAGS) -Wno-unused-variable

WIRE_SOURCES = \
	proto/frame.c proto/frame.h \
	proto/msg.c proto/msg.h
proto_libwire_la_SOURCES = $(WIRE_SOURCES)
proto_libwire_la_LIBADD = proto/libxdr.la

# With the shared library of XDR; libbproc takes the archive instead.
proto_libproto_la_SOURCES =
proto_libproto_la_LIBADD = proto/libwire.la $(TIRPC_LIBS)

BUILT_SOURCES += proto/bproc.h proto/copy.h
CLEANFILES += proto/bproc.h proto/bproc_xdr.c proto/copy.h proto/copy_xdr.c
EXTRA_DIST += proto/bproc.x proto/copy.x proto/PROTOCOL.md

# rpcgen refuses an existing target and writes the path of its input into the #include, hence the
# change of folder, the bare name and the move at the end.
proto/bproc.h: proto/bproc.x
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	(cd $(srcdir)/proto && $(RPCGEN) -h bproc.x) > $@.tmp && mv -f $@.tmp $@

proto/bproc_xdr.c: proto/bproc.x
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	(cd $(srcdir)/proto && $(RPCGEN) -c bproc.x) > $@.tmp && mv -f $@.tmp $@

proto/copy.h: proto/copy.x
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	(cd $(srcdir)/proto && $(RPCGEN) -h copy.x) > $@.tmp && mv -f $@.tmp $@

proto/copy_xdr.c: proto/copy.x
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	(cd $(srcdir)/proto && $(RPCGEN) -c copy.x) > $@.tmp && mv -f $@.tmp $@
