/* SPDX-License-Identifier: ISC */
/* pullgate: reads its configuration, then starts and watches the processes that do the work. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/supervisor.h"

static const char usage[] = "usage: pullgate [-nv] -c FILE\n"
			    "  -c FILE  the configuration of one interface\n"
			    "  -n       check it, say what is wrong with it, and end\n"
			    "  -v       log more\n"
			    "  -V       print the version and end\n";

struct options {
	const char *config_path;
	bool check, verbose;
};

static struct options parse_options(int argc, char **argv)
{
	struct options options = {0};
	int option;

	while ((option = getopt(argc, argv, "c:nvVh")) != -1) {
		switch (option) {
		case 'c':
			options.config_path = optarg;
			break;
		case 'n':
			options.check = true;
			break;
		case 'v':
			options.verbose = true;
			break;
		case 'V':
			puts("pullgate " PULLGATE_VERSION);
			exit(EXIT_SUCCESS);
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (options.config_path == NULL || optind != argc) {
		fputs(usage, stderr);
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

int main(int argc, char **argv)
{
	static struct supervisor supervisor;
	struct options options;
	char error[CONFIG_ERROR_BYTES];

	fill_standard_streams();
	options = parse_options(argc, argv);
	log_open("pullgate");
	log_set_verbose(options.verbose);
	umask(077);
	supervisor.config_path = options.config_path;
	supervisor.verbose = options.verbose;
	if (config_load(&supervisor.config, options.config_path, error) != 0 ||
		material_load(&supervisor.material, &supervisor.config, error) != 0) {
		fprintf(stderr, "pullgate: %s\n", error);
		return EXIT_FAILURE;
	}
	if (options.check) {
		printf("%s: ok\n", options.config_path);
		return EXIT_SUCCESS;
	}
	if (geteuid() != 0) {
		fputs("pullgate: must be started as root: it opens the packet socket and gives "
		      "each "
		      "process its own user\n",
			stderr);
		return EXIT_FAILURE;
	}
	if (users_lookup(supervisor.users, error) != 0) {
		fprintf(stderr, "pullgate: %s\n", error);
		return EXIT_FAILURE;
	}
	return supervisor_open(&supervisor) == 0 ? supervisor_run(&supervisor) : EXIT_FAILURE;
}
