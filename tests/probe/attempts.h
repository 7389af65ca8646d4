/* SPDX-License-Identifier: ISC */
/* The attempts, by what they go for. Each is explained by its row in table.c. */
#ifndef PULLGATE_PROBE_ATTEMPTS_H
#define PULLGATE_PROBE_ATTEMPTS_H

#include <errno.h>

#include "attempt.h"

/* A system call's result as an attempt's. */
static inline int attempt_result(long returned)
{
	return returned < 0 ? -errno : 0;
}

/* attempts_files.c */
extern attempt_function try_read_shadow, try_read_configuration, try_create_file, try_make_device,
	try_open_by_handle, try_read_proc, try_list_root, try_execute, try_execute_memfd,
	try_write_memfd, try_change_root, try_pivot_root, try_mount, try_unmount, try_open_mount;

/* attempts_processes.c */
extern attempt_function try_fork, try_thread, try_trace_sibling, try_trace_twin, try_kill_sibling,
	try_kill_twin, try_kill_group, try_kill_all, try_read_memory, try_steal_descriptor,
	try_join_namespaces, try_become_root, try_become_roots_group, try_join_groups,
	try_take_capability, try_keep_capability_over_exec, try_clear_no_new_privileges,
	try_become_dumpable, try_outlive_parent, try_read_implies_execute, try_raise_limit,
	try_real_time, try_priority;

/* attempts_kernel.c */
extern attempt_function try_user_namespace, try_network_namespace, try_mount_in_user_namespace,
	try_bpf, try_io_uring, try_perf, try_add_key, try_userfaultfd, try_map_write_execute,
	try_protect_execute, try_32_bit_call, try_local_descriptor_table, try_host_name, try_reboot,
	try_load_module, try_swap, try_set_clock, try_kernel_log, try_port_access,
	try_shared_memory, try_message_queue, try_much_memory, try_lock_memory,
	try_many_descriptors, try_type_for_operator;

/* attempts_network.c */
extern attempt_function try_tcp_loopback, try_tcp_loopback_ipv6, try_tcp_elsewhere,
	try_tcp_elsewhere_ipv6, try_udp_elsewhere, try_listen, try_raw_socket, try_packet_socket,
	try_xdp_socket, try_unix_socket, try_abstract_socket, try_vsock, try_bluetooth,
	try_crypto_socket, try_list_links, try_change_link, try_read_private_key, try_audit,
	try_firewall;

/* attempts_descriptors.c */
extern attempt_function try_frame, try_frame_unaddressed, try_bind_packet_socket, try_promiscuous,
	try_packet_ioctl, try_detach_filter, try_replace_filter, try_read_packets,
	try_packet_socket_as_channel, try_truncate_timestamps, try_grow_timestamps,
	try_write_timestamps, try_map_timestamps_execute, try_execute_timestamps,
	try_overfill_cache, try_reserve_cache, try_open_cache, try_execute_cache, try_channel_ioctl,
	try_channel_credentials, try_channel_buffer, try_channel_address,
	try_channel_send_descriptor, try_channel_receive_descriptor, try_channel_shutdown,
	try_channel_connect, try_channel_write, try_replace_control, try_close_control,
	try_read_input, try_write_input, try_read_errors, try_truncate_errors, try_flood_errors,
	try_replay_elsewhere, try_replay_elsewhere_ipv6, try_replay_other_datagram,
	try_replay_rebind, try_replay_sendmsg, try_replay_receive, try_own_netlink_other_family,
	try_own_netlink_change_link, try_own_netlink_private_key, try_own_netlink_join_group;

#endif
