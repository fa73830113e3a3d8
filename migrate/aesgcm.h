/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AES-GCM of libipsec-mb for OpenSSL. OpenSSL itself has used the wide instructions that newer
 * processors have for it since 3.1; before, it takes five times as long, which is a good part of
 * what a byte costs on its way to a node.
 *
 * Life: aesgcm_provide() once, before the first TLS context is made; from then on all that asks
 * OpenSSL for AES-128-GCM or AES-256-GCM in this process gets this one, a provider that OpenSSL
 * prefers to its own. Everything else stays OpenSSL's.
 */
#ifndef BPROC_AESGCM_H
#define BPROC_AESGCM_H

/*
 * 0; -ENOTSUP: OpenSSL's own is as good, or the one to use by the machine's configuration; -ENOMEM.
 * On an error nothing has changed. Does not block.
 */
int aesgcm_provide(void);

#endif
