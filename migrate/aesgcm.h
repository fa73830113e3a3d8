/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AES-GCM of libipsec-mb for OpenSSL. OpenSSL itself has used the wide instructions that newer
 * processors have for it since 3.1; before, it takes five times as long, which is a good part of
 * what a byte costs on its way to a node.
 *
 * Life: aesgcm_provide() once, before the first TLS context is made; from then on there is another
 * provider in this process, whose AES-128-GCM and AES-256-GCM have the trait that our TLS contexts
 * prefer (common/tls.h). What does not ask for the trait gets OpenSSL's; so does all where the
 * machine's configuration demands properties that this one has not, as those of FIPS.
 */
#ifndef BPROC_AESGCM_H
#define BPROC_AESGCM_H

/*
 * 0; -ENOTSUP: OpenSSL's own is as good; -ENOMEM. On an error nothing has changed. Does not block.
 */
int aesgcm_provide(void);

#endif
