/* SPDX-License-Identifier: ISC */
/* The resource limits of each process. */
#include "sandbox/limits.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEBIBYTE ((rlim_t)1 << 20)

#if defined(PULLGATE_ADDRESS_SANITIZER) /* it reserves terabytes */
#define ADDRESS_SPACE(bytes) RLIM_INFINITY
#else
#define ADDRESS_SPACE(bytes) (bytes)
#endif

/*
 * What a role needs at the greatest settings that the message table admits. Memory is address
 * space: what was measured for 2^20 peers, or for 1,024 TLS connections over HTTP/1.1 that each
 * parse Debian's certificates (1.35 MiB), and half as much again at least.
 */
static const struct {
	rlim_t descriptors;
	rlim_t address_space;
} needs[ROLE_COUNT] = {
	/* 12 to 15: channels on the way to their places. 421 MiB. */
	[ROLE_CAPTURE] = {FD_INHERITED_END + 4, ADDRESS_SPACE(1024 * MEBIBYTE)},
	/* 1,026 connections, 64 spares, and those on the way. 1,405 MiB. */
	[ROLE_FETCHER] = {1280, ADDRESS_SPACE(2112 * MEBIBYTE)},
	/* 64 attempts, and what the resolver has open. 4 MiB. */
	[ROLE_CONNECTOR] = {128, ADDRESS_SPACE(256 * MEBIBYTE)},
	/* Four netlink sockets, and channels on the way. 472 MiB. */
	[ROLE_INSTALLER] = {FD_INHERITED_END + 12, ADDRESS_SPACE(1024 * MEBIBYTE)},
};

static int set_limit(__rlimit_resource_t resource, rlim_t greatest)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		return -errno;
	if (limit.rlim_max > greatest)
		limit.rlim_max = greatest;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit) == 0 ? 0 : -errno;
}

/* `pullgate 2>FILE` is the operator's wish; a limit would kill the process at its first line. */
static rlim_t file_size_limit(void)
{
	struct stat status;
	bool logs_to_file = fstat(STDERR_FILENO, &status) == 0 && S_ISREG(status.st_mode);

	return logs_to_file ? RLIM_INFINITY : 0;
}

rlim_t limits_address_space(enum role role)
{
	return needs[role].address_space;
}

int limits_set(enum role role)
{
	const struct {
		__rlimit_resource_t resource;
		rlim_t greatest;
	} limits[] = {
		{RLIMIT_CORE, 0},
		{RLIMIT_NPROC, 0}, /* the process that is there stays: fork(2) checks it */
		/* The fetcher locks whatever it uses; the others have locked their secrets. */
		{RLIMIT_MEMLOCK, role == ROLE_FETCHER ? needs[role].address_space : 0},
		/* Kernel memory that nobody here has a use for: message queues, queued signals. */
		{RLIMIT_MSGQUEUE, 0},
		{RLIMIT_SIGPENDING, 0},
		/* No way ahead of the host's other processes. */
		{RLIMIT_NICE, 0},
		{RLIMIT_RTPRIO, 0},
		{RLIMIT_FSIZE, file_size_limit()},
		{RLIMIT_NOFILE, needs[role].descriptors},
		{RLIMIT_AS, needs[role].address_space},
	};
	int error = 0;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]) && error == 0; i++)
		error = set_limit(limits[i].resource, limits[i].greatest);
	return error;
}
