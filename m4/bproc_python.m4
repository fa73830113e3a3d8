# SPDX-License-Identifier: GPL-2.0-or-later

# BPROC_PYTHON
#
# Chooses a Python that will find our package below our prefix, and the folder. Debian's looks
# elsewhere than Python's own rules say, which are all that Automake knows, and one that a user has
# of his own looks at nothing outside. bproc_python_finds says whether it does.
AC_DEFUN([BPROC_PYTHON], [
    AC_ARG_VAR([pythondir], [folder for the Python package])
    bproc_prefix=$prefix
    test "x$bproc_prefix" != xNONE || bproc_prefix=$ac_default_prefix
    bproc_given_pythondir=$pythondir
    AS_IF([test "x$PYTHON" = x], [
        for bproc_python in python3 /usr/bin/python3; do
            AS_IF([_BPROC_PYTHON_DIR([$bproc_python]) >/dev/null 2>&1], [
                PYTHON=`command -v $bproc_python`
                break
            ])
        done
    ])
    AM_PATH_PYTHON([3.9], [], [PYTHON=:])
    bproc_python_finds=yes
    AS_IF([test "x$PYTHON" != x:], [
        pythondir=`_BPROC_PYTHON_DIR([$PYTHON])` || bproc_python_finds=no
        AC_MSG_NOTICE([the Python package goes to $pythondir])
    ])
    AC_SUBST([bproc_python_finds])
])

# _BPROC_PYTHON_DIR(PYTHON)
#
# A command: prints the folder for the package, fails unless PYTHON is new enough and looks there.
# A folder that does not exist yet is in no sys.path.
m4_define([_BPROC_PYTHON_DIR], [$1 -c '
import site, sys, sysconfig
prefix = sys.argv[[1]].rstrip("/")
debian = {"/usr": "deb_system", "/usr/local": "posix_local"}.get(prefix)
scheme, base = "posix_prefix", prefix
if debian in sysconfig.get_scheme_names():
    scheme, base = debian, "/usr"
own = sysconfig.get_path("purelib", scheme, vars={"base": base, "platbase": base})
folder = sys.argv[[2]] or own
print(folder)
found = folder in sys.path + site.getsitepackages()
sys.exit(not (found and sys.version_info >= (3, 9)))' "$bproc_prefix" "$bproc_given_pythondir"])
