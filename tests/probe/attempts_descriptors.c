/* SPDX-License-Identifier: ISC */
/* The abuse of each descriptor that a role was given. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "attempts.h"
#include "netlink_request.h"

#define FLOOD_BYTES 1000000

/* The installer's, in the order of their opening (installer/device.c, address_watch.c). */
#define FD_NETLINK_GENERIC FD_INHERITED_END
#define FD_NETLINK_ROUTE   (FD_INHERITED_END + 2)

/* The channel that every role has stands for the others. */
#define FD_ANY_CHANNEL FD_CONTROL

/* ---- the packet socket ---- */

static struct sockaddr_ll on_link(const struct surroundings *surroundings)
{
	return (struct sockaddr_ll){.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = surroundings->link,
		.sll_halen = 6};
}

int try_frame(const struct surroundings *surroundings)
{
	struct sockaddr_ll to = on_link(surroundings);

	return attempt_result(
		sendto(FD_PACKET, "a frame", 7, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)));
}

int try_bind_packet_socket(const struct surroundings *surroundings)
{
	struct sockaddr_ll to = on_link(surroundings);

	return attempt_result(bind(FD_PACKET, (struct sockaddr *)&to, sizeof(to)));
}

/* Bound, it sends without an address. */
int try_frame_unaddressed(const struct surroundings *surroundings)
{
	int error = try_bind_packet_socket(surroundings);

	return error != 0 ? error : attempt_result(write(FD_PACKET, "a frame", 7));
}

int try_promiscuous(const struct surroundings *surroundings)
{
	struct packet_mreq request = {
		.mr_ifindex = surroundings->link, .mr_type = PACKET_MR_PROMISC};

	return attempt_result(setsockopt(
		FD_PACKET, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)));
}

static int list_interfaces(int fd)
{
	struct ifreq interfaces[8];
	struct ifconf list = {.ifc_len = sizeof(interfaces), .ifc_req = interfaces};

	if (ioctl(fd, SIOCGIFCONF, &list) != 0)
		return -errno;
	return list.ifc_len > 0 ? 0 : -ENODEV;
}

int try_packet_ioctl(const struct surroundings *surroundings)
{
	(void)surroundings;
	return list_interfaces(FD_PACKET);
}

int try_detach_filter(const struct surroundings *surroundings)
{
	int nothing = 0;

	(void)surroundings;
	return attempt_result(
		setsockopt(FD_PACKET, SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof(nothing)));
}

int try_replace_filter(const struct surroundings *surroundings)
{
	struct sock_filter all[] = {{.code = BPF_RET | BPF_K, .k = 0xffff}};
	struct sock_fprog program = {.len = 1, .filter = all};

	(void)surroundings;
	return attempt_result(
		setsockopt(FD_PACKET, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

/* Nothing waits there: that the socket says so is as good as a packet. */
static int received(ssize_t returned)
{
	return returned < 0 && errno != EAGAIN ? -errno : 0;
}

int try_read_packets(const struct surroundings *surroundings)
{
	char packet[256];

	(void)surroundings;
	return received(read(FD_PACKET, packet, sizeof(packet)));
}

int try_packet_socket_as_channel(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(dup3(FD_PACKET, FD_CHANNEL(ROLE_FETCHER), O_CLOEXEC));
}

/* ---- the timestamp record's memory ---- */

int try_truncate_timestamps(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(ftruncate(FD_TIMESTAMPS, 0));
}

int try_grow_timestamps(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(fallocate(FD_TIMESTAMPS, 0, 0, (off_t)1 << 30));
}

int try_write_timestamps(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(write(FD_TIMESTAMPS, "x", 1));
}

int try_map_timestamps_execute(const struct surroundings *surroundings)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, FD_TIMESTAMPS, 0);

	(void)surroundings;
	return memory == MAP_FAILED ? -errno : 0;
}

/* Capture could write a program there. That the kernel finds none shows that it would run one. */
int try_execute_timestamps(const struct surroundings *surroundings)
{
	char *arguments[] = {"timestamps", NULL};
	int error = attempt_result(execveat(FD_TIMESTAMPS, "", arguments, NULL, AT_EMPTY_PATH));

	(void)surroundings;
	return error == -ENOEXEC ? 0 : error;
}

/* ---- the cache's files ---- */

int try_overfill_cache(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(pwrite(FD_CACHE, "x", 1, (off_t)CACHE_FILE_BYTES_MAX));
}

int try_reserve_cache(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(fallocate(FD_CACHE_LOG, 0, 0, (off_t)1 << 40));
}

/* To anybody. */
int try_open_cache(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(fchmod(FD_CACHE, 0777));
}

int try_execute_cache(const struct surroundings *surroundings)
{
	char *arguments[] = {"cache", NULL};
	int error = attempt_result(execveat(FD_CACHE, "", arguments, NULL, AT_EMPTY_PATH));

	(void)surroundings;
	return error == -ENOEXEC ? 0 : error;
}

/* ---- channels ---- */

/* A socketpair belongs to the network namespace where it was made: the host's. */
int try_channel_ioctl(const struct surroundings *surroundings)
{
	(void)surroundings;
	return list_interfaces(FD_ANY_CHANNEL);
}

int try_channel_credentials(const struct surroundings *surroundings)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	(void)surroundings;
	return attempt_result(getsockopt(FD_ANY_CHANNEL, SOL_SOCKET, SO_PEERCRED, &peer, &size));
}

