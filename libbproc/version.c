/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/bproc.h>

#include "libbproc/client.h"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

int bproc_version(struct bproc_version_t *version)
{
    whoami_ret ret;
    int error = -EINVAL;

    if (version)
        error = client_call(P_WHOAMI, NULL, NULL, FRAME_XDR(whoami_ret), &ret, sizeof(ret));
    if (error)
        return client_result(error);
    memset(version, 0, sizeof(*version));
    memcpy(version->magic, "BPr", sizeof(version->magic));
    version->arch = MACHINE & 0xff;
    version->protocol = BPROC_PROTO_VERSION;
    strncpy(version->version, ret.release, sizeof(version->version) - 1);
    frame_free(FRAME_XDR(whoami_ret), &ret, sizeof(ret));
    return 0;
}
