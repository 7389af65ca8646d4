/* SPDX-License-Identifier: ISC */
/*
 * Every attempt, and for each role what stops it: in production, and behind that without seccomp.
 * Measured on Linux 6.1, without Landlock's later rules and without MDWE; a newer kernel may stop
 * more.
 */
#include <errno.h>
#include <signal.h>

#include "attempts.h"

#define CAPTURE   (1U << ROLE_CAPTURE)
#define FETCHER   (1U << ROLE_FETCHER)
#define CONNECTOR (1U << ROLE_CONNECTOR)
#define INSTALLER (1U << ROLE_INSTALLER)
#define EVERY     (CAPTURE | FETCHER | CONNECTOR | INSTALLER)
#define ISOLATED  (CAPTURE | FETCHER)     /* with a network namespace of their own */
#define NETWORKED (CONNECTOR | INSTALLER) /* in the host's */

#define BUT(roles) (EVERY & ~(roles))

const char seccomp_alone[] = "none: seccomp alone";

/* How attempts end. */
#define STOPPED(error, by)    \
	{                     \
		(error), (by) \
	}
#define SECCOMP           STOPPED(-SIGSYS, "seccomp")
#define UNSTOPPED         STOPPED(0, seccomp_alone)
#define HARMLESS(because) STOPPED(0, because)

#define ROOT           STOPPED(ENOENT, "root")
#define READ_ONLY_ROOT STOPPED(EROFS, "root: read-only")
#define LANDLOCK       STOPPED(EACCES, "landlock")
#define CAPABILITIES   STOPPED(EPERM, "capabilities")
#define USER           STOPPED(EPERM, "user id")
#define NETWORK        STOPPED(ENETUNREACH, "network namespace")
#define PROCESSES      STOPPED(ESRCH, "PID namespace")
#define IPC            STOPPED(ENOENT, "IPC namespace")
#define NO_CHILDREN    STOPPED(EAGAIN, "limit: processes")
#define NO_PROGRAMS    STOPPED(EAGAIN, "limit: processes (execve looks, too)")
#define NO_FILES       STOPPED(EFBIG, "limit: file size")
#define LOCKED         STOPPED(EPERM, "kernel: the filter is locked")
#define SEALED         STOPPED(EPERM, "kernel: the memory is sealed")

/* Rows: the roles, how it ends in production, and without seccomp. */
#define ROW(roles, ...)              \
	{                            \
		(roles), __VA_ARGS__ \
	}
#define BOTH(roles, ...)        ROW(roles, __VA_ARGS__, __VA_ARGS__)
#define ALLOWED(roles, because) BOTH(roles, STOPPED(0, "allowed: " because))

#define ATTEMPT(text, function, ...)                                       \
	{                                                                  \
		.name = text, .try = function, .expected = { __VA_ARGS__ } \
	}

#define NO_FILTER_SEES  "whom it connects to is the firewall's"
#define ITS_OWN_SILENCE "its own loss: the supervisor starts it afresh"

