/* SPDX-License-Identifier: ISC */
/* The service manager's side of sd_notify(3). */
#include "service_manager.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

/* No verdict: a test that hangs ends. */
#define PATIENCE_MS 60000

int service_manager_open(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(name) < sizeof(address.sun_path));
	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	return fd;
}

const char *service_manager_read(int fd, char text[static SERVICE_MANAGER_BYTES])
{
	ssize_t length = recv(fd, text, SERVICE_MANAGER_BYTES - 1, MSG_DONTWAIT);

	text[length > 0 ? length : 0] = '\0';
	return text;
}

const char *service_manager_await(
	int fd, const char *begin, char text[static SERVICE_MANAGER_BYTES])
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	while (poll(&wait, 1, PATIENCE_MS) == 1) {
		if (strncmp(service_manager_read(fd, text), begin, strlen(begin)) == 0)
			return text;
	}
	fail_msg("no \"%s\" came", begin);
	return NULL;
}
