/* SPDX-License-Identifier: ISC */
/* What /proc/PID/status, limits and mountinfo say; names of capabilities; sockets; command line. */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/audit.h"
#include "audit/capability_names.h"
#include "supervisor/options.h"

/* As Linux 6.1 writes it, without the lines that nobody reads. */
static const char status_text[] =
	"Name:\tpullgate-instal\nUmask:\t0077\nState:\tS (sleeping)\nTgid:\t207\nNgid:\t0\n"
	"Pid:\t207\nPPid:\t205\nTracerPid:\t9\nUid:\t993\t994\t995\t996\n"
	"Gid:\t992\t992\t992\t992\nFDSize:\t64\nGroups:\t4 27 \nNStgid:\t207\t1\nThreads:\t2\n"
	"CapInh:\t0000000000000001\nCapPrm:\t0000000000001000\nCapEff:\t0000000000002000\n"
	"CapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
	"Seccomp_filters:\t3\nSpeculation_Store_Bypass:\tnot vulnerable\n";

static void test_status(void **state)
{
	struct process_status status;

	(void)state;
	assert_int_equal(process_status_parse(&status, status_text), 0);
	assert_false(status.ended);
	assert_int_equal(status.parent, 205);
	assert_int_equal(status.tracer, 9);
	for (unsigned i = 0; i < IDS; i++) {
		assert_int_equal(status.user[i], 993 + i);
		assert_int_equal(status.group[i], 992);
	}
	assert_int_equal(status.groups, 2);
	assert_int_equal(status.umask, 077);
	assert_int_equal(status.threads, 2);
	assert_int_equal(status.no_new_privileges, 1);
	assert_int_equal(status.seccomp, 2);
	assert_int_equal(status.seccomp_filters, 3);
	assert_int_equal(status.capabilities[CAPABILITIES_INHERITABLE], 1);
	assert_int_equal(status.capabilities[CAPABILITIES_PERMITTED], 1 << CAP_NET_ADMIN);
	assert_int_equal(status.capabilities[CAPABILITIES_EFFECTIVE], 1 << CAP_NET_RAW);
	assert_true(status.capabilities[CAPABILITIES_BOUNDING] == 0x1ffffffffff);
	assert_int_equal(status.capabilities[CAPABILITIES_AMBIENT], 0);
}

/* Each line is needed, and none is read half. */
static void test_status_that_lacks_a_line(void **state)
{
	static const char *const lines[] = {"State", "PPid", "TracerPid", "Umask", "Uid", "Gid",
		"Groups", "Threads", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
		"Seccomp", "Seccomp_filters"};
	char text[sizeof(status_text)], line[32];
	struct process_status status;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		memcpy(text, status_text, sizeof(text));
		snprintf(line, sizeof(line), "\n%s:", lines[i]);
		strstr(text, line)[1] = 'x';
		assert_int_equal(process_status_parse(&status, text), -EINVAL);
	}
	memcpy(text, status_text, sizeof(text));
	strstr(text, "\t996")[0] = 'x';
	assert_int_equal(process_status_parse(&status, text), -EINVAL);
	assert_int_equal(process_status_parse(&status, ""), -EINVAL);
}

static void test_status_of_a_zombie(void **state)
{
	struct process_status status;

	(void)state;
	assert_int_equal(
		process_status_parse(&status, "State:\tZ (zombie)\nPPid:\t7\nTracerPid:\t0\n"), 0);
	assert_true(status.ended);
	assert_int_equal(status.parent, 7);
}

static void test_limits(void **state)
{
	static const char text[] =
		"Limit                     Soft Limit           Hard Limit           Units     \n"
		"Max file size             unlimited            unlimited            bytes     \n"
		"Max open files            24                   4096                 files     \n"
		"Max open sockets          broken\n";
	struct rlimit limit;

	(void)state;
	assert_int_equal(limit_parse(text, "Max open files", &limit), 0);
	assert_int_equal(limit.rlim_cur, 24);
	assert_int_equal(limit.rlim_max, 4096);
	assert_int_equal(limit_parse(text, "Max file size", &limit), 0);
	assert_true(limit.rlim_cur == RLIM_INFINITY && limit.rlim_max == RLIM_INFINITY);
	assert_int_equal(limit_parse(text, "Max open", &limit), -EINVAL);
	assert_int_equal(limit_parse(text, "Max open sockets", &limit), -EINVAL);
	assert_int_equal(limit_parse(text, "Max processes", &limit), -EINVAL);
}

