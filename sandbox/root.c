/* SPDX-License-Identifier: ISC */
/* A root directory of a process' own. */
#include "sandbox/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/walls.h"

#define ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* What the file system may hold, as mount options (tmpfs(5)). One inode is the root itself. */
struct bounds {
	const char *size, *inodes;
};

static struct bounds bounds_for(const struct root_needs *needs)
{
	struct bounds bounds = {"4k", "1"};

	if (needs->resolver_files)
		bounds = (struct bounds){"8m", "8"};
	if (needs->socket_count > 0) /* a path of 107 bytes has at most 53 directories */
		bounds.inodes = "264";
	return bounds;
}

static int set_option(int context, const char *name, const char *value)
{
	return fsconfig(context, FSCONFIG_SET_STRING, name, value, 0) == 0 ? 0 : -errno;
}

static int configure(int context, const struct bounds *bounds)
{
	int error = set_option(context, "size", bounds->size);

	if (error == 0)
		error = set_option(context, "nr_inodes", bounds->inodes);
	if (error == 0)
		error = set_option(context, "mode", "0755");
	if (error == 0 && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		error = -errno;
	return error;
}

/* The mount's descriptor, or a negative errno. */
static int make_file_system(const struct bounds *bounds)
{
	int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int error, root = -1;

	if (context < 0)
		return -errno;
	error = configure(context, bounds);
	if (error == 0) {
		root = fsmount(context, FSMOUNT_CLOEXEC, ATTRIBUTES);
		error = root < 0 ? -errno : 0;
	}
	close(context);
	return error == 0 ? root : error;
}

static int copy_bytes(int to, int from)
{
	char bytes[4096];
	size_t total = 0;
	ssize_t length;

	while ((length = read(from, bytes, sizeof(bytes))) > 0) {
		total += (size_t)length;
		if (total > ROOT_FILE_BYTES_MAX)
			return -EFBIG;
		if (write(to, bytes, (size_t)length) != length)
			return -ENOSPC;
	}
	return length == 0 ? 0 : -errno;
}

/* A file that isn't there is not missed: the resolver has its defaults. */
static int copy_file(int root, const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int to, error;

	if (from < 0)
		return errno == ENOENT ? 0 : -errno;
	to = openat(root, path + 1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	error = to < 0 ? -errno : copy_bytes(to, from);
	if (to >= 0)
		close(to);
	close(from);
	return error;
}

static int copy_resolver_files(int root, const char *const *files)
{
	int error = mkdirat(root, "etc", 0755) == 0 ? 0 : -errno;

	for (; *files != NULL && error == 0; files++)
		error = copy_file(root, *files);
	return error;
}

static int set_attributes(int mount, uint64_t attributes)
{
	struct mount_attr change = {.attr_set = attributes};

	return mount_setattr(mount, "", AT_EMPTY_PATH, &change, sizeof(change)) == 0 ? 0 : -errno;
}

/* A mount of the directory at path, alone: its descriptor, or a negative errno. */
static int share_tree(const char *path)
{
	int error, tree = (int)syscall(
			   SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return -errno;
	error = set_attributes(tree, ATTRIBUTES | MOUNT_ATTR_RDONLY);
	if (error == 0)
		return tree;
	close(tree);
	return error;
}

/* Makes a relative path's directories, one inside the other. */
static int make_directories(int root, char *path)
{
	for (char *end = path; end != NULL; *end = '/') {
		bool is_made;

		end = strchr(end + 1, '/');
		if (end != NULL)
			*end = '\0';
		is_made = mkdirat(root, path, 0755) == 0 || errno == EEXIST;
		if (!is_made)
			return -errno;
		if (end == NULL)
			return 0;
	}
	return 0;
}

/*
 * The directory, not the socket: who listens there makes a new one at each start. What is mounted
 * below it stays behind. A missing one may come later: the others are of use without it.
 */
static int share_directory(int root, const char *socket_path)
{
	char path[PATH_MAX];
	const char *name = strrchr(socket_path, '/');
	int error, shared;

	if (name == NULL || name == socket_path || (size_t)(name - socket_path) >= sizeof(path))
		return -EINVAL;
	memcpy(path, socket_path, (size_t)(name - socket_path));
	path[name - socket_path] = '\0';
	error = make_directories(root, path + 1);
	if (error != 0)
		return error;
	shared = share_tree(path);
	if (shared < 0)
		return shared == -ENOENT ? 0 : shared;
	if (move_mount(shared, "", root, path + 1, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		error = -errno;
	close(shared);
	return error;
}

/* The old root ends up on top of the new one, so that "." is what goes (pivot_root(2)). */
static int enter(int root)
{
	if (fchdir(root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
		umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
		return -errno;
	return 0;
}

static int share_directories(int root, const struct root_needs *needs)
{
	int error = 0;

	for (size_t i = 0; i < needs->socket_count && error == 0; i++)
		error = share_directory(root, needs->socket_paths[i]);
	return error;
}

static int fill_and_enter(int root, enum role role, const struct root_needs *needs)
{
	const char *const *files = walls_of_role(role)->files;
	int error = 0;

	if (files != NULL && needs->resolver_files)
		error = copy_resolver_files(root, files);
	/* A mount can be moved to none but a mounted place: over the root that is, for now. */
	if (error == 0 && move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0)
		error = -errno;
	if (error == 0)
		error = share_directories(root, needs);
	if (error == 0)
		error = set_attributes(root, MOUNT_ATTR_RDONLY);
	return error == 0 ? enter(root) : error;
}

/* ".." leads to what lies on top of the root: an old one that stayed would be found there. */
static bool is_entered(void)
{
	struct statfs status;

	return statfs("/..", &status) == 0 && status.f_type == TMPFS_MAGIC &&
	       (status.f_flags & ST_RDONLY) != 0 && access("/../proc", F_OK) != 0;
}

int root_change(enum role role, const struct root_needs *needs)
{
	struct bounds bounds = bounds_for(needs);
	int root, error;

	umask(S_IWGRP | S_IWOTH);
	root = make_file_system(&bounds);
	if (root < 0)
		return root;
	error = fill_and_enter(root, role, needs);
	close(root);
	if (error == 0 && !is_entered())
		error = -ENOTRECOVERABLE;
	return error;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* As is_entered(), for a root that is no tmpfs of ours. */
static bool is_within(const struct stat *directory)
{
	struct statfs status;
	struct stat top;

	return stat("/..", &top) == 0 && is_same(&top, directory) && statfs("/..", &status) == 0 &&
	       (status.f_flags & ST_RDONLY) != 0;
}

/* The tree ends up over the root, as a mount must to become one. */
static int enter_tree(int tree)
{
	struct stat directory, root;

	if (fstat(tree, &directory) != 0 || stat("/", &root) != 0)
		return -errno;
	if (is_same(&directory, &root))
		return -EINVAL;
	if (move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return -errno;
	if (enter(tree) != 0)
		return -errno;
	return is_within(&directory) ? 0 : -ENOTRECOVERABLE;
}

int root_change_to(const char *directory)
{
	int tree = share_tree(directory);
	int error;

	if (tree < 0)
		return tree;
	error = enter_tree(tree);
	close(tree);
	return error;
}
