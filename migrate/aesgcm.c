/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#define NO_COMPAT_IMB_API_053           /* names that are also OpenSSL's */
#include <errno.h>
#include <intel-ipsec-mb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "common/tls.h"
#include "migrate/aesgcm.h"

#define NAME "bproc"
#define IV_BYTES 12U                    /* the only length that TLS has */
#define TAG_BYTES 16U
#define TRAITS "provider=" NAME "," TLS_TRAIT
#define WIDE IMB_CPUFLAGS_AVX512_T2     /* with less it gains nothing */
#define OPENSSL_WIDE 0x30100000UL       /* the first that has them itself */

/* The calls for one length of key, in the form that is best here. */
struct aesgcm_calls {
    size_t key_bytes;
    aes_gcm_pre_t expand;
    aes_gcm_init_t begin;
    aes_gcm_enc_dec_update_t encrypt, decrypt;
    aes_gcm_enc_dec_finalize_t encrypt_end, decrypt_end;
};

/* What happens to one message. */
enum step { STEP_NONE, STEP_IV, STEP_DATA };

struct aesgcm {
    struct gcm_key_data key;
    struct gcm_context_data state;
    const struct aesgcm_calls *calls;
    int encrypts, has_key;
    enum step step;
    uint8_t iv[IV_BYTES];
    uint8_t tag[TAG_BYTES];
    size_t tag_bytes;                   /* that are known; 0: none */
};

static struct aesgcm_calls calls128, calls256;

/* ---- one context ---- */

static void *context_new(const struct aesgcm_calls *calls)
{
    size_t size = (sizeof(struct aesgcm) + 63) / 64 * 64;
    struct aesgcm *gcm = aligned_alloc(64, size);

    if (gcm) {
        memset(gcm, 0, size);
        gcm->calls = calls;
    }
    return gcm;
}

static void *context_new128(void *provider)
{
    (void)provider;
    return context_new(&calls128);
}

static void *context_new256(void *provider)
{
    (void)provider;
    return context_new(&calls256);
}

static void context_free(void *context)
{
    if (context)
        OPENSSL_cleanse(context, sizeof(struct aesgcm));
    free(context);
}

static int context_set(void *context, const OSSL_PARAM params[])
{
    struct aesgcm *gcm = context;
    const OSSL_PARAM *tag = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_AEAD_TAG);
    const OSSL_PARAM *iv = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_IVLEN);
    size_t iv_bytes = IV_BYTES;

    if (iv && (!OSSL_PARAM_get_size_t(iv, &iv_bytes) || iv_bytes != IV_BYTES))
        return 0;
    if (!tag)
        return 1;
    if (tag->data_type != OSSL_PARAM_OCTET_STRING || tag->data_size != TAG_BYTES)
        return 0;
    /* Without the tag itself this says how long it is to be. */
    if (!tag->data)
        return 1;
    if (gcm->encrypts)
        return 0;
    memcpy(gcm->tag, tag->data, TAG_BYTES);
    gcm->tag_bytes = TAG_BYTES;
    return 1;
}

static int size_tell(OSSL_PARAM params[], const char *name, size_t size)
{
    OSSL_PARAM *param = OSSL_PARAM_locate(params, name);

    return !param || OSSL_PARAM_set_size_t(param, size);
}

static int context_get(void *context, OSSL_PARAM params[])
{
    struct aesgcm *gcm = context;
    OSSL_PARAM *tag = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_AEAD_TAG);

    if (tag && (!gcm->encrypts || gcm->tag_bytes == 0 || tag->data_size > gcm->tag_bytes ||
                !OSSL_PARAM_set_octet_string(tag, gcm->tag, tag->data_size)))
        return 0;
    return size_tell(params, OSSL_CIPHER_PARAM_KEYLEN, gcm->calls->key_bytes) &&
           size_tell(params, OSSL_CIPHER_PARAM_IVLEN, IV_BYTES) &&
           size_tell(params, OSSL_CIPHER_PARAM_AEAD_TAGLEN, TAG_BYTES);
}

