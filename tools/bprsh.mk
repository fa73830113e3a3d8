# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sessions on nodes, the remote shell's and those of bpsh --pty.

SESSION_SOURCES = \
	tools/pty.c tools/pty.h \
	tools/pump.c tools/pump.h \
	tools/session.c tools/session.h

tools_bpsh_SOURCES += $(SESSION_SOURCES)
tools_bpsh_CFLAGS = $(AM_CFLAGS) $(LIGHT_CFLAGS)

bin_PROGRAMS += tools/bprsh

tools_bprsh_SOURCES = \
	tools/bprsh.c \
	tools/bprsh_login.c tools/bprsh_login.h \
	tools/bprsh_options.c tools/bprsh_options.h \
	tools/tool.c tools/tool.h \
	$(HOST_SOURCES) $(SESSION_SOURCES)
tools_bprsh_CFLAGS = $(AM_CFLAGS) -pthread
tools_bprsh_LDADD = $(NODES_LIBS)

pkglibexec_PROGRAMS += tools/bproc-session

tools_bproc_session_SOURCES = \
	tools/session_node.c tools/session.h \
	tools/session_kill.c tools/session_kill.h \
	tools/pty.c tools/pty.h \
	tools/pump.c tools/pump.h
tools_bproc_session_CFLAGS = $(AM_CFLAGS) -pthread

# For callers who know but one name.
shimdir = $(pkglibdir)/shim

install-shims: install-binPROGRAMS
	$(AM_V_at)$(MKDIR_P) '$(DESTDIR)$(shimdir)'
	$(AM_V_at)for link in ssh:bprsh rsh:bprsh scp:bpcp rcp:bpcp; do \
		$(LN_S) -f '$(bindir)'/$${link#*:} '$(DESTDIR)$(shimdir)'/$${link%:*} || exit 1; \
	done

uninstall-shims:
	$(AM_V_at)for link in ssh rsh scp rcp; do rm -f '$(DESTDIR)$(shimdir)'/$$link; done

install-exec-hook: install-shims
uninstall-hook: uninstall-shims

.PHONY: install-shims uninstall-shims
