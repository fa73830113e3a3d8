/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hostname.h"
#include "common/tls.h"
#include "libbproc/client.h"
#include "tools/bpctl_cluster.h"
#include "tools/tool.h"

#define ANY_NODE (-1)
#define DEFAULT_TTL (24 * 3600)

static void hash_format(const uint8_t hash[BPROC_HASH_LEN], char text[2 * BPROC_HASH_LEN + 1])
{
    for (int i = 0; i < BPROC_HASH_LEN; i++)
        sprintf(text + 2 * i, "%02x", hash[i]);
}

/* argv[1] must be `verb`; the options behind it are then read under the tool's own name. */
static void verb_check(int argc, char **argv, const char *verb)
{
    if (argc < 2)
        errx(1, "'%s' needs a verb: '%s %s'", argv[0], argv[0], verb);
    if (strcmp(argv[1], verb) != 0)
        errx(1, "'%s' is no verb of '%s'; '%s' is", argv[1], argv[0], verb);
    argv[1] = program_invocation_short_name;
}

static void rest_check(int argc, char **argv)
{
    if (optind < argc)
        errx(1, "'%s' is one argument too many", argv[optind]);
}

int cluster_ca(int argc, char **argv)
{
    static const struct option options[] = { { "state", required_argument, NULL, 's' }, { 0 } };
    const char *state = BPROC_STATE_DIR;
    char text[1024] = "", path[PATH_MAX], hex[2 * BPROC_HASH_LEN + 1];
    uint8_t hash[BPROC_HASH_LEN];
    int option, error;

    verb_check(argc--, argv++, "init");
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (option != 's')
            exit(1);
        state = optarg;
    }
    rest_check(argc, argv);
    error = tls_ca_init(state, text, sizeof(text));
    if (error == -EEXIST)
        errx(1, "cannot make a certificate authority: there is one in %s", state);
    if (error)
        errx(1, "cannot make a certificate authority in %s: %s", state,
             *text ? text : strerror(-error));
    snprintf(path, sizeof(path), "%s/tls/ca.pem", state);
    error = tls_file_ca_hash(path, hash);
    if (error)
        errx(1, "cannot read %s: %s", path, strerror(-error));
    hash_format(hash, hex);
    printf("certificate authority made in %s, sha256:%s\n", state, hex);
    tool_flush(1);
    return 0;
}

static int node_read(const char *text)
{
    char *end;
    long node;

    errno = 0;
    node = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || node >= BPROC_MAX_NODES)
        errx(1, "'%s' is no node number", text);
    return (int)node;
}

static const char *host_read(const char *text)
{
    if (!hostname_good(text))
        errx(1, "'%s' is no host name or address", text);
    return text;
}

/* Seconds of "90", "90s", "15m", "24h" or "7d". */
static unsigned time_read(const char *text)
{
    static const struct { char unit; unsigned seconds; } units[] = {
        { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }
    };
    char *end;
    unsigned long number, factor = *text ? 1 : 0;

    errno = 0;
    number = strtoul(text, &end, 10);
    if (*end != '\0') {
        factor = 0;
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
            if (end[0] == units[i].unit && end[1] == '\0')
                factor = units[i].seconds;
    }
    if (*text < '0' || *text > '9' || errno || number == 0 || factor == 0 ||
        number > UINT_MAX / factor)
        errx(1, "'%s' is no time; 90s, 15m, 24h or 7d are", text);
    return (unsigned)(number * factor);
}

static void token_fetch(const token_arg *arg, token_ret *ret)
{
    char text[BPROC_MAX_TEXT + 1] = "";
    int fd = client_open();
    int error = fd < 0 ? fd : msg_call(fd, P_TOKEN_CREATE, FRAME_XDR(token_arg), arg, NULL, 0,
                                       FRAME_XDR(token_ret), ret, sizeof(*ret), text, sizeof(text));

    client_close(fd);
    if (error)
        errx(1, "cannot create a token: %s", *text ? text : tool_reason(-client_error(error)));
}

static void token_print(const token_ret *ret, const char *host)
{
    char hex[2 * BPROC_HASH_LEN + 1];

    hash_format((const uint8_t *)ret->ca_hash, hex);
    printf("slaved --join %s:%u --token %s --ca-hash sha256:%s\n", host ? host : ret->host,
           ret->port, ret->token, hex);
    tool_flush(1);
}

int cluster_token(int argc, char **argv)
{
    static const struct option options[] = {
        { "node", required_argument, NULL, 'n' }, { "ttl", required_argument, NULL, 't' },
        { "host", required_argument, NULL, 'h' }, { 0 }
    };
    token_arg arg = { .node = ANY_NODE, .ttl_seconds = DEFAULT_TTL };
    const char *host = NULL;
    token_ret ret;
    int option;

    verb_check(argc--, argv++, "create");
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (option) {
        case 'n': arg.node = node_read(optarg); break;
        case 't': arg.ttl_seconds = time_read(optarg); break;
        case 'h': host = host_read(optarg); break;
        default: exit(1);
        }
    }
    rest_check(argc, argv);
    token_fetch(&arg, &ret);
    token_print(&ret, host);
    frame_free(FRAME_XDR(token_ret), &ret, sizeof(ret));
    return 0;
}
