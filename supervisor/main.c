/* SPDX-License-Identifier: ISC */
/* pullgate: reads its configuration, then starts and watches the processes that do the work. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit.h"
#include "common/log.h"
#include "supervisor/authority.h"
#include "supervisor/material.h"
#include "supervisor/options.h"
#include "supervisor/supervisor.h"

static struct options parse_options(int argc, char **argv)
{
	struct options options;
	int error = options_parse(&options, argc, argv);

	if (error == 0 && options.version) {
		puts("pullgate " PULLGATE_VERSION);
		exit(EXIT_SUCCESS);
	}
	if (error == 0 && options.help) {
		fputs(options_usage, stdout);
		exit(EXIT_SUCCESS);
	}
	if (error != 0 || options.config_path == NULL || (options.audit && options.check)) {
		fputs(options_usage, stderr);
		exit(2);
	}
	return options;
}

/* What is opened first would take the numbers of closed ones, and log lines would go into it. */
static void fill_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		exit(EXIT_FAILURE);
	close(fd);
}

_Noreturn static void fail(const char *reason)
{
	fprintf(stderr, "pullgate: %s\n", reason);
	exit(EXIT_FAILURE);
}

static void need_root(const char *why)
{
	if (geteuid() == 0)
		return;
	fprintf(stderr, "pullgate: must be started as root: %s\n", why);
	exit(EXIT_FAILURE);
}

static int run_audit(const char *config_path)
{
	static struct audit audit = {.proc = "/proc", .describe_socket = audit_describe_socket};
	static struct config config;
	char error[CONFIG_ERROR_BYTES];

	if (geteuid() != 0 || users_lookup(audit.users, error) != 0) {
		fprintf(stderr, "pullgate: %s\n",
			geteuid() != 0 ? "must be root to audit other users' processes" : error);
		return AUDIT_IMPOSSIBLE;
	}
	audit.config_path = config_path;
	/* A file that has become wrong since makes no difference to what runs. */
	if (config_load(&config, config_path, error) == 0 && config_directory(&config)[0] != '\0')
		audit.fetcher_root = config_directory(&config);
	return (int)audit_run(&audit, stdout);
}

/* What is wrong with the configuration shows with no more authority than a reload will have. */
static void load(struct supervisor *supervisor, const struct options *options)
{
	char error[CONFIG_ERROR_BYTES];

	if (geteuid() == 0 && authority_reduce(error) != 0)
		fail(error);
	supervisor->config_path = options->config_path;
	supervisor->verbose = options->verbose;
	if (config_load(&supervisor->config, options->config_path, error) != 0 ||
		origin_directory_check(&supervisor->config, error) != 0 ||
		material_check(&supervisor->config, error) != 0)
		fail(error);
	if (options->check) {
		printf("%s: ok\n", options->config_path);
		exit(EXIT_SUCCESS);
	}
	need_root("it opens the packet socket and gives each process its own user");
	if (users_lookup(supervisor->users, error) != 0)
		fail(error);
}

int main(int argc, char **argv)
{
	static struct supervisor supervisor;
	struct options options;
	char error[CONFIG_ERROR_BYTES];

	fill_standard_streams();
	options = parse_options(argc, argv);
	if (options.audit)
		return run_audit(options.config_path);
	log_open("pullgate");
	log_set_verbose(options.verbose);
	umask(077);
	notify_open(&supervisor.notify);
	load(&supervisor, &options);
	if (supervisor_open(&supervisor) != 0)
		return EXIT_FAILURE;
	if (authority_close_filter(error) != 0)
		fail(error);
	return supervisor_run(&supervisor);
}
