/* SPDX-License-Identifier: ISC */
/* The resource limits of each process. */
#include "sandbox/limits.h"

#include <errno.h>
#include <string.h>
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
	/* 16 to 19: channels on the way to their places. 512 MiB. */
	[ROLE_CAPTURE] = {FD_INHERITED_END + 4, ADDRESS_SPACE(1024 * MEBIBYTE)},
	/* 1,032 connections, as many that a reload has ended and libcurl has still to close, 64 spares,
	 * and those on the way. 1,405 MiB, 392 of found peers, and 512 of connections that are ended. */
	[ROLE_FETCHER] = {2304, ADDRESS_SPACE(2752 * MEBIBYTE)},
	/* 64 attempts, and what the resolver has open. 4 MiB. */
	[ROLE_CONNECTOR] = {128, ADDRESS_SPACE(256 * MEBIBYTE)},
	/* Four netlink sockets, and channels on the way. 553 MiB. */
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

static bool is_file(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* `pullgate 2>FILE` is the operator's wish; 0 would end us at the first line. */
static rlim_t file_bytes(const struct limit_files *files)
{
	if (files->log)
		return RLIM_INFINITY;
	return files->cache ? CACHE_FILE_BYTES_MAX : 0;
}

void limits_of_role(
	enum role role, const struct limit_files *files, struct limit limits[static LIMITS_COUNT])
{
	const struct limit all[LIMITS_COUNT] = {
		{RLIMIT_CORE, "Max core file size", 0},
		/* The process that is there stays: fork(2) checks it. */
		{RLIMIT_NPROC, "Max processes", 0},
		/* The fetcher locks whatever it uses; the others have locked their secrets. */
		{RLIMIT_MEMLOCK, "Max locked memory",
			role == ROLE_FETCHER ? needs[role].address_space : 0},
		/* Kernel memory that nobody here has a use for: message queues, queued signals. */
		{RLIMIT_MSGQUEUE, "Max msgqueue size", 0},
		{RLIMIT_SIGPENDING, "Max pending signals", 0},
		/* No way ahead of the host's other processes. */
		{RLIMIT_NICE, "Max nice priority", 0},
		{RLIMIT_RTPRIO, "Max realtime priority", 0},
		{RLIMIT_FSIZE, "Max file size", file_bytes(files)},
		{RLIMIT_NOFILE, "Max open files", needs[role].descriptors},
		{RLIMIT_AS, "Max address space", needs[role].address_space},
	};

	memcpy(limits, all, sizeof(all));
}

rlim_t limits_address_space(enum role role)
{
	return needs[role].address_space;
}

int limits_set(enum role role)
{
	const struct limit_files files = {
		.log = is_file(STDERR_FILENO), .cache = role == ROLE_FETCHER && is_file(FD_CACHE)};
	struct limit limits[LIMITS_COUNT];
	int error = 0;

	limits_of_role(role, &files, limits);
	for (size_t i = 0; i < LIMITS_COUNT && error == 0; i++)
		error = set_limit(limits[i].resource, limits[i].greatest);
	return error;
}
