# SPDX-License-Identifier: GPL-2.0-or-later

EXTRA_DIST += etc/masterd.service.in etc/slaved.service.in etc/libbproc.pc.in
CLEANFILES += etc/masterd.service etc/slaved.service etc/libbproc.pc

pkgconfig_DATA += etc/libbproc.pc
dist_doc_DATA += etc/config.example etc/clustershell-groups.conf

if SYSTEMD_UNITS
systemdsystemunit_DATA = etc/masterd.service etc/slaved.service
endif

etc/masterd.service: etc/masterd.service.in Makefile
	$(SUBSTITUTE) $(srcdir)/etc/masterd.service.in > $@

etc/slaved.service: etc/slaved.service.in Makefile
	$(SUBSTITUTE) $(srcdir)/etc/slaved.service.in > $@

etc/libbproc.pc: etc/libbproc.pc.in Makefile
	$(SUBSTITUTE) $(srcdir)/etc/libbproc.pc.in > $@
