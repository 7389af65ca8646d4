/* SPDX-License-Identifier: ISC */
/* The packet socket that capture receives on. */
#include "supervisor/packet_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/wireguard.h"

/* Some 10,000 waiting initiations: what a flood leaves room for while capture restarts. */
#define RECEIVE_BUFFER_BYTES (8 * 1024 * 1024)

#define UDP_HEADER_BYTES      8
#define IPV6_HEADER_BYTES     40
#define UDP_LENGTH            (UDP_HEADER_BYTES + WIREGUARD_INITIATION_BYTES)
#define INITIATION_FIRST_WORD 0x01000000U
#define ANCILLARY(what)       ((uint32_t)(SKF_AD_OFF + (what)))

enum {
	LINE_IPV4 = 8,
	LINE_IPV6 = 14,
	LINE_UDP = 17,
	LINE_PASS = PACKET_FILTER_LENGTH - 2,
	LINE_DROP = PACKET_FILTER_LENGTH - 1,
};

#define LOAD(width, mode, offset) BPF_STMT(BPF_LD | (width) | (mode), (offset))
/* Jumps are relative to the next instruction; these take the lines to go to. */
#define JUMP(line, test, value, yes, no)                                         \
	BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), (uint8_t)((yes) - (line)-1), \
		(uint8_t)((no) - (line)-1))

void packet_filter_build(struct sock_filter filter[static PACKET_FILTER_LENGTH],
	uint32_t loopback_index, uint32_t interface_index, uint16_t port)
{
	const struct sock_filter program[PACKET_FILTER_LENGTH] = {
		[0] = LOAD(BPF_B, BPF_ABS, ANCILLARY(SKF_AD_PKTTYPE)),
		[1] = JUMP(1, BPF_JEQ, PACKET_HOST, 2, LINE_DROP),
		[2] = LOAD(BPF_W, BPF_ABS, ANCILLARY(SKF_AD_IFINDEX)),
		[3] = JUMP(3, BPF_JEQ, loopback_index, LINE_DROP, 4),
		[4] = JUMP(4, BPF_JEQ, interface_index, LINE_DROP, 5),
		[5] = LOAD(BPF_W, BPF_ABS, ANCILLARY(SKF_AD_PROTOCOL)),
		[6] = JUMP(6, BPF_JEQ, ETH_P_IP, LINE_IPV4, 7),
		[7] = JUMP(7, BPF_JEQ, ETH_P_IPV6, LINE_IPV6, LINE_DROP),

		/* RFC 791, section 3.1: protocol, flags and fragment offset, header length. */
		[LINE_IPV4] = LOAD(BPF_B, BPF_ABS, 9),
		[9] = JUMP(9, BPF_JEQ, IPPROTO_UDP, 10, LINE_DROP),
		[10] = LOAD(BPF_H, BPF_ABS, 6),
		[11] = JUMP(11, BPF_JSET, 0x3fff, LINE_DROP, 12),
		[12] = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		[13] = BPF_STMT(BPF_JMP | BPF_JA, LINE_UDP - 14),

		/* RFC 8200, section 3: next header. */
		[LINE_IPV6] = LOAD(BPF_B, BPF_ABS, 6),
		[15] = JUMP(15, BPF_JEQ, IPPROTO_UDP, 16, LINE_DROP),
		[16] = BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, IPV6_HEADER_BYTES),

		/* RFC 768, behind X bytes of IP header: destination port, length, payload. */
		[LINE_UDP] = LOAD(BPF_H, BPF_IND, 2),
		[18] = JUMP(18, BPF_JEQ, port, 19, LINE_DROP),
		[19] = LOAD(BPF_H, BPF_IND, 4),
		[20] = JUMP(20, BPF_JEQ, UDP_LENGTH, 21, LINE_DROP),
		[21] = LOAD(BPF_W, BPF_IND, UDP_HEADER_BYTES),
		[22] = JUMP(22, BPF_JEQ, INITIATION_FIRST_WORD, LINE_PASS, LINE_DROP),
		[LINE_PASS] = BPF_STMT(BPF_RET | BPF_K, 0xffff),
		[LINE_DROP] = BPF_STMT(BPF_RET | BPF_K, 0),
	};

	memcpy(filter, program, sizeof(program));
}

static int attach_filter(int fd, uint32_t interface_index, uint16_t port)
{
	struct sock_filter filter[PACKET_FILTER_LENGTH];
	struct sock_fprog program = {.len = PACKET_FILTER_LENGTH, .filter = filter};
	unsigned loopback_index = if_nametoindex("lo");
	int yes = 1;

	if (loopback_index == 0)
		return -errno;
	packet_filter_build(filter, loopback_index, interface_index, port);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof(yes)) != 0)
		return -errno;
	return 0;
}

static int configure(int fd, uint32_t interface_index, uint16_t port)
{
	struct sockaddr_ll every = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int yes = 1, bytes = RECEIVE_BUFFER_BYTES;
	int error = attach_filter(fd, interface_index, port);

	if (error != 0)
		return error;
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0 ||
		bind(fd, (struct sockaddr *)&every, sizeof(every)) != 0)
		return -errno;
	return 0;
}

int packet_socket_open(uint32_t interface_index, uint16_t port)
{
	/* Protocol 0 receives nothing; bind() sets it once the filter is in place. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -errno;
	error = configure(fd, interface_index, port);
	if (error == 0)
		return fd;
	close(fd);
	return error;
}
