# SPDX-License-Identifier: GPL-2.0-or-later

EXTRA_DIST += etc/masterd.service.in etc/slaved.service.in etc/libbproc.pc.in etc/bproc-agents.sh.in
CLEANFILES += etc/masterd.service etc/slaved.service etc/libbproc.pc etc/bproc-agents.sh

pkgconfig_DATA += etc/libbproc.pc
dist_doc_DATA += etc/config.example etc/clustershell-groups.conf
doc_DATA = etc/bproc-agents.sh

if SYSTEMD_UNITS
systemdsystemunit_DATA = etc/masterd.service etc/slaved.service
endif

etc/masterd.service: etc/masterd.service.in Makefile
	$(SUBSTITUTE) $(srcdir)/etc/masterd.service.in > $@

etc/slaved.service: etc/slaved.service.in Makefile
	$(SUBSTITUTE) $(srcdir)/etc/slaved.service.in > $@

etc/bproc-agents.sh: etc/bproc-agents.sh.in Makefile
	$(SUBSTITUTE) $(srcdir)/etc/bproc-agents.sh.in > $@

etc/libbproc.pc: etc/libbproc.pc.in Makefile
	$(SUBSTITUTE) $(srcdir)/etc/libbproc.pc.in > $@

# bash-completion looks for a file with the name of the tool.
bashcompletiondir = $(datadir)/bash-completion/completions
COMPLETED_TOOLS = bpcp bpctl bplib bpmap bpsh bprsh bprun bpstat bptop beomap beorun mpprun \
	masterd slaved bplab
dist_bashcompletion_DATA = etc/bash-completion/bproc

install-completions: install-dist_bashcompletionDATA
	$(AM_V_at)for tool in $(COMPLETED_TOOLS); do \
		$(LN_S) -f bproc '$(DESTDIR)$(bashcompletiondir)'/$$tool || exit 1; \
	done

uninstall-completions:
	$(AM_V_at)for tool in $(COMPLETED_TOOLS); do \
		rm -f '$(DESTDIR)$(bashcompletiondir)'/$$tool; \
	done

install-data-hook: install-completions
uninstall-hook: uninstall-completions

.PHONY: install-completions uninstall-completions
