/* SPDX-License-Identifier: ISC */
/* Attempts with sockets of the process' own. */
#include <arpa/inet.h>
#include <linux/audit.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "attempts.h"
#include "netlink_request.h"

/* Families that libc's header has, in numbers that don't change (socket(2)). */
#define FAMILY_XDP 44

/* The call itself: the fetcher's connect() is its own, and makes none (fetcher/socket_calls.c). */
static int connect_to(int fd, const void *address, size_t size)
{
	return (int)syscall(SYS_connect, fd, address, size);
}

/* On its way, or refused by the other end: it got through. */
static int reached(int returned)
{
	if (returned == 0 || errno == EINPROGRESS || errno == ECONNREFUSED)
		return 0;
	return -errno;
}

static int connect_ipv4(int type, const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PROBE_PORT)};
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &to.sin_addr);
	if (fd < 0 || connect_to(fd, &to, sizeof(to)) != 0)
		return reached(-1);
	return type == SOCK_STREAM ? 0 : attempt_result(send(fd, "x", 1, 0));
}

static int connect_ipv6(const char *address)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(PROBE_PORT)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET6, address, &to.sin6_addr);
	return fd < 0 ? -errno : reached(connect_to(fd, &to, sizeof(to)));
}

int try_tcp_loopback(const struct surroundings *surroundings)
{
	(void)surroundings;
	return connect_ipv4(SOCK_STREAM, "127.0.0.1");
}

int try_tcp_loopback_ipv6(const struct surroundings *surroundings)
{
	(void)surroundings;
	return connect_ipv6("::1");
}

int try_tcp_elsewhere(const struct surroundings *surroundings)
{
	(void)surroundings;
	return connect_ipv4(SOCK_STREAM, PROBE_OTHER_IPV4);
}

int try_tcp_elsewhere_ipv6(const struct surroundings *surroundings)
{
	(void)surroundings;
	return connect_ipv6(PROBE_OTHER_IPV6);
}

int try_udp_elsewhere(const struct surroundings *surroundings)
{
	(void)surroundings;
	return connect_ipv4(SOCK_DGRAM, PROBE_OTHER_IPV4);
}

/* And be reached there. Each role has a port of its own, for they try at once. */
int try_listen(const struct surroundings *surroundings)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	own.sin_port = htons((uint16_t)(PROBE_PORT + 1 + (int)surroundings->role));
	inet_pton(AF_INET, PROBE_HOST_IPV4, &own.sin_addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)) != 0 || listen(fd, 1) != 0)
		return -errno;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return attempt_result(fd < 0 ? fd : connect_to(fd, &own, sizeof(own)));
}

int try_raw_socket(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
}

int try_packet_socket(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

int try_xdp_socket(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(socket(FAMILY_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int connect_unix(const struct sockaddr_un *to, size_t size)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect_to(fd, to, size) != 0)
		return -errno;
	return 0;
}

int try_unix_socket(const struct surroundings *surroundings)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = PROBE_SOCKET};

	(void)surroundings;
	return connect_unix(&to, sizeof(to));
}

int try_abstract_socket(const struct surroundings *surroundings)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	(void)surroundings;
	memcpy(to.sun_path + 1, PROBE_ABSTRACT, strlen(PROBE_ABSTRACT));
	return connect_unix(
		&to, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(PROBE_ABSTRACT));
}

int try_vsock(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

int try_bluetooth(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(socket(AF_BLUETOOTH, SOCK_RAW | SOCK_CLOEXEC, 1));
}

int try_crypto_socket(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

static int open_netlink(int protocol)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -errno : fd;
}

/* Whether the host's own link is there. */
int try_list_links(const struct surroundings *surroundings)
{
	struct netlink_request request = request_new(RTM_GETLINK, 0);
	struct ifinfomsg which = {.ifi_family = AF_UNSPEC, .ifi_index = surroundings->link};
	uint8_t answer[8192] __attribute__((aligned(4)));
	int fd = open_netlink(NETLINK_ROUTE);
	int length;

	request_add(&request, &which, sizeof(which));
	length = fd < 0 ? fd : request_ask(fd, &request, false, answer, sizeof(answer));
	return length < 0 ? length : 0;
}

int try_change_link(const struct surroundings *surroundings)
{
	int fd = open_netlink(NETLINK_ROUTE);

	return fd < 0 ? fd : request_link_change(fd, surroundings->link, false);
}

int try_read_private_key(const struct surroundings *surroundings)
{
	int fd = open_netlink(NETLINK_GENERIC);

	(void)surroundings;
	return fd < 0 ? fd : request_private_key(fd, false);
}

int try_audit(const struct surroundings *surroundings)
{
	struct netlink_request request = request_new(AUDIT_GET, NLM_F_ACK);
	uint8_t answer[1024] __attribute__((aligned(4)));
	int fd = open_netlink(NETLINK_AUDIT);
	int length = fd < 0 ? fd : request_ask(fd, &request, false, answer, sizeof(answer));

	(void)surroundings;
	return length < 0 ? length : 0;
}

/* Reading the firewall's rules takes the capability that changing them takes. */
int try_firewall(const struct surroundings *surroundings)
{
	struct netlink_request request =
		request_new(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_DUMP | NLM_F_ACK);
	struct nfgenmsg generic = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
	uint8_t answer[1024] __attribute__((aligned(4)));
	int fd = open_netlink(NETLINK_NETFILTER);
	int length;

	(void)surroundings;
	request_add(&request, &generic, sizeof(generic));
	length = fd < 0 ? fd : request_ask(fd, &request, false, answer, sizeof(answer));
	return length < 0 ? length : 0;
}
