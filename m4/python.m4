# SPDX-License-Identifier: GPL-2.0-or-later

# BPROC_PYTHON_DIR
#
# Where Python looks for packages below our prefix. Debian's looks elsewhere than Python's own rules
# say, and Automake knows those only.
AC_DEFUN([BPROC_PYTHON_DIR], [
    AC_ARG_VAR([pythondir], [folder for the Python package])
    AS_IF([test "x$PYTHON" != x: && test "x$bproc_given_pythondir" = x], [
        bproc_prefix=$prefix
        test "x$bproc_prefix" != xNONE || bproc_prefix=$ac_default_prefix
        pythondir=`$PYTHON -c '
import sys, sysconfig
prefix = sys.argv[[1]].rstrip("/")
debian = {"/usr": "deb_system", "/usr/local": "posix_local"}.get(prefix)
scheme, base = "posix_prefix", prefix
if debian in sysconfig.get_scheme_names():
    scheme, base = debian, "/usr"
print(sysconfig.get_path("purelib", scheme, vars={"base": base, "platbase": base}))' "$bproc_prefix"`
        AC_MSG_NOTICE([the Python package goes to $pythondir])
    ])
])
