/* SPDX-License-Identifier: ISC */
/* The memory of capture's timestamp record. */
#include "supervisor/timestamps.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/role.h"

int timestamps_open(uint32_t max_peers)
{
	int fd = memfd_create("timestamps", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)TIMESTAMPS_BYTES(max_peers)) != 0 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
		error = -errno;
	if (error == 0)
		return fd;
	close(fd);
	return error;
}
