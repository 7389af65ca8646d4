/* SPDX-License-Identifier: ISC */
/*
 * A directory as the origin: the root directory of the fetcher, with a file for each key. What a file
 * is, is told as an HTTP origin would tell it, so that all that is behind stays the same:
 *   a file                        200, with a strong entity tag of inode, size and times
 *   one of the tag asked about    304, and it isn't read
 *   none of that name             404
 *   anything else                 no response: the file, or the whole directory, can't be used
 * A name is one component, and no symbolic link is followed: the file is in the directory or nowhere.
 */
#ifndef PULLGATE_FETCHER_FILE_ORIGIN_H
#define PULLGATE_FETCHER_FILE_ORIGIN_H

#include "fetcher/http_client.h"

/* A file and one byte, by which a longer one is known. */
struct file_origin {
	char body[HTTP_CLIENT_BODY_BYTES + 1];
};

/* How a file is opened; FIFOs and the like are opened without waiting, and then refused. */
#define FILE_ORIGIN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

/*
 * Asks for the file of that name in the working directory, which is the root. conditions may be
 * NULL. result is HTTP_COMPLETE; or HTTP_UNUSABLE with a reason, for this file alone: no regular
 * file, longer than a body may be, not to be read by us, written while it was read; or HTTP_FAILED
 * with a reason, for the directory: it has been deleted, or the file system fails. What it points to
 * is origin's, until the next call.
 */
void file_origin_get(struct file_origin *origin, struct http_result *result, const char *name,
	const struct http_conditions *conditions);

/* Wipes what was read. */
void file_origin_wipe(struct file_origin *origin);

#endif
