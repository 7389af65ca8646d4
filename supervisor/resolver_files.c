/* SPDX-License-Identifier: ISC */
/* The files that the connector's resolver reads. */
#include "supervisor/resolver_files.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

static const char *const names[RESOLVER_FILES_COUNT] = {
	"resolv.conf",
	"hosts",
	"host.conf",
	"gai.conf",
	"nsswitch.conf",
};

static struct resolver_file look_at(const char *folder, const char *name)
{
	struct resolver_file file = {.size = 0};
	struct stat status;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (stat(path, &status) == 0)
		file = (struct resolver_file){.device = status.st_dev,
			.inode = status.st_ino,
			.size = status.st_size,
			.modified = status.st_mtim};
	return file;
}

static bool is_same(const struct resolver_file *a, const struct resolver_file *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec;
}

void resolver_files_note(struct resolver_files *files, const char *folder)
{
	for (size_t i = 0; i < RESOLVER_FILES_COUNT; i++)
		files->seen[i] = look_at(folder, names[i]);
}

const char *resolver_files_changed(const struct resolver_files *files, const char *folder)
{
	for (size_t i = 0; i < RESOLVER_FILES_COUNT; i++) {
		struct resolver_file now = look_at(folder, names[i]);

		if (!is_same(&files->seen[i], &now))
			return names[i];
	}
	return NULL;
}
