/* SPDX-License-Identifier: ISC */
/* The files of one process below /proc. */
#include "audit/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int proc_path(const char *directory, pid_t pid, const char *name, char *path)
{
	int length = snprintf(path, PATH_MAX, "%s/%d/%s", directory, (int)pid, name);

	return length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static ssize_t read_whole(int fd, char *text, size_t size)
{
	size_t length = 0;

	while (length + 1 < size) {
		ssize_t got = read(fd, text + length, size - 1 - length);

		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	text[length] = '\0';
	return (ssize_t)length;
}

ssize_t proc_read(const char *directory, pid_t pid, const char *name, char *text, size_t size)
{
	char path[PATH_MAX];
	ssize_t result = proc_path(directory, pid, name, path);
	int fd;

	if (result != 0)
		return result;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = read_whole(fd, text, size);
	close(fd);
	return result;
}

int proc_link(const char *directory, pid_t pid, const char *name, char *text, size_t size)
{
	char path[PATH_MAX];
	int error = proc_path(directory, pid, name, path);
	ssize_t length;

	if (error != 0)
		return error;
	length = readlink(path, text, size - 1);
	if (length < 0)
		return -errno;
	text[length] = '\0';
	return 0;
}

int proc_stat(const char *directory, pid_t pid, const char *name, struct stat *status)
{
	char path[PATH_MAX];
	int error = proc_path(directory, pid, name, path);

	if (error != 0)
		return error;
	return stat(path, status) == 0 ? 0 : -errno;
}

static int walk(const char *path, int (*each)(void *context, const char *entry), void *context)
{
	DIR *entries = opendir(path);
	const struct dirent *entry;
	int result = 0;

	if (entries == NULL)
		return -errno;
	while (result == 0 && (entry = readdir(entries)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = each(context, entry->d_name);
	}
	closedir(entries);
	return result;
}

int proc_walk(const char *directory, pid_t pid, const char *name,
	int (*each)(void *context, const char *entry), void *context)
{
	char path[PATH_MAX];
	int error = proc_path(directory, pid, name, path);

	return error != 0 ? error : walk(path, each, context);
}

struct process_walk {
	int (*each)(void *context, pid_t pid);
	void *context;
};

static int visit_process(void *context, const char *entry)
{
	const struct process_walk *processes = context;
	char *end;
	long pid = strtol(entry, &end, 10);

	if (*end != '\0' || pid <= 0 || pid > INT_MAX)
		return 0;
	return processes->each(processes->context, (pid_t)pid);
}

int proc_walk_processes(const char *directory, int (*each)(void *context, pid_t pid), void *context)
{
	struct process_walk processes = {.each = each, .context = context};

	return walk(directory, visit_process, &processes);
}
