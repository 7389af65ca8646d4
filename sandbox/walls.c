/* SPDX-License-Identifier: ISC */
/* What the walls of each role leave it. */
#include "sandbox/walls.h"

#include <linux/capability.h>
#include <sched.h>

/* The PID namespace is made with the process (supervisor/child.c), the others by the sandbox. */
#define OWN_NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

/* For a test of the audit, which has to tell it: never in a product binary. */
#if defined(PULLGATE_TEST_EXTRA_CAPABILITY)
#define EXTRA_CAPABILITIES ((capability_set)1 << CAP_NET_RAW)
#else
#define EXTRA_CAPABILITIES ((capability_set)0)
#endif

/* What restarting children takes; supervisor/authority.c says which for what. */
#define CAPABILITY(name) ((capability_set)1 << (name))
#define SUPERVISOR_CAPABILITIES                                                   \
	(CAPABILITY(CAP_KILL) | CAPABILITY(CAP_SETGID) | CAPABILITY(CAP_SETUID) | \
		CAPABILITY(CAP_SETPCAP) | CAPABILITY(CAP_NET_BIND_SERVICE) |      \
		CAPABILITY(CAP_NET_ADMIN) | CAPABILITY(CAP_NET_RAW) | CAPABILITY(CAP_SYS_ADMIN))

/* What getaddrinfo(3) reads. */
static const char *const resolver_files[] = {
	"/etc/gai.conf",
	"/etc/host.conf",
	"/etc/hosts",
	"/etc/nsswitch.conf",
	"/etc/resolv.conf",
	NULL,
};

const struct walls *walls_of_role(enum role role)
{
	static const struct walls walls[ROLE_COUNT] = {
		[ROLE_SUPERVISOR] = {.capabilities = SUPERVISOR_CAPABILITIES},
		[ROLE_CAPTURE] = {.namespaces = OWN_NAMESPACES | CLONE_NEWNET},
		[ROLE_FETCHER] = {.namespaces = OWN_NAMESPACES | CLONE_NEWNET},
		/* Connections to the origin take the supervisor's network. */
		[ROLE_CONNECTOR] = {.namespaces = OWN_NAMESPACES, .files = resolver_files},
		/* So does the interface. */
		[ROLE_INSTALLER] = {.capabilities =
					    (capability_set)1 << CAP_NET_ADMIN | EXTRA_CAPABILITIES,
			.namespaces = OWN_NAMESPACES},
	};

	return &walls[role];
}
