/* SPDX-License-Identifier: ISC */
/* Latency for tests without netem. */
#include "latency.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

#define PACKETS      8192
#define PACKET_BYTES 2048

struct packet {
	int64_t due_ms;
	size_t length;
	uint8_t bytes[PACKET_BYTES];
};

static int set_address(int socket_fd, struct ifreq *request, unsigned long what, const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	inet_pton(AF_INET, text, &address.sin_addr);
	memcpy(&request->ifr_addr, &address, sizeof(address));
	return ioctl(socket_fd, what, request);
}

static int bring_up(const char *name)
{
	struct ifreq request = {.ifr_flags = 0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error;

	memcpy(request.ifr_name, name, IFNAMSIZ);
	error = set_address(fd, &request, SIOCSIFADDR, "10.99.0.1");
	if (error == 0)
		error = set_address(fd, &request, SIOCSIFNETMASK, "255.255.255.0");
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (error == 0)
		error = ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return error;
}

static int open_tun(void)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -1;
	if (ioctl(fd, TUNSETIFF, &request) == 0 && bring_up(request.ifr_name) == 0)
		return fd;
	close(fd);
	return -1;
}

/* IPv4, RFC 791 section 3.1: source at 12, destination at 16. */
static void exchange_addresses(uint8_t *packet)
{
	uint8_t source[4];

	memcpy(source, packet + 12, 4);
	memcpy(packet + 12, packet + 16, 4);
	memcpy(packet + 16, source, 4);
}

_Noreturn static void relay(int tun, int one_way_ms)
{
	struct packet *queue = calloc(PACKETS, sizeof(*queue));
	size_t first = 0, count = 0;

	while (queue != NULL) {
		struct pollfd wait = {.fd = tun, .events = POLLIN};
		int64_t left_ms = count > 0 ? queue[first].due_ms - clock_ms() : 1000;

		if (left_ms > 0)
			poll(&wait, 1, (int)left_ms);
		while (count < PACKETS) {
			struct packet *last = &queue[(first + count) % PACKETS];
			ssize_t length = read(tun, last->bytes, PACKET_BYTES);

			if (length < 20)
				break;
			last->length = (size_t)length;
			last->due_ms = clock_ms() + one_way_ms;
			count += last->bytes[0] >> 4 == 4;
		}
		for (; count > 0 && queue[first].due_ms <= clock_ms(); count--) {
			exchange_addresses(queue[first].bytes);
			if (write(tun, queue[first].bytes, queue[first].length) < 0)
				_exit(1);
			first = (first + 1) % PACKETS;
		}
	}
	_exit(1);
}

pid_t latency_start(int one_way_ms)
{
	int tun = open_tun();
	pid_t child;

	if (tun < 0)
		return -1;
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		relay(tun, one_way_ms);
	}
	close(tun);
	return child;
}

void latency_stop(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