const struct attempt attempts[] = {
	/* Files and programs. */
	ATTEMPT("read /etc/shadow", try_read_shadow, ROW(BUT(CONNECTOR), SECCOMP, ROOT),
		BOTH(CONNECTOR, ROOT)),
	ATTEMPT("read the interface's configuration", try_read_configuration,
		ROW(BUT(CONNECTOR), SECCOMP, ROOT), BOTH(CONNECTOR, ROOT)),
	ATTEMPT("read /proc/self/fd", try_read_proc, ROW(BUT(CONNECTOR), SECCOMP, ROOT),
		BOTH(CONNECTOR, ROOT)),
	ATTEMPT("read /usr", try_list_root, ROW(BUT(CONNECTOR), SECCOMP, ROOT),
		BOTH(CONNECTOR, ROOT)),
	ATTEMPT("create a file", try_create_file, ROW(EVERY, SECCOMP, READ_ONLY_ROOT)),
	ATTEMPT("make a device", try_make_device, ROW(EVERY, SECCOMP, READ_ONLY_ROOT)),
	ATTEMPT("open a file by its handle", try_open_by_handle, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("run /bin/true", try_execute, ROW(EVERY, SECCOMP, NO_PROGRAMS)),
	/* The fetcher's cache may grow, and so may any other file of its. */
	ATTEMPT("write a file in memory", try_write_memfd, ROW(BUT(FETCHER), SECCOMP, NO_FILES),
		ROW(FETCHER, SECCOMP, UNSTOPPED)),
	ATTEMPT("run a program from memory", try_execute_memfd,
		ROW(BUT(FETCHER), SECCOMP, NO_FILES), ROW(FETCHER, SECCOMP, NO_PROGRAMS)),
	ATTEMPT("chroot", try_change_root, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("pivot_root", try_pivot_root, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("mount", try_mount, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("unmount", try_unmount, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("open a file system to mount", try_open_mount, ROW(EVERY, SECCOMP, CAPABILITIES)),

	/* Processes. */
	ATTEMPT("fork", try_fork, ROW(EVERY, SECCOMP, NO_CHILDREN)),
	ATTEMPT("start a thread", try_thread, ROW(EVERY, SECCOMP, NO_CHILDREN)),
	ATTEMPT("trace a sibling", try_trace_sibling, ROW(EVERY, SECCOMP, PROCESSES)),
	ATTEMPT("trace its like of another instance", try_trace_twin,
		ROW(EVERY, SECCOMP, PROCESSES)),
	ATTEMPT("kill a sibling", try_kill_sibling, ROW(EVERY, SECCOMP, PROCESSES)),
	ATTEMPT("kill its like of another instance", try_kill_twin, ROW(EVERY, SECCOMP, PROCESSES)),
	ATTEMPT("kill its process group", try_kill_group,
		ROW(EVERY, SECCOMP, STOPPED(ESRCH, "session of its own"))),
	ATTEMPT("kill every process", try_kill_all, ROW(EVERY, SECCOMP, PROCESSES)),
	ATTEMPT("read another's memory", try_read_memory, ROW(EVERY, SECCOMP, PROCESSES)),
	ATTEMPT("take another's descriptor", try_steal_descriptor, ROW(EVERY, SECCOMP, PROCESSES)),
	ATTEMPT("setns to another's namespaces", try_join_namespaces,
		ROW(EVERY, SECCOMP, PROCESSES)),
	ATTEMPT("setuid(0)", try_become_root, ROW(EVERY, SECCOMP, USER)),
	ATTEMPT("setgid(0)", try_become_roots_group, ROW(EVERY, SECCOMP, USER)),
	ATTEMPT("join a group", try_join_groups, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("regain each capability", try_take_capability, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("keep a capability across exec", try_keep_capability_over_exec,
		ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("clear no_new_privs", try_clear_no_new_privileges,
		ROW(EVERY, SECCOMP, STOPPED(EINVAL, "kernel: no_new_privs stays"))),
	ATTEMPT("become dumpable", try_become_dumpable, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("outlive the supervisor", try_outlive_parent, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("make readable memory executable (personality)", try_read_implies_execute,
		ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("raise a limit", try_raise_limit, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("run in real time", try_real_time, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("raise its priority", try_priority,
		ROW(EVERY, SECCOMP, STOPPED(EACCES, "capabilities"))),

	/* The kernel's wider surface. */
	ATTEMPT("make a user namespace", try_user_namespace, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("mount in a user namespace of its own", try_mount_in_user_namespace,
		ROW(EVERY, SECCOMP, STOPPED(EPERM, "landlock: no mounts"))),
	ATTEMPT("make a network namespace", try_network_namespace,
		ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("load a BPF program", try_bpf, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("io_uring_setup", try_io_uring, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("perf_event_open", try_perf,
		ROW(EVERY, SECCOMP, STOPPED(EACCES, "sysctl kernel.perf_event_paranoid"))),
	ATTEMPT("add a key to a keyring", try_add_key, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("userfaultfd", try_userfaultfd, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("map memory to write and run", try_map_write_execute,
		ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("make written memory run", try_protect_execute, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("a 32-bit system call", try_32_bit_call, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("modify_ldt", try_local_descriptor_table, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("set the host's name", try_host_name, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("reboot", try_reboot, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("load a kernel module", try_load_module, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("swapon", try_swap, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("set the clock", try_set_clock, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("read the kernel's log", try_kernel_log, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("reach the machine's ports (iopl)", try_port_access,
		ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("attach another's shared memory", try_shared_memory, ROW(EVERY, SECCOMP, IPC)),
	ATTEMPT("open another's message queue", try_message_queue, ROW(EVERY, SECCOMP, IPC)),
	ATTEMPT("take 3 GiB of memory", try_much_memory,
		BOTH(BUT(FETCHER), STOPPED(ENOMEM, "limit: address space")),
		BOTH(FETCHER, STOPPED(EAGAIN, "limit: locked memory"))),
	ATTEMPT("lock memory", try_lock_memory,
		ROW(BUT(FETCHER), SECCOMP, STOPPED(EPERM, "limit: locked memory")),
		ROW(FETCHER, SECCOMP, HARMLESS("all its memory is locked"))),
	ATTEMPT("hold 4,096 descriptors", try_many_descriptors,
		ROW(EVERY, SECCOMP, STOPPED(EMFILE, "limit: descriptors"))),
	{"type into the operator's terminal", try_type_for_operator, true,
		{ROW(EVERY, SECCOMP, STOPPED(EPERM, "session of its own"))}},

	/* Sockets of its own. */
	ATTEMPT("TCP to the host's loopback", try_tcp_loopback, ROW(ISOLATED, SECCOMP, NETWORK),
		ALLOWED(CONNECTOR, NO_FILTER_SEES), ROW(INSTALLER, SECCOMP, UNSTOPPED)),
	ATTEMPT("TCP to the host's loopback by IPv6", try_tcp_loopback_ipv6,
		ROW(ISOLATED, SECCOMP, STOPPED(EADDRNOTAVAIL, "network namespace")),
		ALLOWED(CONNECTOR, NO_FILTER_SEES), ROW(INSTALLER, SECCOMP, UNSTOPPED)),
	ATTEMPT("TCP elsewhere", try_tcp_elsewhere, ROW(ISOLATED, SECCOMP, NETWORK),
		ALLOWED(CONNECTOR, NO_FILTER_SEES), ROW(INSTALLER, SECCOMP, UNSTOPPED)),
	ATTEMPT("TCP elsewhere by IPv6", try_tcp_elsewhere_ipv6,
		ROW(ISOLATED, SECCOMP, STOPPED(EADDRNOTAVAIL, "network namespace")),
		ALLOWED(CONNECTOR, NO_FILTER_SEES), ROW(INSTALLER, SECCOMP, UNSTOPPED)),
	ATTEMPT("UDP elsewhere", try_udp_elsewhere, ROW(ISOLATED, SECCOMP, NETWORK),
		ALLOWED(CONNECTOR, NO_FILTER_SEES), ROW(INSTALLER, SECCOMP, UNSTOPPED)),
	ATTEMPT("listen on an address of the host", try_listen, ROW(ISOLATED, SECCOMP, NETWORK),
		ROW(NETWORKED, SECCOMP, UNSTOPPED)),
	ATTEMPT("make a raw socket", try_raw_socket, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("make a packet socket", try_packet_socket, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("make an XDP socket", try_xdp_socket, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("make a vsock", try_vsock, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("make a Bluetooth socket", try_bluetooth, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("make a socket of the kernel's crypto", try_crypto_socket,
		ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("connect to a service's Unix socket", try_unix_socket,
		ROW(BUT(CONNECTOR), SECCOMP, ROOT), BOTH(CONNECTOR, ROOT)),
	ATTEMPT("connect to a service's abstract Unix socket", try_abstract_socket,
		ROW(ISOLATED, SECCOMP, STOPPED(ECONNREFUSED, "network namespace")),
		ALLOWED(CONNECTOR, "only Linux 6.12's Landlock tells them apart"),
		ROW(INSTALLER, SECCOMP, UNSTOPPED)),
	ATTEMPT("netlink: look at the host's links", try_list_links,
		ROW(ISOLATED, SECCOMP, STOPPED(ENODEV, "network namespace")),
		ALLOWED(CONNECTOR, "the resolver reads own addresses so"),
		ROW(INSTALLER, SECCOMP, UNSTOPPED)),
	ATTEMPT("netlink: change a link of the host", try_change_link,
		ROW(ISOLATED, SECCOMP, CAPABILITIES), BOTH(CONNECTOR, CAPABILITIES),
		ROW(INSTALLER, SECCOMP, UNSTOPPED)),
	ATTEMPT("netlink: read WireGuard's private key", try_read_private_key,
		ROW(BUT(INSTALLER), SECCOMP, CAPABILITIES), ROW(INSTALLER, SECCOMP, UNSTOPPED)),
	ATTEMPT("netlink: audit", try_audit, ROW(EVERY, SECCOMP, CAPABILITIES)),
	ATTEMPT("netlink: firewall", try_firewall, ROW(BUT(INSTALLER), SECCOMP, CAPABILITIES),
		ROW(INSTALLER, SECCOMP, UNSTOPPED)),

	/* The packet socket. */
	ATTEMPT("packet socket: send a frame", try_frame, ROW(CAPTURE, SECCOMP, UNSTOPPED)),
	ATTEMPT("packet socket: send a frame by write", try_frame_unaddressed,
		ROW(CAPTURE, SECCOMP, STOPPED(EINVAL, "kernel: nowhere to send it to"))),
	ATTEMPT("packet socket: bind", try_bind_packet_socket, ROW(CAPTURE, SECCOMP, UNSTOPPED)),
	ATTEMPT("packet socket: promiscuous mode", try_promiscuous,
		ROW(CAPTURE, SECCOMP, UNSTOPPED)),
	ATTEMPT("packet socket: list the host's interfaces (ioctl)", try_packet_ioctl,
		ROW(CAPTURE, SECCOMP, UNSTOPPED)),
	ATTEMPT("packet socket: detach the filter", try_detach_filter,
		ROW(CAPTURE, SECCOMP, LOCKED)),
	ATTEMPT("packet socket: attach another filter", try_replace_filter,
		ROW(CAPTURE, SECCOMP, LOCKED)),
	ATTEMPT("packet socket: read", try_read_packets, ROW(CAPTURE, SECCOMP, UNSTOPPED)),
	ATTEMPT("packet socket: make it a channel", try_packet_socket_as_channel,
		ROW(CAPTURE, SECCOMP, UNSTOPPED)),

	/* The timestamp record. */
	ATTEMPT("timestamps: truncate", try_truncate_timestamps, ROW(CAPTURE, SECCOMP, SEALED)),
	ATTEMPT("timestamps: grow", try_grow_timestamps, ROW(CAPTURE, SECCOMP, NO_FILES)),
	ATTEMPT("timestamps: write", try_write_timestamps, ROW(CAPTURE, SECCOMP, NO_FILES)),
	ATTEMPT("timestamps: map to run", try_map_timestamps_execute,
		ROW(CAPTURE, SECCOMP, UNSTOPPED)),
	ATTEMPT("timestamps: run as a program", try_execute_timestamps,
		ROW(CAPTURE, SECCOMP, NO_PROGRAMS)),

	/* The cache's files. */
	ATTEMPT("cache: grow beyond its bound", try_overfill_cache,
		ROW(FETCHER, NO_FILES, NO_FILES)),
	ATTEMPT("cache: reserve room", try_reserve_cache, ROW(FETCHER, SECCOMP, NO_FILES)),
	ATTEMPT("cache: open it to anybody", try_open_cache, ROW(FETCHER, SECCOMP, USER)),
	ATTEMPT("cache: run as a program", try_execute_cache, ROW(FETCHER, SECCOMP, NO_PROGRAMS)),

	/* Channels. */
	ATTEMPT("channel: list the host's interfaces (ioctl)", try_channel_ioctl,
		ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("channel: the peer's credentials", try_channel_credentials,
		ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("channel: a queue without bounds", try_channel_buffer,
		ROW(BUT(INSTALLER), SECCOMP, CAPABILITIES), ROW(INSTALLER, SECCOMP, UNSTOPPED)),
	ATTEMPT("channel: send to an address", try_channel_address,
		ROW(EVERY, SECCOMP, HARMLESS("kernel: ignores it on a connected socket"))),
	ATTEMPT("channel: connect elsewhere", try_channel_connect,
		ROW(BUT(CONNECTOR), SECCOMP, STOPPED(EISCONN, "kernel: it is connected")),
		BOTH(CONNECTOR, STOPPED(EISCONN, "kernel: it is connected"))),
	ATTEMPT("channel: send the supervisor a descriptor", try_channel_send_descriptor,
		ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("channel: receive a descriptor where none comes", try_channel_receive_descriptor,
		ROW(BUT(CONNECTOR), SECCOMP, UNSTOPPED),
		ALLOWED(CONNECTOR, "the resolver receives so; the fetcher sends none")),
	ATTEMPT("channel: shut it down", try_channel_shutdown,
		ROW(BUT(FETCHER), SECCOMP, UNSTOPPED), ALLOWED(FETCHER, ITS_OWN_SILENCE)),
	ATTEMPT("channel: write", try_channel_write, ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("channel: put another descriptor in its place", try_replace_control,
		ROW(EVERY, SECCOMP, UNSTOPPED)),
	ATTEMPT("channel: close it", try_close_control, ALLOWED(EVERY, ITS_OWN_SILENCE)),

	/* Standard streams. */
	ATTEMPT("standard input: read", try_read_input,
		ROW(BUT(CONNECTOR), SECCOMP, HARMLESS("it is /dev/null")),
		BOTH(CONNECTOR, HARMLESS("it is /dev/null"))),
	ATTEMPT("standard input: write", try_write_input,
		ROW(EVERY, SECCOMP, STOPPED(EBADF, "kernel: opened to read"))),
	ATTEMPT("standard error: read a log pipe", try_read_errors,
		ROW(BUT(CONNECTOR), SECCOMP, STOPPED(EBADF, "kernel: opened to write")),
		BOTH(CONNECTOR, STOPPED(EBADF, "kernel: opened to write"))),
	ATTEMPT("standard error: truncate", try_truncate_errors,
		ROW(EVERY, SECCOMP, STOPPED(EINVAL, "kernel: it is no file"))),
	ATTEMPT("standard error: write a million bytes", try_flood_errors,
		ALLOWED(EVERY, "log lines; journald limits their rate")),

	/* Replay sockets. */
	ATTEMPT("replay socket: to another host", try_replay_elsewhere,
		BOTH(INSTALLER, HARMLESS("the socket is bound to lo: nothing leaves"))),
	ATTEMPT("replay socket: to another host by IPv6", try_replay_elsewhere_ipv6,
		ALLOWED(INSTALLER, "no wall; its code alone keeps to local addresses")),
	ATTEMPT("replay socket: a datagram that is no initiation", try_replay_other_datagram,
		ALLOWED(INSTALLER, "no wall; its code alone builds initiations")),
	ATTEMPT("replay socket: bind it to another interface", try_replay_rebind,
		ROW(INSTALLER, SECCOMP, CAPABILITIES)),
	ATTEMPT("replay socket: sendmsg", try_replay_sendmsg, ROW(INSTALLER, SECCOMP, UNSTOPPED)),
	ATTEMPT("replay socket: receive", try_replay_receive, ROW(INSTALLER, SECCOMP, UNSTOPPED)),

	/* The installer's netlink sockets. */
	ATTEMPT("own netlink socket: another family", try_own_netlink_other_family,
		ALLOWED(INSTALLER, "no filter sees netlink messages")),
	ATTEMPT("own netlink socket: change a link of the host", try_own_netlink_change_link,
		ALLOWED(INSTALLER, "no filter sees netlink messages; it has CAP_NET_ADMIN")),
	ATTEMPT("own netlink socket: read WireGuard's private key", try_own_netlink_private_key,
		ALLOWED(INSTALLER, "a dump that it needs holds the key")),
	ATTEMPT("own netlink socket: listen to the kernel's notices", try_own_netlink_join_group,
		ROW(INSTALLER, SECCOMP, UNSTOPPED)),
};

const size_t attempt_count = sizeof(attempts) / sizeof(attempts[0]);

const struct expectation *attempt_expects(const struct attempt *attempt, enum role role)
{
	const struct expectation *one = attempt->expected;

	while (one->roles != 0) {
		if ((one->roles & 1U << role) != 0)
			return one;
		one++;
	}
	return NULL;
}