int try_channel_buffer(const struct surroundings *surroundings)
{
	int bytes = 1 << 28;

	(void)surroundings;
	return attempt_result(
		setsockopt(FD_ANY_CHANNEL, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)));
}

int try_channel_address(const struct surroundings *surroundings)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = PROBE_SOCKET};

	(void)surroundings;
	return attempt_result(sendto(FD_ANY_CHANNEL, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
		(struct sockaddr *)&to, sizeof(to)));
}

int try_channel_connect(const struct surroundings *surroundings)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t size = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(PROBE_ABSTRACT);

	(void)surroundings;
	memcpy(to.sun_path + 1, PROBE_ABSTRACT, strlen(PROBE_ABSTRACT));
	return attempt_result(syscall(SYS_connect, FD_ANY_CHANNEL, &to, size));
}

int try_channel_send_descriptor(const struct surroundings *surroundings)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.bytes = {0}};
	struct iovec part = {.iov_base = (char[]){"x"}, .iov_len = 1};
	struct msghdr header = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	int fd = STDERR_FILENO;

	(void)surroundings;
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	return attempt_result(sendmsg(FD_ANY_CHANNEL, &header, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static int data_channel(enum role role)
{
	bool has_capture = role == ROLE_FETCHER || role == ROLE_INSTALLER;

	return FD_CHANNEL(has_capture ? ROLE_CAPTURE : ROLE_FETCHER);
}

int try_channel_receive_descriptor(const struct surroundings *surroundings)
{
	char byte;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

	return received(recvmsg(data_channel(surroundings->role), &header, MSG_DONTWAIT));
}

int try_channel_shutdown(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(shutdown(FD_ANY_CHANNEL, SHUT_RDWR));
}

int try_channel_write(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(write(FD_ANY_CHANNEL, "x", 1));
}

/* The filter speaks of numbers: whoever moves descriptors gives them other rights. */
int try_replace_control(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(dup2(STDERR_FILENO, FD_CONTROL));
}

int try_close_control(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(close(FD_CONTROL));
}

/* ---- standard streams ---- */

int try_read_input(const struct surroundings *surroundings)
{
	char byte;

	(void)surroundings;
	return attempt_result(read(STDIN_FILENO, &byte, 1));
}

int try_write_input(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(write(STDIN_FILENO, "x", 1));
}

int try_read_errors(const struct surroundings *surroundings)
{
	char byte;

	(void)surroundings;
	return attempt_result(read(STDERR_FILENO, &byte, 1));
}

int try_truncate_errors(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(ftruncate(STDERR_FILENO, 0));
}

int try_flood_errors(const struct surroundings *surroundings)
{
	static char text[1000];

	(void)surroundings;
	memset(text, 'x', sizeof(text));
	for (size_t sent = 0; sent < FLOOD_BYTES; sent += sizeof(text)) {
		if (write(STDERR_FILENO, text, sizeof(text)) < 0)
			return -errno;
	}
	return 0;
}

/* ---- replay sockets ---- */

/* An IPv4 packet without a payload (RFC 791). */
static int replay_to(const char *address)
{
	struct iphdr packet = {.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.tot_len = htons(sizeof(packet))};
	struct sockaddr_in to = {.sin_family = AF_INET};

	inet_pton(AF_INET, address, &to.sin_addr);
	packet.daddr = to.sin_addr.s_addr;
	packet.saddr = htonl(0xc6336401); /* 198.51.100.1 */
	return attempt_result(sendto(FD_REPLAY_IPV4, &packet, sizeof(packet), MSG_DONTWAIT,
		(struct sockaddr *)&to, sizeof(to)));
}

int try_replay_elsewhere(const struct surroundings *surroundings)
{
	(void)surroundings;
	return replay_to(PROBE_OTHER_IPV4);
}

int try_replay_other_datagram(const struct surroundings *surroundings)
{
	(void)surroundings;
	return replay_to("127.0.0.1");
}

int try_replay_elsewhere_ipv6(const struct surroundings *surroundings)
{
	struct ip6_hdr packet = {0};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};

	(void)surroundings;
	inet_pton(AF_INET6, PROBE_OTHER_IPV6, &to.sin6_addr);
	packet.ip6_flow = htonl(6U << 28);
	packet.ip6_nxt = IPPROTO_NONE;
	packet.ip6_hlim = 64;
	packet.ip6_dst = to.sin6_addr;
	return attempt_result(sendto(FD_REPLAY_IPV6, &packet, sizeof(packet), MSG_DONTWAIT,
		(struct sockaddr *)&to, sizeof(to)));
}

int try_replay_rebind(const struct surroundings *surroundings)
{
	(void)surroundings;
	return attempt_result(setsockopt(
		FD_REPLAY_IPV4, SOL_SOCKET, SO_BINDTODEVICE, PROBE_LINK, sizeof(PROBE_LINK)));
}

int try_replay_sendmsg(const struct surroundings *surroundings)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct iphdr packet = {.version = 4, .ihl = 5, .ttl = 1, .daddr = to.sin_addr.s_addr};
	struct iovec part = {.iov_base = &packet, .iov_len = sizeof(packet)};
	struct msghdr header = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &part, .msg_iovlen = 1};

	(void)surroundings;
	return attempt_result(sendmsg(FD_REPLAY_IPV4, &header, MSG_DONTWAIT));
}

int try_replay_receive(const struct surroundings *surroundings)
{
	char packet[256];

	(void)surroundings;
	return received(recv(FD_REPLAY_IPV4, packet, sizeof(packet), MSG_DONTWAIT));
}

/* ---- the installer's netlink sockets ---- */

/* The controller of families is one itself, and stands for all others. */
int try_own_netlink_other_family(const struct surroundings *surroundings)
{
	int family = request_family(FD_NETLINK_GENERIC, "nlctrl", true);

	(void)surroundings;
	return family < 0 ? family : 0;
}

int try_own_netlink_change_link(const struct surroundings *surroundings)
{
	return request_link_change(FD_NETLINK_ROUTE, surroundings->link, true);
}

int try_own_netlink_private_key(const struct surroundings *surroundings)
{
	(void)surroundings;
	return request_private_key(FD_NETLINK_GENERIC, true);
}

int try_own_netlink_join_group(const struct surroundings *surroundings)
{
	int group = 1;

	(void)surroundings;
	return attempt_result(setsockopt(
		FD_NETLINK_ROUTE, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)));
}
