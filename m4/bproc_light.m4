# SPDX-License-Identifier: GPL-2.0-or-later

# BPROC_LIGHT
#
# How a program is linked that is over in milliseconds: LIGHT_CPPFLAGS, LIGHT_CFLAGS, LIGHT_LDFLAGS
# (before the objects) and LIGHT_LIBS (after them). With musl, which sets MUSL for make, or static.
#
# glibc asks the processor some eighty times what it is before main(), and in a virtual machine each
# answer is the host's: up to half a millisecond. What is taken of libtirpc, which was built with
# glibc, is XDR alone: that wants memory and strings, and nothing in which the two differ. Sanitizers
# are glibc's. No program that looks up users or hosts by name can be linked so: musl asks no NSS.
AC_DEFUN([BPROC_LIGHT], [
    AC_ARG_WITH([musl],
        [AS_HELP_STRING([--without-musl], [link bpsh with the system's libc])],
        [], [with_musl=check])
    AS_IF([test "x$enable_sanitizer$enable_fuzzing$enable_code_coverage" != xnonono], [
        AS_IF([test "x$with_musl" = xyes],
            [AC_MSG_ERROR([--with-musl excludes --enable-sanitizer, -fuzzing and -code-coverage])])
        with_musl=no
    ])
    bproc_triplet=`$CC -print-multiarch 2>/dev/null | $SED 's/-gnu/-musl/'`
    bproc_musl=/usr/lib/$bproc_triplet
    AS_IF([test "x$with_musl" != xno], [
        AC_MSG_CHECKING([whether $CC links with musl])
        LIGHT_CPPFLAGS="-isystem /usr/include/$bproc_triplet"
        dnl CMSG_NXTHDR compares a signed number with an unsigned one there.
        LIGHT_CFLAGS="-fPIE -Wno-sign-compare"
        LIGHT_LDFLAGS="-nostdlib -static-pie $bproc_musl/rcrt1.o $bproc_musl/crti.o"
        LIGHT_LIBS="$bproc_musl/libc.a -lgcc $bproc_musl/crtn.o"
        bproc_saved_CPPFLAGS=$CPPFLAGS bproc_saved_CFLAGS=$CFLAGS
        bproc_saved_LDFLAGS=$LDFLAGS bproc_saved_LIBS=$LIBS
        CPPFLAGS="$CPPFLAGS $LIGHT_CPPFLAGS $TIRPC_CFLAGS"
        CFLAGS="$CFLAGS $LIGHT_CFLAGS"
        LDFLAGS="$LDFLAGS $LIGHT_LDFLAGS"
        LIBS="-l:libtirpc.a $LIGHT_LIBS"
        AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <rpc/rpc.h>]],
            [[char bytes[99], *text = bytes, *data = bytes; XDR xdr; u_int value = 1;
              xdrmem_create(&xdr, bytes, sizeof(bytes), XDR_ENCODE);
              return !xdr_string(&xdr, &text, value) || !xdr_bytes(&xdr, &data, &value, value) ||
                     !xdr_array(&xdr, &data, &value, value, value, (xdrproc_t)xdr_u_int) ||
                     !xdr_uint64_t(&xdr, 0) || !xdr_opaque(&xdr, data, value) ||
                     xdr_sizeof((xdrproc_t)xdr_u_int, &value) == 0;]])],
            [bproc_links=yes], [bproc_links=no])
        AC_MSG_RESULT([$bproc_links])
        AS_IF([test "x$with_musl$bproc_links" = xyesno],
            [AC_MSG_ERROR([cannot link with musl: see config.log; scripts/install-deps installs it])])
        with_musl=$bproc_links
        CPPFLAGS=$bproc_saved_CPPFLAGS CFLAGS=$bproc_saved_CFLAGS
        LDFLAGS=$bproc_saved_LDFLAGS LIBS=$bproc_saved_LIBS
    ])
    AS_IF([test "x$with_musl" = xno],
        [LIGHT_CPPFLAGS= LIGHT_CFLAGS=-pthread LIGHT_LDFLAGS=$STATIC_PIE_LDFLAGS LIGHT_LIBS=])
    AM_CONDITIONAL([MUSL], [test "x$with_musl" = xyes])
    AC_SUBST([LIGHT_CPPFLAGS])
    AC_SUBST([LIGHT_CFLAGS])
    AC_SUBST([LIGHT_LDFLAGS])
    AC_SUBST([LIGHT_LIBS])
])
