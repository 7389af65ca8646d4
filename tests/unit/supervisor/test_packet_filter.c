/* SPDX-License-Identifier: ISC */
/*
 * The packet socket's filter on the kernel's own BPF: frames sent on the loopback interface of a
 * fresh network namespace, and which of them come out of the socket. Needs root.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/packet_socket.h"

#define PORT          51820
#define NO_INDEX      99 /* no interface has it here */
#define LOOPBACK      1
#define UDP_AT(frame) ((frame)->protocol == ETH_P_IP ? 20U + (frame)->options : 40U)

/* A packet to be spoilt in one respect. */
struct frame {
	uint16_t protocol;
	size_t length, options;
	uint8_t bytes[512];
	uint8_t target[6]; /* zero is the loopback interface's own */
};

static int sender, receiver;

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static struct frame initiation(uint16_t protocol, size_t options)
{
	struct frame frame = {.protocol = protocol, .options = options};
	size_t udp = UDP_AT(&frame);

	if (protocol == ETH_P_IP) {
		frame.bytes[0] = (uint8_t)(0x45 + options / 4);
		put16(frame.bytes + 2, (unsigned)(udp + 156));
		frame.bytes[6] = 0x40; /* don't fragment */
		frame.bytes[9] = IPPROTO_UDP;
	} else {
		frame.bytes[0] = 0x60;
		put16(frame.bytes + 4, 156);
		frame.bytes[6] = IPPROTO_UDP;
	}
	put16(frame.bytes + udp, 40000);
	put16(frame.bytes + udp + 2, PORT);
	put16(frame.bytes + udp + 4, 156);
	frame.bytes[udp + 8] = 1;
	frame.length = udp + 156;
	return frame;
}

static int open_filtered(uint32_t loopback, uint32_t interface)
{
	struct sock_filter filter[PACKET_FILTER_LENGTH];
	struct sock_fprog program = {.len = PACKET_FILTER_LENGTH, .filter = filter};
	struct sockaddr_ll every = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;

	packet_filter_build(filter, loopback, interface, PORT);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) != 0 ||
		bind(fd, (struct sockaddr *)&every, sizeof(every)) != 0)
		return -1;
	return fd;
}

static void send_frame(const struct frame *frame)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(frame->protocol),
		.sll_ifindex = LOOPBACK,
		.sll_halen = 6};

	memcpy(to.sll_addr, frame->target, sizeof(frame->target));
	assert_int_equal(
		sendto(sender, frame->bytes, frame->length, 0, (struct sockaddr *)&to, sizeof(to)),
		frame->length);
}

/* Takes the next packet of the test's own socket, which must come: its source port. */
static unsigned next_port(uint8_t bytes[static 512], ssize_t *length)
{
	struct pollfd wait = {.fd = receiver, .events = POLLIN};
	size_t udp;

	assert_int_equal(poll(&wait, 1, 10000), 1);
	*length = recv(receiver, bytes, 512, 0);
	assert_true(*length > 0);
	udp = bytes[0] >> 4 == 4 ? (bytes[0] & 15U) * 4 : 40;
	return (unsigned)bytes[udp] << 8 | bytes[udp + 1];
}

#define MARKER_PORT 40001

/*
 * Sends the frame and behind it a good one with another source port, the marker: once that is
 * there, the frame has been delivered or dropped. Returns whether the test's own socket got it.
 */
static bool passes(const struct frame *frame)
{
	struct frame marker = initiation(ETH_P_IP, 0);
	uint8_t bytes[512];
	bool passed = false;
	ssize_t length;

	put16(marker.bytes + UDP_AT(&marker), MARKER_PORT);
	send_frame(frame);
	send_frame(&marker);
	while (next_port(bytes, &length) != MARKER_PORT) {
		assert_false(passed);
		assert_int_equal(length, frame->length);
		assert_memory_equal(bytes, frame->bytes, frame->length);
		passed = true;
	}
	return passed;
}

