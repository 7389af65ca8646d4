/* SPDX-License-Identifier: ISC */
/* The directory of a file: URL. */
#include "supervisor/origin_directory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int look_at(struct origin_directory *directory, const char *path)
{
	struct stat status;

	*directory = (struct origin_directory){.inode = 0};
	if (stat(path, &status) != 0)
		return -errno;
	if (!S_ISDIR(status.st_mode))
		return -ENOTDIR;
	*directory = (struct origin_directory){.device = status.st_dev, .inode = status.st_ino};
	return 0;
}

int origin_directory_check(const struct config *config, char error[static CONFIG_ERROR_BYTES])
{
	struct origin_directory directory;
	int result = 0;

	if (config_directory(config)[0] != '\0')
		result = look_at(&directory, config_directory(config));
	if (result != 0)
		snprintf(error, CONFIG_ERROR_BYTES, "%s: %s", config_directory(config),
			strerror(-result));
	return result;
}

void origin_directory_note(struct origin_directory *noted, const char *path)
{
	(void)look_at(noted, path);
}

bool origin_directory_changed(const struct origin_directory *noted, const char *path)
{
	struct origin_directory now;

	return look_at(&now, path) == 0 &&
	       (now.device != noted->device || now.inode != noted->inode);
}
