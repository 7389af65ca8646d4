/* SPDX-License-Identifier: ISC */
/* The files of the cache that survives. */
#include "supervisor/cache_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/role.h"
#include "supervisor/config.h"

/* Those on the way to it too. */
static int make_directory(const char *path)
{
	char part[CONFIG_PATH_BYTES];

	for (const char *end = path; end != NULL;) {
		size_t length;

		end = strchr(end + 1, '/');
		length = end != NULL ? (size_t)(end - path) : strlen(path);
		memcpy(part, path, length);
		part[length] = '\0';
		if (mkdir(part, S_IRWXU) != 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* Who else could write there could have the fetcher write where he likes, or read its keys. */
static int check_ours(int fd, mode_t type)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -errno;
	if ((status.st_mode & S_IFMT) != type || status.st_uid != geteuid() ||
		(status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return -EPERM;
	return type == S_IFREG && status.st_nlink != 1 ? -EPERM : 0;
}

/* Its descriptor, or a negative errno. */
static int open_directory(const char *path)
{
	int error = make_directory(path);
	int fd = error == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : error;

	if (fd < 0)
		return error == 0 ? -errno : error;
	error = check_ours(fd, S_IFDIR);
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

static int open_file(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		S_IRUSR | S_IWUSR);
	int error;

	if (fd < 0)
		return -errno;
	error = check_ours(fd, S_IFREG);
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

static int open_files(struct cache_files *files, int directory, const char **what)
{
	*what = CACHE_FILE_NAME;
	files->database = open_file(directory, CACHE_FILE_NAME);
	if (files->database < 0)
		return files->database;
	*what = "lock";
	if (flock(files->database, LOCK_EX | LOCK_NB) != 0)
		return -errno;
	*what = CACHE_LOG_NAME;
	files->log = open_file(directory, CACHE_LOG_NAME);
	if (files->log < 0)
		return files->log;
	*what = "fsync";
	return fsync(directory) == 0 ? 0 : -errno; /* their names last too */
}

int cache_files_open(struct cache_files *files, const char *path, const char **what)
{
	int directory, error;

	*files = (struct cache_files){.database = -1, .log = -1};
	if (path[0] == '\0')
		return 0;
	*what = "directory";
	directory = open_directory(path);
	if (directory < 0)
		return directory;
	error = open_files(files, directory, what);
	close(directory);
	if (error == 0)
		return 0;
	if (files->database >= 0)
		close(files->database);
	if (files->log >= 0)
		close(files->log);
	*files = (struct cache_files){.database = -1, .log = -1};
	return error;
}
