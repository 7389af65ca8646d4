/* SPDX-License-Identifier: ISC */
/* A directory as the origin. */
#include "fetcher/file_origin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A name that says of what type a file is; every other one is JSON. */
#define MSGPACK_SUFFIX ".msgpack"

static void fail(struct http_result *result, enum http_end end, const char *reason)
{
	result->end = end;
	snprintf(result->reason, sizeof(result->reason), "%s", reason);
}

static void respond(struct http_result *result, long status)
{
	result->end = HTTP_COMPLETE;
	result->origin.status = status;
}

/* A directory that was deleted is empty, and knows of no key any more. */
static bool is_deleted(void)
{
	struct stat status;

	return stat(".", &status) != 0 || status.st_nlink == 0;
}

static void explain(struct http_result *result, int error)
{
	if (error == ENOENT && is_deleted())
		fail(result, HTTP_FAILED, "the directory has been deleted");
	else if (error == ENOENT)
		respond(result, 404);
	else if (error == ELOOP)
		fail(result, HTTP_UNUSABLE, "the file is a symbolic link");
	else if (error == EACCES || error == ENXIO) /* ENXIO: a Unix socket */
		fail(result, HTTP_UNUSABLE,
			error == EACCES ? "the file may not be read" : "not a regular file");
	else
		fail(result, HTTP_FAILED, strerror(error));
}

/* Who writes into a file may set its time of modification back, but not that of its change. */
static void write_tag(char tag[static HTTP_CLIENT_FIELD_BYTES], const struct stat *status)
{
	snprintf(tag, HTTP_CLIENT_FIELD_BYTES,
		"\"%" PRIxMAX "-%" PRIxMAX "-%" PRIxMAX ".%09ld-%" PRIxMAX ".%09ld\"",
		(uintmax_t)status->st_ino, (uintmax_t)status->st_size,
		(uintmax_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec,
		(uintmax_t)status->st_ctim.tv_sec, status->st_ctim.tv_nsec);
}

/* Bytes read, at most one more than a body may have; or a negative errno. */
static ssize_t read_all(struct file_origin *origin, int fd)
{
	size_t used = 0;
	ssize_t length;

	do {
		length = pread(fd, origin->body + used, sizeof(origin->body) - used, (off_t)used);
		if (length < 0)
			return -errno;
		used += (size_t)length;
	} while (length > 0);
	return (ssize_t)used;
}

/* Whether the file is still the one of the tag; a half of it would else be taken for the whole. */
static bool is_unchanged(int fd, const char *tag)
{
	char again[HTTP_CLIENT_FIELD_BYTES];
	struct stat status;

	if (fstat(fd, &status) != 0)
		return false;
	write_tag(again, &status);
	return strcmp(tag, again) == 0;
}

static void read_body(struct file_origin *origin, struct http_result *result, int fd)
{
	ssize_t length = read_all(origin, fd);

	if (length < 0)
		fail(result, HTTP_FAILED, strerror((int)-length));
	else if (length > HTTP_CLIENT_BODY_BYTES)
		fail(result, HTTP_UNUSABLE, "file larger than 65536 bytes");
	else if (!is_unchanged(fd, result->etag))
		fail(result, HTTP_UNUSABLE, "the file was written while it was read");
	else
		respond(result, 200);
	result->origin.length = result->end == HTTP_COMPLETE ? (size_t)length : 0;
}

static void read_file(struct file_origin *origin, struct http_result *result, int fd,
	const struct http_conditions *conditions)
{
	struct stat status;

	if (fstat(fd, &status) != 0) {
		fail(result, HTTP_FAILED, strerror(errno));
		return;
	}
	if (!S_ISREG(status.st_mode)) {
		fail(result, HTTP_UNUSABLE, "not a regular file");
		return;
	}
	write_tag(result->etag, &status);
	if (conditions != NULL && strcmp(conditions->etag, result->etag) == 0)
		respond(result, 304);
	else
		read_body(origin, result, fd);
}

static const char *type_of(const char *name)
{
	size_t length = strlen(name), suffix = strlen(MSGPACK_SUFFIX);

	return length > suffix && strcmp(name + length - suffix, MSGPACK_SUFFIX) == 0
		       ? "application/msgpack"
		       : "application/json";
}

/* No header fields but the tag and the type: how long it counts is configured. */
static void begin(struct file_origin *origin, struct http_result *result, const char *name)
{
	memset(result, 0, sizeof(*result));
	result->origin = (struct origin_response){.cache_control = "",
		.age = {.age = "", .date = ""},
		.etag = result->etag,
		.last_modified = "",
		.retry_after = "",
		.content_type = type_of(name),
		.body = origin->body};
}

void file_origin_get(struct file_origin *origin, struct http_result *result, const char *name,
	const struct http_conditions *conditions)
{
	int fd = openat(AT_FDCWD, name, FILE_ORIGIN_FLAGS);

	begin(origin, result, name);
	if (fd < 0) {
		explain(result, errno);
		return;
	}
	read_file(origin, result, fd, conditions);
	close(fd);
}

void file_origin_wipe(struct file_origin *origin)
{
	explicit_bzero(origin->body, sizeof(origin->body));
}