static void test_mounts(void **state)
{
	static const char text[] =
		"57 46 0:24 / /run/origin ro,nodev shared:1 master:2 - ext4 /dev/sda1 rw\n"
		"58 57 0:20 / / ro,nosuid - tmpfs none ro,size=4k\n";
	struct root_mount mount;

	(void)state;
	assert_int_equal(root_mount_parse(&mount, text), 0);
	assert_int_equal(mount.mounts, 2);
	assert_string_equal(mount.type, "tmpfs");
	assert_string_equal(mount.options, "ro,nosuid");
	assert_string_equal(mount.other_point, "/run/origin");
	assert_string_equal(mount.other_options, "ro,nodev");
	assert_int_equal(root_mount_parse(&mount, ""), -EINVAL);
	assert_int_equal(root_mount_parse(&mount, "57 46 0:24 / /run ro - ext4 x y\n"), -EINVAL);
	assert_int_equal(root_mount_parse(&mount, "57 46 0:24 / / ro\n"), -EINVAL);
	assert_int_equal(root_mount_parse(&mount, "57 46 0:24 / / ro - tmpfs x y"), -EINVAL);
	assert_true(mount_option("ro,nosuid", "ro"));
	assert_true(mount_option("nosuid,ro", "ro"));
	assert_false(mount_option("errors=ro,root", "ro"));
}

static void test_capability_names(void **state)
{
	const capability_set all = ((capability_set)1 << (CAP_LAST_CAP + 1)) - 1;
	char text[512], small[8];

	(void)state;
	capability_names(0, text, sizeof(text));
	assert_string_equal(text, "none");
	capability_names(all, text, sizeof(text));
	assert_string_equal(text, "all");
	capability_names(all & ~((capability_set)1 << CAP_SYS_MODULE), text, sizeof(text));
	assert_string_equal(text, "all but cap_sys_module");
	capability_names(1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW, text, sizeof(text));
	assert_string_equal(text, "cap_net_admin,cap_net_raw");
	capability_names((capability_set)1 << 60 | 1 << CAP_CHOWN, text, sizeof(text));
	assert_string_equal(text, "cap_chown,others");
	capability_names(1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW, small, sizeof(small));
	assert_string_equal(small, "cap_net");
}

/* Of our own process, by the way that the audit takes to another's. */
static void test_sockets(void **state)
{
	char text[AUDIT_TEXT_BYTES];
	int ends[2], udp, tcp;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	udp = socket(AF_INET6, SOCK_DGRAM, 0);
	tcp = socket(AF_INET, SOCK_STREAM, 0);
	audit_describe_socket(getpid(), ends[0], text);
	assert_string_equal(text, "unix seqpacket");
	audit_describe_socket(getpid(), tcp, text);
	assert_string_equal(text, "ipv4 stream");
	if (udp >= 0) { /* a host may be without IPv6 */
		audit_describe_socket(getpid(), udp, text);
		assert_string_equal(text, "ipv6 dgram");
	}
	audit_describe_socket(getpid(), 999, text);
	assert_string_equal(text, "socket: Bad file descriptor");
	close(ends[0]);
	close(ends[1]);
	close(tcp);
	close(udp);
}

static int parse(struct options *options, char *first, char *second, char *third)
{
	char *arguments[] = {(char *)"pullgate", first, second, third, NULL};
	int count = first == NULL ? 1 : second == NULL ? 2 : third == NULL ? 3 : 4;

	return options_parse(options, count, arguments);
}

static void test_command_lines(void **state)
{
	char audit[] = "--audit", c[] = "-c", file[] = "wg0.conf", joined[] = "-avcwg0.conf",
	     wrong[] = "-x";
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, audit, c, file), 0);
	assert_true(options.audit && !options.check && !options.verbose);
	assert_string_equal(options.config_path, "wg0.conf");
	assert_int_equal(parse(&options, joined, NULL, NULL), 0);
	assert_true(options.audit && options.verbose);
	assert_string_equal(options.config_path, "wg0.conf");
	assert_int_equal(parse(&options, NULL, NULL, NULL), 0);
	assert_null(options.config_path);
	assert_int_equal(parse(&options, wrong, NULL, NULL), -EINVAL);
	assert_int_equal(parse(&options, c, NULL, NULL), -EINVAL);
	assert_int_equal(parse(&options, c, file, file), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_status_that_lacks_a_line),
		cmocka_unit_test(test_status_of_a_zombie),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_capability_names),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_command_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