static const OSSL_PARAM *context_settable(void *context, void *provider)
{
    static const OSSL_PARAM known[] = {
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, NULL),
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, NULL, 0), OSSL_PARAM_END
    };

    (void)context, (void)provider;
    return known;
}

static const OSSL_PARAM *context_gettable(void *context, void *provider)
{
    static const OSSL_PARAM known[] = {
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, NULL),
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, NULL),
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_AEAD_TAGLEN, NULL),
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, NULL, 0), OSSL_PARAM_END
    };

    (void)context, (void)provider;
    return known;
}

/* ---- one message ---- */

static int message_begin(struct aesgcm *gcm, const uint8_t *key, size_t key_bytes,
                         const uint8_t *iv, size_t iv_bytes, const OSSL_PARAM params[])
{
    if ((key && key_bytes != gcm->calls->key_bytes) || (iv && iv_bytes != IV_BYTES))
        return 0;
    if (key) {
        gcm->calls->expand(key, &gcm->key);
        gcm->has_key = 1;
        gcm->step = STEP_NONE;
    }
    if (iv) {
        memcpy(gcm->iv, iv, IV_BYTES);
        gcm->step = STEP_IV;
        gcm->tag_bytes = 0;
    }
    return context_set(gcm, params);
}

static int message_encrypt(void *context, const unsigned char *key, size_t key_bytes,
                           const unsigned char *iv, size_t iv_bytes, const OSSL_PARAM params[])
{
    struct aesgcm *gcm = context;

    gcm->encrypts = 1;
    return message_begin(gcm, key, key_bytes, iv, iv_bytes, params);
}

static int message_decrypt(void *context, const unsigned char *key, size_t key_bytes,
                           const unsigned char *iv, size_t iv_bytes, const OSSL_PARAM params[])
{
    struct aesgcm *gcm = context;

    gcm->encrypts = 0;
    return message_begin(gcm, key, key_bytes, iv, iv_bytes, params);
}

/* What is only authenticated comes in one piece, before the rest: `out` is NULL. */
static int message_update(void *context, unsigned char *out, size_t *done, size_t room,
                          const unsigned char *in, size_t len)
{
    struct aesgcm *gcm = context;
    int first = gcm->step == STEP_IV;

    *done = 0;
    if (!gcm->has_key || gcm->step == STEP_NONE || (!out && !first) || (out && room < len))
        return 0;
    if (first)
        gcm->calls->begin(&gcm->key, &gcm->state, gcm->iv, in, out ? 0 : len);
    gcm->step = STEP_DATA;
    *done = len;
    if (out)
        (gcm->encrypts ? gcm->calls->encrypt : gcm->calls->decrypt)(&gcm->key, &gcm->state, out, in,
                                                                    len);
    return 1;
}

/* An IV serves once, so there is none from here on. */
static int message_end(void *context, unsigned char *out, size_t *done, size_t room)
{
    struct aesgcm *gcm = context;
    uint8_t tag[TAG_BYTES];
    int begun = gcm->step == STEP_DATA, good;

    (void)out, (void)room;
    *done = 0;
    gcm->step = STEP_NONE;
    if (!begun || (!gcm->encrypts && gcm->tag_bytes == 0))
        return 0;
    if (gcm->encrypts) {
        gcm->calls->encrypt_end(&gcm->key, &gcm->state, gcm->tag, TAG_BYTES);
        gcm->tag_bytes = TAG_BYTES;
        return 1;
    }
    gcm->calls->decrypt_end(&gcm->key, &gcm->state, tag, TAG_BYTES);
    good = CRYPTO_memcmp(tag, gcm->tag, TAG_BYTES) == 0;
    OPENSSL_cleanse(tag, sizeof(tag));
    gcm->tag_bytes = 0;
    return good;
}

/* ---- what OpenSSL is told ---- */

