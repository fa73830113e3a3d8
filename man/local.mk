# SPDX-License-Identifier: GPL-2.0-or-later
#
# A page that tells about several calls or tools is installed under the name of each: MAN3_LINKS and
# MAN1_LINKS hold NAME:PAGE.

dist_man_MANS += \
	man/bpcp.1 \
	man/bpctl.8 \
	man/bplab.1 \
	man/bplib.1 \
	man/bproc-agents.7 \
	man/bproc.7 \
	man/bproc-python.7 \
	man/bproc.config.5 \
	man/bproc_chmod.3 \
	man/bproc_io.3 \
	man/bproc_move.3 \
	man/bproc_nodeaddr.3 \
	man/bproc_detach.3 \
	man/bproc_dump.3 \
	man/bproc_execve.3 \
	man/bproc_libadd.3 \
	man/bproc_nodeattr.3 \
	man/bproc_nodechroot.3 \
	man/bproc_nodeinfo.3 \
	man/bproc_nodereboot.3 \
	man/bproc_nodereconnect.3 \
	man/bproc_nodeset.3 \
	man/bproc_notifier.3 \
	man/bproc_proclist.3 \
	man/bproc_rexec.3 \
	man/bproc_rfork.3 \
	man/bproc_strerror.3 \
	man/bproc_usage.3 \
	man/bproc_version.3 \
	man/bproc_vrfork.3 \
	man/bprsh.1 \
	man/bprun.1 \
	man/bpsh.1 \
	man/bpstat.1 \
	man/bptop.1 \
	man/masterd.8 \
	man/slaved.8

MAN1_LINKS = \
	beomap:bprun \
	beorun:bprun \
	bpmap:bprun \
	mpprun:bprun

MAN3_LINKS = \
	_bproc_move:bproc_move \
	_bproc_move_io:bproc_move \
	bproc_move_io:bproc_move \
	_bproc_access:bproc_nodeinfo \
	_bproc_execmove:bproc_rexec \
	_bproc_execmove_io:bproc_rexec \
	_bproc_rexec:bproc_rexec \
	_bproc_rexec_io:bproc_rexec \
	_bproc_rfork:bproc_rfork \
	_bproc_rfork_io:bproc_rfork \
	_bproc_vexecmove_io:bproc_io \
	_bproc_vrfork:bproc_vrfork \
	_bproc_vrfork_io:bproc_vrfork \
	bproc_access:bproc_nodeinfo \
	bproc_chgrp:bproc_chmod \
	bproc_chown:bproc_chmod \
	bproc_currnode:bproc_nodeinfo \
	bproc_execdump:bproc_dump \
	bproc_execmove:bproc_rexec \
	bproc_execmove_io:bproc_rexec \
	bproc_getnodeattr:bproc_nodeattr \
	bproc_getnodebyname:bproc_nodeaddr \
	bproc_init:bproc_nodeinfo \
	bproc_libclear:bproc_libadd \
	bproc_libdel:bproc_libadd \
	bproc_liblist:bproc_libadd \
	bproc_masteraddr:bproc_nodeaddr \
	bproc_nodefilter:bproc_nodeset \
	bproc_nodelist:bproc_nodeinfo \
	bproc_nodelist_:bproc_nodeset \
	bproc_nodenumber:bproc_nodeaddr \
	bproc_nodecachepurgefail:bproc_nodechroot \
	bproc_nodecachepurgeok:bproc_nodechroot \
	bproc_nodehalt:bproc_nodereboot \
	bproc_nodehalt_async:bproc_nodereboot \
	bproc_nodepwroff:bproc_nodereboot \
	bproc_nodepwroff_async:bproc_nodereboot \
	bproc_nodereboot_async:bproc_nodereboot \
	bproc_nodeset_add:bproc_nodeset \
	bproc_nodeset_append:bproc_nodeset \
	bproc_nodeset_free:bproc_nodeset \
	bproc_nodeset_grow:bproc_nodeset \
	bproc_nodeset_init:bproc_nodeset \
	bproc_nodesetstatus:bproc_chmod \
	bproc_nodespec:bproc_nodeset \
	bproc_nodestatus:bproc_nodeinfo \
	bproc_nodeup:bproc_nodeinfo \
	bproc_numnodes:bproc_nodeinfo \
	bproc_pidghostnode:bproc_proclist \
	bproc_pidnode:bproc_proclist \
	bproc_requestfile:bproc_nodechroot \
	bproc_rexec_io:bproc_rexec \
	bproc_rfork_io:bproc_io \
	bproc_setnodeattr:bproc_nodeattr \
	bproc_slave_chroot:bproc_nodechroot \
	bproc_setnodestatus:bproc_chmod \
	bproc_vexecmove:bproc_vrfork \
	bproc_vexecmove_io:bproc_vrfork \
	bproc_vrfork_io:bproc_vrfork \
	bproc_undump:bproc_dump

install-man-links: install-man
	$(AM_V_at)for link in $(MAN1_LINKS); do \
		$(LN_S) -f $${link#*:}.1 '$(DESTDIR)$(man1dir)'/$${link%:*}.1 || exit 1; \
	done
	$(AM_V_at)for link in $(MAN3_LINKS); do \
		$(LN_S) -f $${link#*:}.3 '$(DESTDIR)$(man3dir)'/$${link%:*}.3 || exit 1; \
	done

uninstall-man-links:
	$(AM_V_at)for link in $(MAN1_LINKS); do \
		rm -f '$(DESTDIR)$(man1dir)'/$${link%:*}.1; \
	done
	$(AM_V_at)for link in $(MAN3_LINKS); do \
		rm -f '$(DESTDIR)$(man3dir)'/$${link%:*}.3; \
	done

install-data-hook: install-man-links
uninstall-hook: uninstall-man-links

.PHONY: install-man-links uninstall-man-links
