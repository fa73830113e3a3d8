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
