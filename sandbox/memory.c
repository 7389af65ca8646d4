/* SPDX-License-Identifier: ISC */
/* What may become of a process' memory. */
#include "sandbox/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox/limits.h"

/* linux/prctl.h since 6.3; Debian 12's is older. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1UL
#endif

int memory_leave_out_of_dumps(void)
{
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	error = write(fd, "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return error;
}

static int raise_limit(rlim_t bytes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return -errno;
	if (limit.rlim_max < bytes)
		limit.rlim_max = bytes;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_MEMLOCK, &limit) == 0 ? 0 : -errno;
}

int memory_lock(enum role role)
{
	int error;

	if (role != ROLE_FETCHER)
		return 0;
	error = raise_limit(limits_address_space(role));
	if (error != 0)
		return error;
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0 ? 0 : -errno;
}

int memory_refuse_new_code(void)
{
	return prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0 ? 0 : -errno;
}
