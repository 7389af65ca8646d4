/* SPDX-License-Identifier: ISC */
/* The command line of pullgate. */
#include "supervisor/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>

const char options_usage[] =
	"usage: pullgate [-anv] -c FILE\n"
	"  -c FILE      the configuration of one interface\n"
	"  -a, --audit  compare the processes that run with FILE with the design, and end:\n"
	"               0 all as designed, 1 something differs, 3 nothing to compare\n"
	"  -n           check FILE, say what is wrong with it, and end\n"
	"  -v           log more\n"
	"  -V           print the version and end\n";

int options_parse(struct options *options, int argc, char **argv)
{
	static const struct option names[] = {{"audit", no_argument, NULL, 'a'}, {0}};
	int option;

	*options = (struct options){0};
	optind = 0; /* from the beginning, for a second command line */
	opterr = 0;
	while ((option = getopt_long(argc, argv, "ac:nvVh", names, NULL)) != -1) {
		switch (option) {
		case 'a':
			options->audit = true;
			break;
		case 'c':
			options->config_path = optarg;
			break;
		case 'n':
			options->check = true;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'V':
			options->version = true;
			break;
		case 'h':
			options->help = true;
			break;
		default:
			return -EINVAL;
		}
	}
	return optind == argc ? 0 : -EINVAL;
}
