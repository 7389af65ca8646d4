/* SPDX-License-Identifier: ISC */
/*
 * The system calls of fetcher, besides those of every process: what libcurl 7.88 and OpenSSL 3.0
 * do with sockets that are connected already. No socket, no connect, no thread, no file to open. The
 * sockets to the origin have no fixed numbers, so any descriptor may be read and written. Files are
 * written under the cache's two numbers alone; where no cache is configured /dev/null has them, open
 * to read.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/calls.h"

static const struct call calls[] = {
	CALL_IF(recvmsg, "sockets from connector", CHANNEL_TO(0, ROLE_CONNECTOR)),
	CALL(recvfrom, "messages, the origin's answers"),
	CALL_IF(sendto, "messages, requests to the origin", NO_ADDRESS),

	CALL_IF(dup3, "a renewed channel takes its place", CHANNEL_TO(1, ROLE_CAPTURE),
		INT_IS(2, O_CLOEXEC)),
	CALL_IF(dup3, "a renewed channel takes its place", CHANNEL_TO(1, ROLE_CONNECTOR),
		INT_IS(2, O_CLOEXEC)),
	CALL_IF(dup3, "a renewed channel takes its place", CHANNEL_TO(1, ROLE_INSTALLER),
		INT_IS(2, O_CLOEXEC)),

	CALL_IF(fcntl, "libcurl: is the socket non-blocking", INT_IS(1, F_GETFL)),
	CALL_IF(fcntl, "libcurl: makes the socket non-blocking", INT_IS(1, F_SETFL),
		INT_IS(2, O_RDWR | O_NONBLOCK)),
	CALL_IF(getsockopt, "libcurl: did the socket connect", INT_IS(1, SOL_SOCKET),
		INT_IS(2, SO_ERROR)),
	CALL_IF(shutdown, "a connection that must not be used again", INT_IS(1, SHUT_RDWR)),
	CALL(pread64, "certificates, key and token that come with a reload; the cache"),
	CALL(getpeername, "libcurl: the connection's addresses"),
	CALL(getsockname, "libcurl: the connection's addresses"),

	CALL_IF(pwrite64, "cache: database", INT_IS(0, FD_CACHE)),
	CALL_IF(pwrite64, "cache: log", INT_IS(0, FD_CACHE_LOG)),
	CALL_IF(fdatasync, "cache: database", INT_IS(0, FD_CACHE)),
	CALL_IF(fdatasync, "cache: log", INT_IS(0, FD_CACHE_LOG)),
	CALL_IF(ftruncate, "cache: emptied, or cut to its pages", INT_IS(0, FD_CACHE)),
	CALL_IF(ftruncate, "cache: log that was taken over, or emptied", INT_IS(0, FD_CACHE_LOG)),
	CALL_IF(lseek, "cache: size of the database", INT_IS(0, FD_CACHE), INT_IS(2, SEEK_END)),
	CALL_IF(lseek, "cache: size of the log", INT_IS(0, FD_CACHE_LOG), INT_IS(2, SEEK_END)),

	CALL(getpid, "OpenSSL: its random generator looks whether it was forked"),
	CALL_IF(getrandom, "OpenSSL: its random generator's seed; SQLite: the log's salt",
		INT_IS(2, 0)),
	CALL_IF(futex, "OpenSSL: pthread_once wakes waiters that don't exist",
		INT_IS(1, FUTEX_WAKE_PRIVATE)),
};

const struct call_list calls_fetcher = CALL_LIST(calls);

/*
 * Where the origin is a directory, which then is the root. These flags alone: nothing is opened for
 * writing, no symbolic link followed, no FIFO waited for. Reading is what pread64 above is for too.
 */
static const struct call calls_files[] = {
	CALL_IF(openat, "a peer's file", INT_IS(0, AT_FDCWD),
		INT_IS(2, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)),
	CALL_IF(newfstatat, "what was opened, and whether it changed", INT_IS(3, AT_EMPTY_PATH)),
	CALL_IF(newfstatat, "whether the root has been deleted", INT_IS(0, AT_FDCWD), INT_IS(3, 0)),
};

const struct call_list calls_fetcher_files = CALL_LIST(calls_files);
