/* SPDX-License-Identifier: ISC */
/* The command line of pullgate. */
#ifndef PULLGATE_OPTIONS_H
#define PULLGATE_OPTIONS_H

#include <stdbool.h>

struct options {
	const char *config_path; /* points into argv; NULL without -c */
	bool check, verbose, audit, version, help;
};

extern const char options_usage[];

/* 0, or -EINVAL for what is no option and for arguments left over. Reports nothing; moves argv. */
int options_parse(struct options *options, int argc, char **argv);

#endif
