# SPDX-License-Identifier: GPL-2.0-or-later

# BPROC_PATH_OPTION(OPTION, VARIABLE, DEFAULT, WHAT)
AC_DEFUN([BPROC_PATH_OPTION], [
    AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1=PATH], [$4 @<:@$3@:>@])], [], [with_[]m4_translit([$1], [-], [_])=$3])
    AS_CASE([$with_[]m4_translit([$1], [-], [_])],
        [/*], [$2=$with_[]m4_translit([$1], [-], [_])],
        [AC_MSG_ERROR([--with-$1 needs an absolute path])])
    AC_SUBST([$2])
])

# BPROC_PATHS
#
# The paths that every host of a cluster shares. They do not follow the prefix: an administrator
# finds the configuration in one place however the software was installed.
AC_DEFUN([BPROC_PATHS], [
    BPROC_PATH_OPTION([config-dir], [bproc_confdir], [/etc/bproc], [configuration])
    BPROC_PATH_OPTION([state-dir], [bproc_statedir], [/var/lib/bproc], [state that survives a boot])
    BPROC_PATH_OPTION([run-dir], [bproc_rundir], [/run/bproc], [state that does not])
    BPROC_PATH_OPTION([criu], [bproc_criu], [/opt/bproc-criu/sbin/criu],
        [the CRIU to prefer to the one in PATH])
    AC_DEFINE_UNQUOTED([BPROC_CONFIG_DIR], ["$bproc_confdir"], [Folder of the configuration.])
    AC_DEFINE_UNQUOTED([BPROC_CONFIG_FILE], ["$bproc_confdir/config"], [The configuration.])
    AC_DEFINE_UNQUOTED([BPROC_STATE_DIR], ["$bproc_statedir"], [State that survives a boot.])
    AC_DEFINE_UNQUOTED([BPROC_RUN_DIR], ["$bproc_rundir"], [State that does not survive a boot.])
    AC_DEFINE_UNQUOTED([BPROC_SOCKET_PATH], ["$bproc_rundir/bproc.sock"], [The local socket.])
    AC_DEFINE_UNQUOTED([BPROC_CRIU_PATH], ["$bproc_criu"], [The CRIU to prefer.])

    AC_ARG_WITH([systemdsystemunitdir],
        [AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
            [systemd units, or no for none @<:@PREFIX/lib/systemd/system@:>@])],
        [], [with_systemdsystemunitdir='${prefix}/lib/systemd/system'])
    AC_SUBST([systemdsystemunitdir], [$with_systemdsystemunitdir])
    AM_CONDITIONAL([SYSTEMD_UNITS], [test "x$with_systemdsystemunitdir" != xno])
])
