/* SPDX-License-Identifier: ISC */
/*
 * What the probe tries inside each role's sandbox, and what must become of it: once as in
 * production, once with the seccomp filter left out, where the wall behind it must hold.
 */
#ifndef PULLGATE_PROBE_ATTEMPT_H
#define PULLGATE_PROBE_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/role.h"

/* What the harness lays out, within anybody's reach: only walls keep the probe from it. */
#define PROBE_CONFIGURATION "/run/pullgate-probe/wg0.conf"
#define PROBE_SOCKET        "/run/pullgate-probe/socket"
#define PROBE_ABSTRACT      "pullgate-probe" /* name of an abstract Unix socket */
#define PROBE_QUEUE         "/pullgate-probe"
#define PROBE_SHARED_KEY    0x70677072
#define PROBE_INTERFACE     "wg0"
#define PROBE_LINK          "outside" /* where 198.51.100.0/24 and 2001:db8:f::/64 are */
#define PROBE_HOST_IPV4     "198.51.100.1"
#define PROBE_OTHER_IPV4    "198.51.100.9"
#define PROBE_OTHER_IPV6    "2001:db8:f::9"
#define PROBE_PORT          7007 /* listened on by the host */

/* How the probe tells the harness that the sandbox is closed and the attempt begins. */
#define PROBE_BEGINS "attempt"

/* What an attempt is told of the outside. */
struct surroundings {
	enum role role; /* its own */
	pid_t sibling;  /* a process of another role */
	pid_t twin;     /* one of the same role of another instance: the same user */
	int link;       /* index of PROBE_LINK */
};

/* Tries one thing. 0 when it worked, or the negative errno of what stopped it. */
typedef int attempt_function(const struct surroundings *surroundings);

/* How a probe ended: 0 it worked, an errno that stopped it, or -N: killed by signal N. */
struct outcome {
	int end;
	const char *wall; /* that stopped it; where nothing did, why that is so */
};

#define EXPECTATIONS_MAX 4

struct expectation {
	unsigned roles; /* bit 1 << role; an empty set ends the list */
	struct outcome filtered, unfiltered;
};

struct attempt {
	const char *name;
	attempt_function *try;
	bool terminal; /* standard error is a terminal */
	struct expectation expected[EXPECTATIONS_MAX + 1];
};

/* The wall of an attempt that seccomp alone stops: without it, it works. */
extern const char seccomp_alone[];

extern const struct attempt attempts[];
extern const size_t attempt_count;

/* What is expected for a role; NULL where the attempt means nothing for it. */
const struct expectation *attempt_expects(const struct attempt *attempt, enum role role);

#endif
