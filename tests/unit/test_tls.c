/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "tests/unit/tls_pair.h"

static void test_authority(void)
{
    char text[300];
    uint8_t hash[32];
    struct stat st;

    is_int(tls_ca_init(path_of("one", ""), text, sizeof(text)), 0, "an authority is made");
    is_int(tls_ca_init(path_of("one", ""), text, sizeof(text)), -EEXIST, "but once");
    is_int(tls_ca_init(path_of("two", ""), text, sizeof(text)), 0, "another cluster's");
    ok(stat(path_of("one", "ca/key.pem"), &st) == 0 && (st.st_mode & 0777) == 0600,
       "its key is for its owner alone");
    is_int(tls_file_ca_hash(path_of("one", "ca/cert.pem"), hash), 0, "its hash");
    is_int(tls_file_ca_hash(path_of("one", "ca/none.pem"), hash), -ENOENT, "no file, no hash");
}

static void test_join(void)
{
    struct tls_authority *authority;
    char text[300], *cert;
    uint8_t hash[32];
    struct end server, client;

    is_int(node_join("one", "n3", 3, 3), 0, "node 3 joins");
    is_int(node_join("one", "n4", 5, 4), -EACCES, "a certificate for another number is refused");
    is_int(access(path_of("one", "n4/key.pem"), F_OK), -1, "and nothing is put in place");
    is_int(node_join("two", "n3", 3, 3), 0, "node 3 of the other cluster joins that");
    authority = tls_authority_load(path_of("one", ""), text, sizeof(text));
    is_int(tls_sign(authority, "nonsense", 3, &cert, text, sizeof(text)), -EINVAL,
           "nonsense is not signed");
    tls_authority_free(authority);
    ok(tls_authority_load(path_of("none", ""), text, sizeof(text)) == NULL,
       "no authority where there is none");
    meet(&server, path_of("one", "tls"), TLS_VERIFY_OPTIONAL, &client, NULL);
    ok(server.ready && client.ready, "a machine without certificate gets in to join");
    is_int(server.node, TLS_NODE_NONE, "as nobody");
    tls_file_ca_hash(path_of("one", "ca/cert.pem"), hash);
    is_int(client.hash_result, 0, "it sees the authority");
    ok(memcmp(hash, client.hash, sizeof(hash)) == 0, "with the right hash");
    part(&client, &server);
}

static void test_impostor(void)
{
    struct end server, client;
    char command[900];

    /* A node shows its own certificate and the authority's, which everybody has. */
    snprintf(command, sizeof(command), "cd %s/one && cp -r n3 fake && "
             "cat ca/cert.pem >>fake/cert.pem", root);
    is_int(system(command), 0, "an impostor is made");
    meet(&server, path_of("one", "fake"), TLS_VERIFY_OPTIONAL, &client, NULL);
    is_int(client.hash_result, -EACCES, "a node cannot stand in for the master at a join");
    part(&client, &server);
}

static void test_meeting(void)
{
    struct end server, client;
    static char text[600000];
    pass_ret ret = { .body = { sizeof(text), text } };

    meet(&server, path_of("one", "tls"), TLS_VERIFY_OPTIONAL, &client, path_of("one", "n3"));
    ok(server.ready && client.ready, "master and node meet");
    is_int(server.node, 3, "the master sees node 3");
    is_int(client.node, TLS_NODE_MASTER, "the node sees the master");
    is_str(SSL_get_cipher_name(conn_ssl(client.conn)), "TLS_AES_128_GCM_SHA256",
           "they have agreed on the cipher with the least work");
    conn_send(client.conn, K_CALL, P_PING, 1, 0, NULL, NULL, NULL, 0);
    for (int i = 0; i < 8; i++)
        conn_send(client.conn, K_EVENT, P_PASS, 0, 0, FRAME_XDR(pass_ret), &ret, NULL, 0);
    for (int i = 0; i < 1000 && (server.messages < 9 || client.messages < 1); i++)
        loop_run(10);
    is_int(server.messages, 9, "messages pass");
    ok(server.bytes >= 8 * sizeof(text), "large ones, too");
    is_int(client.messages, 1, "and the answer");
    is_int(conn_send(client.conn, K_EVENT, P_PING, 0, 0, NULL, NULL, (int[]){ 0 }, 1), -EMSGSIZE,
           "descriptors do not travel between hosts");
    conn_close_after_send(server.conn);
    loop_run(50);
    ok(client.closes && server.closes, "both see the end");
    is_str(client.reason, "closed by the peer", "with its reason");
    part(&client, &server);
}

static void test_strangers(void)
{
    struct end server, client;

    meet(&server, path_of("one", "tls"), TLS_VERIFY_OPTIONAL, &client, path_of("two", "n3"));
    ok(!server.ready && server.closes, "a foreign certificate is refused");
    ok(client.closes, "the foreigner refuses, too");
    diag("server: %s; client: %s", server.reason, client.reason);
    part(&client, &server);
    meet(&server, path_of("one", "tls"), TLS_VERIFY_PEER, &client, NULL);
    ok(!server.ready && server.closes, "no certificate where one is needed");
    part(&client, &server);
}

