# SPDX-License-Identifier: GPL-2.0-or-later

# BPROC_TRY_FLAG(VARIABLE, FLAG)
#
# Adds FLAG to VARIABLE if a program compiles and links with it and nothing is said about it.
AC_DEFUN([BPROC_TRY_FLAG], [
    AC_MSG_CHECKING([whether $CC accepts $2])
    bproc_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>
    #include <unistd.h>]], [[char b[8]; memset(b, 0, sizeof(b)); return (int) read(0, b, 1);]])],
        [AC_MSG_RESULT([yes]); $1="$$1 $2"],
        [AC_MSG_RESULT([no])])
    CFLAGS=$bproc_saved_CFLAGS
])

# BPROC_REQUIRE_FLAG(VARIABLE, FLAG, OPTION)
AC_DEFUN([BPROC_REQUIRE_FLAG], [
    bproc_before=$$1
    BPROC_TRY_FLAG([$1], [$2])
    AS_IF([test "x$$1" = "x$bproc_before"],
        [AC_MSG_ERROR([$CC cannot do $2, which $3 needs])])
])

# BPROC_FLAGS
#
# Sets WARNING_CFLAGS, HARDENING_CPPFLAGS, HARDENING_CFLAGS, HARDENING_LDFLAGS (for all that is
# linked), PIE_LDFLAGS (for programs), STATIC_PIE_LDFLAGS (in its place, for one without shared
# libraries where that can be), INSTRUMENT_CFLAGS and FUZZER_LDFLAGS.
AC_DEFUN([BPROC_FLAGS], [
    m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
        -Wold-style-definition -Wformat=2 -Wvla -Wpointer-arith -Wwrite-strings -Wundef
        -Wimplicit-fallthrough],
        [BPROC_TRY_FLAG([WARNING_CFLAGS], flag)
        ])

    AS_IF([test "x$enable_hardening" != xno], [
        m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection -fPIE],
            [BPROC_TRY_FLAG([HARDENING_CFLAGS], flag)
            ])
        BPROC_TRY_FLAG([HARDENING_LDFLAGS], [-Wl,-z,relro])
        BPROC_TRY_FLAG([HARDENING_LDFLAGS], [-Wl,-z,now])
        bproc_plain_CFLAGS=$CFLAGS
        CFLAGS="$CFLAGS -fPIE"
        BPROC_TRY_FLAG([PIE_LDFLAGS], [-pie])
        dnl Sanitizers want their libc to be shared.
        AS_IF([test "x$enable_sanitizer$enable_fuzzing" = xnono],
            [BPROC_TRY_FLAG([STATIC_PIE_LDFLAGS], [-static-pie])])
        AS_IF([test -z "$STATIC_PIE_LDFLAGS"], [STATIC_PIE_LDFLAGS=$PIE_LDFLAGS])
        CFLAGS=$bproc_plain_CFLAGS
        dnl The sanitizers' own checks replace the fortified functions, and would miss what those hide.
        AS_IF([test "x$enable_sanitizer" = xno && test "x$enable_fuzzing" = xno],
            [BPROC_TRY_FLAG([HARDENING_CPPFLAGS], [-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2])])
    ])

    AS_IF([test "x$enable_sanitizer" != xno], [
        BPROC_REQUIRE_FLAG([INSTRUMENT_CFLAGS], [-fsanitize=$enable_sanitizer], [--enable-sanitizer])
        INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS -fno-omit-frame-pointer -fno-sanitize-recover=all"
    ])
    AS_IF([test "x$enable_fuzzing" = xyes], [
        BPROC_REQUIRE_FLAG([INSTRUMENT_CFLAGS], [-fsanitize=fuzzer-no-link], [--enable-fuzzing])
        FUZZER_LDFLAGS=-fsanitize=fuzzer
    ])
    AS_IF([test "x$enable_code_coverage" = xyes],
        [BPROC_REQUIRE_FLAG([INSTRUMENT_CFLAGS], [--coverage], [--enable-code-coverage])])

    dnl Only at the end: a test program may be sloppy, the code may not.
    AS_IF([test "x$enable_werror" = xyes], [WARNING_CFLAGS="$WARNING_CFLAGS -Werror"])

    AC_SUBST([WARNING_CFLAGS])
    AC_SUBST([HARDENING_CPPFLAGS])
    AC_SUBST([HARDENING_CFLAGS])
    AC_SUBST([HARDENING_LDFLAGS])
    AC_SUBST([PIE_LDFLAGS])
    AC_SUBST([STATIC_PIE_LDFLAGS])
    AC_SUBST([INSTRUMENT_CFLAGS])
    AC_SUBST([FUZZER_LDFLAGS])
])
