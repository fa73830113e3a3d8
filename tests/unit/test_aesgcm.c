/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our AES-GCM says what OpenSSL's own says, and refuses what that refuses. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "common/tls.h"
#include "migrate/aesgcm.h"
#include "tests/unit/tap.h"

#define MOST 20000
#define AHEAD 5                         /* what is in front of a record of TLS */

static const uint8_t key[32] = "a key that is as long as it must", iv[12] = "twelve bytes";
static uint8_t plain[MOST];

struct sealed {
    uint8_t bytes[MOST], tag[16];
};

static int ends_open(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, int encrypts)
{
    int n;

    /* As libssl does it: the key by itself, then an IV for each record. */
    return EVP_CipherInit_ex(ctx, cipher, NULL, NULL, NULL, encrypts) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, sizeof(iv), NULL) == 1 &&
           EVP_CipherInit_ex(ctx, NULL, NULL, key, NULL, -1) == 1 &&
           EVP_CipherInit_ex(ctx, NULL, NULL, NULL, iv, encrypts) == 1 &&
           EVP_CipherUpdate(ctx, NULL, &n, plain, AHEAD) == 1;
}

/* In two parts if `cut` is not 0. */
static int seal(const EVP_CIPHER *cipher, size_t len, size_t cut, struct sealed *to)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, more = 0, end = 0;
    int good = ends_open(ctx, cipher, 1) &&
               (cut == 0 || EVP_CipherUpdate(ctx, to->bytes, &n, plain, (int)cut) == 1) &&
               EVP_CipherUpdate(ctx, to->bytes + n, &more, plain + n, (int)(len - cut)) == 1 &&
               EVP_CipherFinal_ex(ctx, to->bytes + n + more, &end) == 1 &&
               EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, sizeof(to->tag), to->tag) == 1;

    EVP_CIPHER_CTX_free(ctx);
    return good && (size_t)(n + more + end) == len;
}

/* In place, as records are opened. */
static int unseal(const EVP_CIPHER *cipher, size_t len, struct sealed *from)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, end = 0;
    int good = ends_open(ctx, cipher, 0) &&
               EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(from->tag), from->tag) == 1 &&
               EVP_CipherUpdate(ctx, from->bytes, &n, from->bytes, (int)len) == 1 &&
               EVP_CipherFinal_ex(ctx, from->bytes + n, &end) == 1;

    EVP_CIPHER_CTX_free(ctx);
    return good && (size_t)(n + end) == len && memcmp(from->bytes, plain, len) == 0;
}

static void test_length(const EVP_CIPHER *ours, const EVP_CIPHER *other, size_t len)
{
    struct sealed a = { .tag = { 0 } }, b = { .tag = { 0 } };

    ok(seal(ours, len, 0, &a) && seal(other, len, 0, &b) && memcmp(&a, &b, sizeof(a)) == 0,
       "%zu bytes are sealed alike", len);
    ok(unseal(ours, len, &b) && unseal(other, len, &a), "%zu bytes are opened by either", len);
}

static void test_parts(const EVP_CIPHER *ours, const EVP_CIPHER *other)
{
    struct sealed a = { .tag = { 0 } }, b = { .tag = { 0 } };

    ok(seal(ours, 1000, 333, &a) && seal(other, 1000, 0, &b) && memcmp(&a, &b, sizeof(a)) == 0,
       "parts are sealed like the whole");
}

static void test_refusals(const EVP_CIPHER *ours)
{
    struct sealed a = { .tag = { 0 } }, b;

    seal(ours, 1000, 0, &a);
    b = a;
    b.bytes[999] ^= 1;
    ok(!unseal(ours, 1000, &b), "a bit of the bytes counts");
    b = a;
    b.tag[15] ^= 1;
    ok(!unseal(ours, 1000, &b), "a bit of the tag counts");
    ok(unseal(ours, 1000, &a), "what is whole is opened");
}

/* One IV for two messages would give both away. */
static void test_once(const EVP_CIPHER *ours)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t out[16];
    int n, good = ends_open(ctx, ours, 1) && EVP_CipherFinal_ex(ctx, out, &n) == 1;

    ok(good && EVP_CipherUpdate(ctx, out, &n, plain, 16) != 1, "an IV serves once");
    EVP_CIPHER_CTX_free(ctx);
}

static const char *provider_of(const EVP_CIPHER *cipher)
{
    return cipher ? OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(cipher)) : "none";
}

static void test_cipher(const char *name)
{
    static const size_t lengths[] = { 1, 15, 16, 17, 255, 4096, 16384, 16401, MOST };
    EVP_CIPHER *ours = EVP_CIPHER_fetch(NULL, name, TLS_PREFERENCE);
    EVP_CIPHER *other = EVP_CIPHER_fetch(NULL, name, NULL);

    is_str(provider_of(ours), "bproc", "%s is ours where it is preferred", name);
    is_str(provider_of(other), "default", "%s is OpenSSL's elsewhere", name);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        test_length(ours, other, lengths[i]);
    test_parts(ours, other);
    test_refusals(ours);
    test_once(ours);
    EVP_CIPHER_free(ours);
    EVP_CIPHER_free(other);
}

/* As by default_properties in openssl.cnf; NULL: nothing is demanded. */
static void test_demand(const char *properties, const char *digest, const char *cipher)
{
    EVP_CIPHER *preferred;
    EVP_MD *md;

    EVP_set_default_properties(NULL, properties);
    md = EVP_MD_fetch(NULL, "SHA256", NULL);
    preferred = EVP_CIPHER_fetch(NULL, "AES-128-GCM", TLS_PREFERENCE);
    is_str(md ? OSSL_PROVIDER_get0_name(EVP_MD_get0_provider(md)) : "none", digest,
           "a digest where the machine demands %s", properties);
    is_str(provider_of(preferred), cipher, "a cipher where the machine demands %s", properties);
    EVP_MD_free(md);
    EVP_CIPHER_free(preferred);
}

/* Whether this is a machine for it, which is not to be asked of what is tested here. */
static int is_due(void)
{
#ifdef __x86_64__
    return OpenSSL_version_num() < 0x30100000UL && __builtin_cpu_supports("avx512ifma") &&
           __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("gfni");
#else
    return 0;
#endif
}

int main(void)
{
    int error;

    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)(i * 31 + i / 251);
    error = aesgcm_provide();
    if (error == -ENOTSUP && !is_due())
        skip_all("OpenSSL's own is as good here");
    is_int(error, 0, "it is there");
    test_cipher("AES-128-GCM");
    test_cipher("id-aes256-GCM");
    test_demand("", "default", "bproc");
    test_demand("provider=base", "none", "none");
    test_demand("fips=yes", "none", "none");
    return done_testing();
}
