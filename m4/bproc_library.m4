# SPDX-License-Identifier: GPL-2.0-or-later

# BPROC_LIBRARY(VARIABLE, MODULES)
#
# PKG_CHECK_MODULES with an answer a newcomer can act on. The headers count as system headers: our
# warnings are for our code.
AC_DEFUN([BPROC_LIBRARY], [
    PKG_CHECK_MODULES([$1], [$2], [], [
        AC_MSG_ERROR([cannot find $2: $$1_PKG_ERRORS
scripts/install-deps installs what this build needs on Debian])
    ])
    $1_CFLAGS=`AS_ECHO([" $$1_CFLAGS"]) | $SED 's/ -I/ -isystem /g'`
])

# BPROC_IPSEC_MB
#
# Many hashes at once, and AES. It comes without a file for pkg-config.
AC_DEFUN([BPROC_IPSEC_MB], [
    bproc_save_LIBS=$LIBS
    AC_CHECK_HEADER([intel-ipsec-mb.h],
        [AC_SEARCH_LIBS([alloc_mb_mgr], [IPSec_MB], [], [bproc_ipsec_mb=no])],
        [bproc_ipsec_mb=no])
    AS_IF([test "x$bproc_ipsec_mb" = xno], [
        AC_MSG_ERROR([cannot find libipsec-mb
scripts/install-deps installs what this build needs on Debian])
    ])
    LIBS=$bproc_save_LIBS
    AC_SUBST([IPSEC_MB_LIBS], [-lIPSec_MB])
])