static void test_garbage(void)
{
    struct end server = { 0 };
    char text[200], noise[500];
    int pair[2];
    SSL_CTX *ctx = tls_context(path_of("one", "tls"), 1, TLS_VERIFY_PEER, text, sizeof(text));

    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)(i * 37);
    if (!ctx || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        exit(1);
    server.conn = conn_new_tls(base, pair[0], ctx, 1, 1, &end_ops, &server);
    (void)!write(pair[1], noise, sizeof(noise));
    loop_run(20);
    is_int(server.closes, 1, "garbage ends the handshake");
    close(pair[1]);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        exit(1);
    memset(&server, 0, sizeof(server));
    server.conn = conn_new_tls(base, pair[0], ctx, 1, 1, &end_ops, &server);
    loop_run(1100);
    is_int(server.closes, 1, "silence does, too");
    is_str(server.reason, "no handshake in time", "when its time is over");
    close(pair[1]);
    SSL_CTX_free(ctx);
}

static void test_keys(void)
{
    char text[200];
    SSL_CTX *ctx;

    chmod(path_of("one", "n3/key.pem"), 0644);
    ctx = tls_context(path_of("one", "n3"), 0, TLS_VERIFY_PEER, text, sizeof(text));
    ok(ctx == NULL, "a key that others can read is not used");
    ok(strstr(text, "mode 0600") != NULL, "the reason says why");
    ctx = tls_context(path_of("one", "nowhere"), 0, TLS_VERIFY_PEER, text, sizeof(text));
    ok(ctx == NULL && strstr(text, "No such file"), "a key that is not there");
}

/* ---- a cipher with the trait that is preferred: it fails ---- */

static void *trait_new(void *provider)
{
    (void)provider;
    return NULL;
}

static void trait_free(void *context)
{
    (void)context;
}

static int trait_cipher(void *context, unsigned char *out, size_t *done, size_t room,
                        const unsigned char *in, size_t len)
{
    (void)context, (void)out, (void)done, (void)room, (void)in, (void)len;
    return 0;
}

static int trait_get(OSSL_PARAM params[])
{
    OSSL_PARAM *key = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_KEYLEN);
    OSSL_PARAM *iv = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_IVLEN);
    OSSL_PARAM *block = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_BLOCK_SIZE);

    return (!key || OSSL_PARAM_set_size_t(key, 16)) && (!iv || OSSL_PARAM_set_size_t(iv, 12)) &&
           (!block || OSSL_PARAM_set_size_t(block, 1));
}

static const OSSL_ALGORITHM *trait_query(void *provider, int operation, int *no_store)
{
    static const OSSL_DISPATCH calls[] = {
        { OSSL_FUNC_CIPHER_NEWCTX, (void (*)(void))trait_new },
        { OSSL_FUNC_CIPHER_FREECTX, (void (*)(void))trait_free },
        { OSSL_FUNC_CIPHER_CIPHER, (void (*)(void))trait_cipher },
        { OSSL_FUNC_CIPHER_GET_PARAMS, (void (*)(void))trait_get }, { 0, NULL }
    };
    static const OSSL_ALGORITHM ciphers[] = {
        { "AES-128-GCM:id-aes128-GCM", "provider=trait," TLS_TRAIT, calls, NULL },
        { NULL, NULL, NULL, NULL }
    };

    (void)provider;
    *no_store = 0;
    return operation == OSSL_OP_CIPHER ? ciphers : NULL;
}

static int trait_begin(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                       const OSSL_DISPATCH **calls, void **provider)
{
    static const OSSL_DISPATCH provides[] = {
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))trait_query }, { 0, NULL }
    };

    (void)handle, (void)core;
    *calls = provides;
    *provider = &root;
    return 1;
}

static bool trait_is_preferred(void)
{
    struct end server, client;

    base = event_base_new();
    if (!OSSL_PROVIDER_add_builtin(NULL, "trait", trait_begin) ||
        !OSSL_PROVIDER_try_load(NULL, "trait", 1))
        return false;
    meet(&server, path_of("one", "tls"), TLS_VERIFY_PEER, &client, path_of("one", "n3"));
    return !server.ready && !client.ready;
}

/* In a process of its own, as OpenSSL never frees a cipher that has failed it. */
static void test_preference(void)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(trait_is_preferred() ? 0 : 1);
    ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
       "a cipher with our trait is preferred");
}

int main(void)
{
    char command[80];

    signal(SIGPIPE, SIG_IGN);
    base = event_base_new();
    if (!mkdtemp(root))
        return 1;
    test_authority();
    test_join();
    test_impostor();
    test_meeting();
    test_strangers();
    test_garbage();
    test_preference();
    test_keys();
    event_base_free(base);
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command) != 0 || done_testing();
}
