/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hostname.h"
#include "common/log.h"
#include "slaved/options.h"

enum { OPT_STATE = 256, OPT_HOME, OPT_ROOT, OPT_JOIN, OPT_TOKEN, OPT_CA_HASH };

static const struct option long_options[] = {
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { "state", required_argument, NULL, OPT_STATE },
    { "home", no_argument, NULL, OPT_HOME },
    { "root", required_argument, NULL, OPT_ROOT },
    { "join", required_argument, NULL, OPT_JOIN },
    { "token", required_argument, NULL, OPT_TOKEN },
    { "ca-hash", required_argument, NULL, OPT_CA_HASH },
    { NULL, 0, NULL, 0 }
};

static void help_print(void)
{
    puts("usage: slaved [-dhrvV] [-c FILE] [-l FACILITY] [-s ADDRESS] [--state DIR] [--root DIR]\n"
         "              [--home] [--join HOST:PORT --token TOKEN --ca-hash sha256:HEX]\n"
         "              [MASTER [PORT]]\n"
         "\n"
         "Makes this machine a node of a BProc cluster.\n"
         "\n"
         "  -c FILE        configuration file\n"
         "  -d             stay in the foreground, log to standard error\n"
         "  -l FACILITY    log to syslog with this facility\n"
         "  -r             reconnect when the master is lost; it always does\n"
         "  -s ADDRESS     come from this address, and listen on it\n"
         "  -v             log more\n"
         "  --state DIR    keep keys and the master's address there\n"
         "  --home         be the master's own slave; masterd starts it\n"
         "  --root DIR     what the processes of this node see as /\n"
         "  --join HOST:PORT --token TOKEN --ca-hash sha256:HEX\n"
         "                 first ask that master for a certificate, as `bpctl token create` says\n"
         "  -h, --help     this text\n"
         "  -V, --version  the version");
}

__attribute__((noreturn))
static void hint_exit(void)
{
    fputs("slaved: --help tells the options\n", stderr);
    exit(1);
}

__attribute__((noreturn, format(printf, 1, 2)))
static void usage_error(const char *fmt, ...)
{
    va_list args;

    fputs("slaved: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    hint_exit();
}

static int port_read(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *text && !*end && port > 0 && port < 65536 ? (int)port : -EINVAL;
}

int options_host_port(const char *text, char *host, size_t len, int *port)
{
    const char *colon = strrchr(text, ':');

    if (!colon || colon == text || (size_t)(colon - text) >= len)
        return -EINVAL;
    *port = port_read(colon + 1);
    if (*port < 0)
        return -EINVAL;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    return hostname_good(host) ? 0 : -EINVAL;
}

static int hash_read(const char *text, uint8_t hash[BPROC_HASH_LEN])
{
    static const char prefix[] = "sha256:";
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";

    if (strncmp(text, prefix, strlen(prefix)) != 0)
        return -EINVAL;
    text += strlen(prefix);
    if (strlen(text) != 2 * BPROC_HASH_LEN)
        return -EINVAL;
    for (size_t i = 0; i < 2 * BPROC_HASH_LEN; i++) {
        const char *digit = strchr(digits, text[i]);
        unsigned value;

        if (!digit)
            return -EINVAL;
        value = (unsigned)(digit - digits) % 16;
        hash[i / 2] = (uint8_t)(i % 2 ? hash[i / 2] | value : value << 4);
    }
    return 0;
}

static void source_check(const char *source)
{
    struct in_addr addr;

    if (inet_pton(AF_INET, source, &addr) != 1)
        usage_error("cannot use address %s: it is not in dotted form", source);
}

/* Every user can read a command line: the token is gone from it as soon as it has been read. */
static const char *token_take(char *argument)
{
    char *token = strdup(argument);

    if (!token)
        fatal("cannot read the token");
    explicit_bzero(argument, strlen(argument));
    return token;
}

/* The order of the options is free, so what belongs together is checked at the end. */
static void option_take(int option, struct options *options, int *hash_given)
{
    switch (option) {
    case 'c': options->config = optarg; break;
    case 'd': options->foreground = 1; break;
    case 'r': break;
    case 'v': options->verbose = 1; break;
    case OPT_STATE: options->state_dir = optarg; break;
    case OPT_ROOT: options->root = optarg; break;
    case OPT_HOME: options->home = 1; break;
    case OPT_TOKEN: options->token = token_take(optarg); break;
    case 's':
        source_check(optarg);
        options->source = optarg;
        break;
    case 'l':
        options->facility = log_facility(optarg);
        if (options->facility < 0)
            usage_error("cannot log to %s: no such syslog facility", optarg);
        break;
    case OPT_JOIN:
        if (options_host_port(optarg, options->host, sizeof(options->host), &options->port) < 0)
            usage_error("cannot join %s: not of the form HOST:PORT", optarg);
        break;
    case OPT_CA_HASH:
        if (hash_read(optarg, options->ca_hash) < 0)
            usage_error("cannot use hash %s: not of the form sha256:HEX", optarg);
        *hash_given = 1;
        break;
    case 'h':
        help_print();
        exit(0);
    case 'V':
        puts("slaved " PACKAGE_VERSION);
        exit(0);
    default:        /* getopt has said what is wrong */
        hint_exit();
    }
}

static void master_take(char **words, int count, struct options *options)
{
    if (count == 0)
        return;
    if (options->host[0])
        usage_error("cannot use master %s: --join names one already", words[0]);
    if (count > 2)
        usage_error("cannot use %s: one master and its port are enough", words[2]);
    if (strlen(words[0]) >= sizeof(options->host))
        usage_error("cannot use master %s: the name is too long", words[0]);
    if (!hostname_good(words[0]))
        usage_error("cannot use master %s: it is no host name or address", words[0]);
    strcpy(options->host, words[0]);
    if (count == 2)
        options->port = port_read(words[1]);
    if (options->port < 0)
        usage_error("cannot use port %s: not a number from 1 to 65535", words[1]);
}

void options_read(int argc, char **argv, struct options *options)
{
    int option, hash_given = 0;

    memset(options, 0, sizeof(*options));
    options->facility = -1;
    while ((option = getopt_long(argc, argv, "c:dhl:rs:vV", long_options, NULL)) != -1)
        option_take(option, options, &hash_given);
    if ((options->host[0] != '\0') + (options->token != NULL) + hash_given == 1 ||
        (options->host[0] != '\0') + (options->token != NULL) + hash_given == 2)
        usage_error("cannot join: --join, --token and --ca-hash belong together");
    if (options->root && options->root[0] != '/')
        usage_error("cannot use root %s: not an absolute path", options->root);
    if (options->home && (options->root || options->token || options->source))
        usage_error("cannot be the master's own slave with a root, a token or an address");
    master_take(argv + optind, argc - optind, options);
}
