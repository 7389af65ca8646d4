/* SPDX-License-Identifier: ISC */
/* What the service manager is told, and its watchdog. */
#include "supervisor/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

#define MESSAGE_BYTES 512

/* Length of the address, or 0 for one that isn't of unix(7) or is too long. */
static socklen_t read_address(struct sockaddr_un *address, const char *text)
{
	size_t length = strlen(text);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if ((text[0] != '/' && text[0] != '@') || length < 2 || length >= sizeof(address->sun_path))
		return 0;
	memcpy(address->sun_path, text, length);
	if (text[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

/* The descriptor, or a negative errno. */
static int connect_to(const char *text)
{
	struct sockaddr_un address;
	socklen_t length = read_address(&address, text);
	int error, fd;

	if (length == 0)
		return -EAFNOSUPPORT;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, length) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

/* A number without sign, blanks or anything behind it; 0 for everything else. */
static uint64_t read_number(const char *name)
{
	const char *text = getenv(name);
	uint64_t number;
	char *end;

	if (text == NULL || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' ? number : 0;
}

/* sd_watchdog_enabled(3): with $WATCHDOG_PID it is for that process alone. */
static int64_t watchdog_every_ms(void)
{
	uint64_t microseconds = read_number("WATCHDOG_USEC");

	if (getenv("WATCHDOG_PID") != NULL && read_number("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	if (microseconds == 0 || microseconds > INT64_MAX)
		return 0;
	return microseconds < 2000 ? 1 : (int64_t)(microseconds / 2000);
}

void notify_open(struct notify *notify)
{
	const char *path = getenv("NOTIFY_SOCKET");
	char quoted[LOG_QUOTED_BYTES];

	*notify = (struct notify){.fd = -1};
	if (path != NULL)
		notify->fd = connect_to(path);
	if (path != NULL && notify->fd < 0)
		log_event(LOG_LEVEL_WARNING, "notify_failed", "socket=%s error=\"%s\"",
			log_quote(quoted, path), strerror(-notify->fd));
	if (notify->fd >= 0)
		notify->watchdog_every_ms = watchdog_every_ms();
	else
		notify->fd = -1;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void tell(const struct notify *notify, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What can't be delivered is lost: a manager that doesn't read must not stop the supervisor. */
static void tell(const struct notify *notify, const char *format, ...)
{
	char message[MESSAGE_BYTES];
	va_list arguments;
	int length;

	if (notify->fd < 0)
		return;
	va_start(arguments, format);
	length = vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (length > 0 && (size_t)length < sizeof(message))
		send(notify->fd, message, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void notify_ready(const struct notify *notify, const char *status)
{
	tell(notify, "READY=1\nSTATUS=%s", status);
}

void notify_reloading(const struct notify *notify)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	tell(notify, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void notify_stopping(const struct notify *notify)
{
	tell(notify, "STOPPING=1\nSTATUS=stopping");
}

void notify_status(const struct notify *notify, const char *status)
{
	tell(notify, "STATUS=%s", status);
}

void notify_watchdog(struct notify *notify, int64_t now_ms)
{
	if (notify->watchdog_every_ms == 0 ||
		now_ms - notify->watchdog_ms < notify->watchdog_every_ms)
		return;
	notify->watchdog_ms = now_ms;
	tell(notify, "WATCHDOG=1");
}