static int kind_get(OSSL_PARAM params[], size_t key_bytes)
{
    OSSL_PARAM *mode = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_MODE);
    OSSL_PARAM *aead = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_AEAD);
    OSSL_PARAM *custom = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_CUSTOM_IV);

    return (!mode || OSSL_PARAM_set_uint(mode, EVP_CIPH_GCM_MODE)) &&
           (!aead || OSSL_PARAM_set_int(aead, 1)) && (!custom || OSSL_PARAM_set_int(custom, 1)) &&
           size_tell(params, OSSL_CIPHER_PARAM_KEYLEN, key_bytes) &&
           size_tell(params, OSSL_CIPHER_PARAM_IVLEN, IV_BYTES) &&
           size_tell(params, OSSL_CIPHER_PARAM_BLOCK_SIZE, 1);
}

static int kind_get128(OSSL_PARAM params[])
{
    return kind_get(params, calls128.key_bytes);
}

static int kind_get256(OSSL_PARAM params[])
{
    return kind_get(params, calls256.key_bytes);
}

#define ENTRY(number, call) { OSSL_FUNC_CIPHER_##number, (void (*)(void))(call) }
#define CIPHER(bits)                                                                               \
    { ENTRY(NEWCTX, context_new##bits), ENTRY(FREECTX, context_free),                              \
      ENTRY(ENCRYPT_INIT, message_encrypt), ENTRY(DECRYPT_INIT, message_decrypt),                  \
      ENTRY(UPDATE, message_update), ENTRY(FINAL, message_end),                                    \
      ENTRY(GET_PARAMS, kind_get##bits), ENTRY(GET_CTX_PARAMS, context_get),                       \
      ENTRY(SET_CTX_PARAMS, context_set), ENTRY(GETTABLE_CTX_PARAMS, context_gettable),            \
      ENTRY(SETTABLE_CTX_PARAMS, context_settable), { 0, NULL } }

static const OSSL_ALGORITHM *provider_query(void *provider, int operation, int *no_store)
{
    static const OSSL_DISPATCH cipher128[] = CIPHER(128), cipher256[] = CIPHER(256);
    static const OSSL_ALGORITHM ciphers[] = {
        { "AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6", TRAITS, cipher128, NULL },
        { "AES-256-GCM:id-aes256-GCM:2.16.840.1.101.3.4.1.46", TRAITS, cipher256, NULL },
        { NULL, NULL, NULL, NULL }
    };

    (void)provider;
    *no_store = 0;
    return operation == OSSL_OP_CIPHER ? ciphers : NULL;
}

static int provider_begin(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                          const OSSL_DISPATCH **calls, void **provider)
{
    static const OSSL_DISPATCH provides[] = {
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))provider_query }, { 0, NULL }
    };

    (void)handle, (void)core;
    *calls = provides;
    /* There is nothing to keep, but NULL would be a failure. */
    *provider = &calls128;
    return 1;
}

/* The manager itself is large, and of no use for these. */
static int calls_find(void)
{
    IMB_MGR *all = alloc_mb_mgr(0);
    int wide;

    if (!all)
        return -ENOMEM;
    init_mb_mgr_auto(all, NULL);
    wide = imb_get_errno(all) == 0 && (all->features & WIDE) == WIDE;
    calls128 = (struct aesgcm_calls){
        16, all->gcm128_pre, all->gcm128_init, all->gcm128_enc_update, all->gcm128_dec_update,
        all->gcm128_enc_finalize, all->gcm128_dec_finalize
    };
    calls256 = (struct aesgcm_calls){
        32, all->gcm256_pre, all->gcm256_init, all->gcm256_enc_update, all->gcm256_dec_update,
        all->gcm256_enc_finalize, all->gcm256_dec_finalize
    };
    free_mb_mgr(all);
    return wide ? 0 : -ENOTSUP;
}

int aesgcm_provide(void)
{
    static OSSL_PROVIDER *ours;     /* for as long as this process is there */
    int error;

    if (ours)
        return 0;
    if (OpenSSL_version_num() >= OPENSSL_WIDE)
        return -ENOTSUP;
    error = calls_find();
    if (error)
        return error;
    /* Who asks for no trait gets what was found first; and OpenSSL's own providers stay. */
    EVP_CIPHER_free(EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL));
    if (OSSL_PROVIDER_add_builtin(NULL, NAME, provider_begin))
        ours = OSSL_PROVIDER_try_load(NULL, NAME, 1);
    return ours ? 0 : -ENOMEM;
}
