/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <syslog.h>
#include <unistd.h>

#include "common/conf.h"
#include "tests/unit/tap.h"

static char path[] = "/tmp/test_config.XXXXXX";
static char complaints[4000];
static int errors, warnings;

static void complain(void *arg, int is_error, const char *line)
{
    (void)arg;
    errors += is_error != 0;
    warnings += is_error == 0;
    strncat(complaints, line, sizeof(complaints) - strlen(complaints) - 2);
    strcat(complaints, "\n");
}

static struct conf *load(const char *text)
{
    struct conf *conf = NULL;
    FILE *file = fopen(path, "w");

    complaints[0] = '\0';
    errors = warnings = 0;
    if (!file)
        return NULL;
    fputs(text, file);
    fclose(file);
    conf_load(path, complain, NULL, &conf);
    return conf;
}

static void test_good(void)
{
    struct conf *conf = load("# a cluster\n"
                             "nodes 8\n"
                             "  ip 0 10.0.0.10 10.0.1.10   # two addresses\n"
                             "ip 10.0.0.11\n"
                             "iprange 4 10.0.0.20 10.0.0.22\n"
                             "ip 10.0.0.30\n"
                             "interface eth0\ninterface eth1 10.0.0.1 255.255.255.0\n"
                             "server bproc 4000\npingtimeout 7\nlogfacility local3\n"
                             "io direct\ncachesize 3G\nnodegroup @big '0-3,5'\n"
                             "criu \"/opt/a b/criu\"\nrundir /run/other\n");

    if (!ok(conf != NULL, "a good file loads")) {
        diag("%s", complaints);
        return;
    }
    is_int(conf->nodes, 8, "nodes");
    is_int(conf_node_of(conf, 0x0a00000a), 0, "first address of node 0");
    is_int(conf_node_of(conf, 0x0a00010a), 0, "second address of node 0");
    is_int(conf_node_of(conf, 0x0a00000b), 1, "without a number: the next node");
    is_int(conf_node_of(conf, 0x0a000016), 6, "end of a range");
    is_int(conf_node_of(conf, 0x0a00001e), 7, "the next node after a range");
    is_int(conf_node_of(conf, 0x0a000017), -1, "beyond a range");
    is_int(conf_addr_of(conf, 5), 0x0a000015, "address in a range");
    is_int(conf_addr_of(conf, 3), 0, "node without an address");
    is_int(conf->ninterfaces, 2, "two interfaces");
    is_str(conf->interfaces[1], "eth1", "the second's name");
    is_int(conf->port, 4000, "port");
    is_int(conf->data_port, 2224, "default of the data port");
    is_int(conf->ping_timeout, 7, "ping timeout");
    is_int(conf->log_facility, LOG_LOCAL3, "facility");
    is_int(conf->io_direct, 1, "io direct");
    ok(conf->cache_size == 3ULL << 30, "cache size with a unit");
    is_str(conf->criu, "/opt/a b/criu", "a quoted path");
    is_str(conf->socket, "/run/other/bproc.sock", "the socket follows rundir");
    is_int(conf->ngroups, 1, "one group");
    is_str(conf->groups[0].spec, "0-3,5", "its specification");
    is_int(errors + warnings, 0, "nothing to complain of");
    conf_free(conf);
}

static void test_commands(void)
{
    struct conf *conf = load("nodes 2\n"
                             "rebootcommand sh -c \"logger 'it  goes'; reboot\" \t# at once\n"
                             "haltcommand 'echo \\'so long\\' >/dev/console'\n"
                             "pwroffcommand /sbin/poweroff  -f\n");

    if (!ok(conf != NULL, "commands load")) {
        diag("%s", complaints);
        return;
    }
    is_str(conf->reboot_command, "sh -c \"logger 'it  goes'; reboot\"", "quotes within a command");
    is_str(conf->halt_command, "echo 'so long' >/dev/console", "a command in quotes");
    is_str(conf->pwroff_command, "/sbin/poweroff  -f", "a command without any");
    conf_free(conf);
}

