# SPDX-License-Identifier: GPL-2.0-or-later

# BPROC_SUMMARY
#
# What was chosen, for the eye of whoever ran configure.
AC_DEFUN([BPROC_SUMMARY], [
    AS_ECHO(["
bproc $PACKAGE_VERSION

  prefix           $prefix
  configuration    $bproc_confdir/config
  state            $bproc_statedir
  run time         $bproc_rundir
  CRIU preferred   $bproc_criu
  systemd units    $systemdsystemunitdir

  compiler         $CC $CFLAGS
  warnings        $WARNING_CFLAGS
  hardening       $HARDENING_CPPFLAGS$HARDENING_CFLAGS$HARDENING_LDFLAGS$PIE_LDFLAGS
  instruments     ${INSTRUMENT_CFLAGS:- none}
  musl, for bpsh   $with_musl
"])
    AS_IF([test "x$bproc_python_finds" = xno], [
        AC_MSG_WARN([$PYTHON does not look for packages in $pythondir: programs in Python need PYTHONPATH=$pythondir])
    ])
])