static void initiations_pass(void **state)
{
	struct frame frame;

	(void)state;
	for (size_t options = 0; options <= 40; options += 4) {
		frame = initiation(ETH_P_IP, options);
		assert_true(passes(&frame));
	}
	frame = initiation(ETH_P_IPV6, 0);
	assert_true(passes(&frame));
}

/* Each bit that the filter looks at, turned round. */
static void anything_else_is_dropped(void **state)
{
	static const uint16_t protocols[] = {ETH_P_IP, ETH_P_IPV6};
	static const size_t udp_bytes[] = {2, 3, 4, 5, 8, 9, 10, 11};

	(void)state;
	for (size_t p = 0; p < 2; p++) {
		struct frame good = initiation(protocols[p], p == 0 ? 8 : 0), frame;
		size_t udp = UDP_AT(&good);

		for (size_t i = 0; i < sizeof(udp_bytes) / sizeof(udp_bytes[0]); i++) {
			for (int bit = 0; bit < 8; bit++) {
				frame = good;
				frame.bytes[udp + udp_bytes[i]] ^= (uint8_t)(1 << bit);
				assert_false(passes(&frame));
			}
		}
		frame = good;
		frame.bytes[p == 0 ? 9 : 6] = IPPROTO_TCP;
		assert_false(passes(&frame));
		frame = good;
		frame.protocol = ETH_P_ARP;
		assert_false(passes(&frame));
		frame = good;
		frame.protocol = protocols[1 - p];
		assert_false(passes(&frame));
		frame = good;
		frame.length = udp + 11; /* ends within the first word */
		assert_false(passes(&frame));
		frame = good;
		frame.target[0] = 2; /* not for this host: PACKET_OTHERHOST */
		assert_false(passes(&frame));
		assert_true(passes(&good));
	}
}

static void fragments_are_dropped(void **state)
{
	(void)state;
	for (int bit = 0; bit < 14; bit++) { /* offset and more-fragments, not don't-fragment */
		struct frame frame = initiation(ETH_P_IP, 0);

		put16(frame.bytes + 6, 1U << bit);
		assert_false(passes(&frame));
	}
}

static void own_interfaces_are_ignored(void **state)
{
	struct frame frame = initiation(ETH_P_IP, 0);
	int loopback = open_filtered(LOOPBACK, NO_INDEX),
	    interface = open_filtered(NO_INDEX, LOOPBACK);
	int production = packet_socket_open(NO_INDEX, PORT);

	(void)state;
	assert_true(production >= 0);
	assert_true(passes(&frame));
	assert_true(recv(loopback, frame.bytes, sizeof(frame.bytes), 0) < 0);
	assert_true(recv(interface, frame.bytes, sizeof(frame.bytes), 0) < 0);
	assert_true(recv(production, frame.bytes, sizeof(frame.bytes), 0) < 0);
	close(loopback);
	close(interface);
	close(production);
}

static void filter_is_locked(void **state)
{
	struct sock_filter pass[] = {BPF_STMT(BPF_RET | BPF_K, 0xffff)};
	struct sock_fprog program = {.len = 1, .filter = pass};
	int fd = packet_socket_open(NO_INDEX, PORT), no = 0;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &no, sizeof(no)), -1);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &no, sizeof(no)), -1);
	close(fd);
}

static int open_sockets(void **state)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK};

	(void)state;
	if (unshare(CLONE_NEWNET) != 0)
		return -1;
	sender = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	receiver = open_filtered(NO_INDEX, NO_INDEX);
	return ioctl(sender, SIOCSIFFLAGS, &request) != 0 || receiver < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(initiations_pass),
		cmocka_unit_test(anything_else_is_dropped),
		cmocka_unit_test(fragments_are_dropped),
		cmocka_unit_test(own_interfaces_are_ignored),
		cmocka_unit_test(filter_is_locked),
	};

	if (geteuid() != 0) {
		puts("skipped: a network namespace and a packet socket need root");
		return 77;
	}
	return cmocka_run_group_tests(tests, open_sockets, NULL);
}