static void test_foreign(void)
{
    struct conf *conf = load("nodes 2\nbootmodule e1000\nkernelcommandline quiet\n"
                             "libraries /lib\nmasterorder 0-5 10.0.0.1\nhost 1 2\n"
                             "nodename n%N\nprestage_libs /lib\nprestage /bin/sh\n");

    ok(conf != NULL, "keywords of boot services do no harm");
    is_int(warnings, 1, "one warning for all of them");
    conf_free(conf);
}

static void test_bad(void)
{
    static const struct { const char *text, *want; } cases[] = {
        { "nodes 2\npingtimout 3\n", ":2: unknown keyword `pingtimout', is `pingtimeout' meant?" },
        { "zebra\n", ":1: unknown keyword `zebra'\n" },
        { "nodes two\n", ":1: nodes: `two' is not a number from 1 to 16384" },
        { "nodes 0\n", "is not a number" },
        { "nodes 20000\n", "is not a number" },
        { "nodes\n", ":1: nodes: 0 arguments, not at least 1" },
        { "nodes 1 2\n", ":1: nodes: 2 arguments, not at most 1" },
        { "nodes 2\nnodes 3\n", ":2: nodes: given twice" },
        { "nodes 2\n\nip 10.0.0.300\n", ":3: ip: `10.0.0.300' is not an address" },
        { "nodes 2\nip one\n", "is neither a node number nor an address" },
        { "nodes 2\nip 1\n", ":2: ip: no address after the node number" },
        { "nodes 2\nip 2 10.0.0.1\n", "is given to node 2, but there are only 2 nodes" },
        { "nodes 3\nip 10.0.0.1\nip 10.0.0.1\n", ":3: ip: an address is given to two nodes" },
        { "nodes 3\niprange 10.0.0.9 10.0.0.1\n", "is no range of addresses" },
        { "nodes 3\niprange 0.0.0.0 255.255.255.255\n", "is no range of addresses" },
        { "nodes 3\niprange 1 10.0.0.1\n", ":2: iprange: needs a first and a last address" },
        { "bprocport 70000\n", "is not a number from 1 to 65535" },
        { "server bproc 0\n", "`0' is not a port from 1 to 65535" },
        { "logfacility kitchen\n", "there is no syslog facility `kitchen'" },
        { "io maybe\n", "neither `tls' nor `direct'" },
        { "cachesize 3X\n", "is not a size" },
        { "cachesize 99999999999T\n", "is not a size" },
        { "cachesize -1\n", "is not a size" },
        { "cachedir var/cache\n", "is not an absolute path" },
        { "criu \"/opt/criu\n", ":1: quote without an end" },
        { "interface averyveryverylongname\n", "is too long a name" },
        { "nodegroup big 0-3\n", "does not start with @" },
        { "nodegroup @big 0-3\nnodegroup @big 4\n", ":2: nodegroup: `@big' was given before" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conf *conf = load(cases[i].text);

        if (!ok(conf == NULL && errors > 0 && strstr(complaints, cases[i].want), "refused: %s",
                cases[i].want))
            diag("%s", complaints);
        conf_free(conf);
    }
    ok(strncmp(complaints, path, strlen(path)) == 0, "a complaint begins with the file");
}

static void test_hostile(void)
{
    char line[9000];
    struct conf *conf;

    memset(line, 'a', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    ok(load(line) == NULL, "a very long keyword");
    for (size_t i = 0; i + 1 < sizeof(line); i++)
        line[i] = i % 2 ? ' ' : 'x';
    ok(load(line) == NULL, "very many words");
    conf = load("");
    ok(conf != NULL, "an empty file is a configuration");
    conf_free(conf);
    is_int(conf_load("/nonexistent/config", complain, NULL, &conf), -ENOENT, "a missing file");
}

int main(void)
{
    int fd = mkstemp(path);

    if (fd < 0)
        return 1;
    close(fd);
    test_good();
    test_commands();
    test_foreign();
    test_bad();
    test_hostile();
    unlink(path);
    return done_testing();
}
