/* SPDX-License-Identifier: ISC */
/* Attempts on files and programs. */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "attempts.h"

int try_read_shadow(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(open("/etc/shadow", O_RDONLY | O_CLOEXEC));
}

int try_read_configuration(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(open(PROBE_CONFIGURATION, O_RDONLY | O_CLOEXEC));
}

int try_create_file(const struct surroundings *surroundings)
{
	static const char *const names[] = {"/created", "/tmp/created", "/etc/created", "created"};
	int error = -ENOENT;

	(void)surroundings;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd = open(names[i], O_CREAT | O_WRONLY | O_EXCL | O_CLOEXEC, 0600);

		if (fd >= 0)
			return 0;
		if (errno != ENOENT)
			error = -errno;
	}
	return error;
}

int try_make_device(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(mknod("/device", S_IFCHR | 0600, makedev(1, 1)));
}

int try_open_by_handle(const struct surroundings *surroundings)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + 8];
	} root = {.handle = {.handle_bytes = 8, .handle_type = 1}};

	(void)surroundings;
	return attempt_result(open_by_handle_at(AT_FDCWD, &root.handle, O_RDONLY));
}

int try_read_proc(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(open("/proc/self/fd", O_RDONLY | O_CLOEXEC));
}

/* A root with nothing in it but what belongs there shows no /usr. */
int try_list_root(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(open("/usr", O_RDONLY | O_CLOEXEC));
}

int try_execute(const struct surroundings *surroundings)
{
	char *arguments[] = {"true", NULL};

	(void)surroundings;
	return attempt_result(execv("/bin/true", arguments));
}

int try_write_memfd(const struct surroundings *surroundings)
{
	int fd = memfd_create("file", MFD_CLOEXEC);

	(void)surroundings;
	return attempt_result(fd < 0 ? fd : write(fd, "#!", 2));
}

/* What is in it is no program: that the kernel says so shows that it would run one. */
int try_execute_memfd(const struct surroundings *surroundings)
{
	char *arguments[] = {"memfd", NULL};
	int fd = memfd_create("program", 0);
	int error;

	(void)surroundings;
	if (fd < 0 || ftruncate(fd, 4096) != 0)
		return -errno;
	error = attempt_result(execveat(fd, "", arguments, NULL, AT_EMPTY_PATH));
	return error == -ENOEXEC ? 0 : error;
}

int try_change_root(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(chroot("/"));
}

int try_pivot_root(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(syscall(SYS_pivot_root, "/", "/"));
}

int try_mount(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(mount("proc", "/", "proc", 0, NULL));
}

int try_unmount(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(umount2("/", MNT_DETACH));
}

int try_open_mount(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(syscall(SYS_fsopen, "tmpfs", 0));
}
