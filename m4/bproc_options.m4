# SPDX-License-Identifier: GPL-2.0-or-later

# BPROC_OPTIONS
#
# Ways of building for those who work on the code. Each sets enable_NAME, which BPROC_FLAGS reads.
AC_DEFUN([BPROC_OPTIONS], [
    AC_ARG_ENABLE([werror],
        [AS_HELP_STRING([--enable-werror], [treat warnings as errors])],
        [], [enable_werror=no])
    AC_ARG_ENABLE([sanitizer],
        [AS_HELP_STRING([--enable-sanitizer=LIST],
            [build with these sanitizers, for example address,undefined])],
        [], [enable_sanitizer=no])
    AS_IF([test "x$enable_sanitizer" = xyes], [enable_sanitizer=address,undefined])
    AC_ARG_ENABLE([fuzzing],
        [AS_HELP_STRING([--enable-fuzzing], [build the libFuzzer targets (needs clang)])],
        [], [enable_fuzzing=no])
    AC_ARG_ENABLE([code-coverage],
        [AS_HELP_STRING([--enable-code-coverage], [build for gcov])],
        [], [enable_code_coverage=no])
    AC_ARG_ENABLE([hardening],
        [AS_HELP_STRING([--disable-hardening], [leave out the hardening flags])],
        [], [enable_hardening=yes])
    AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
    AM_CONDITIONAL([SANITIZER], [test "x$enable_sanitizer" != xno])
    AM_CONDITIONAL([BARE], [test "x$enable_sanitizer$enable_code_coverage" = xnono &&
                            test "x$host_cpu" = xx86_64])
])
