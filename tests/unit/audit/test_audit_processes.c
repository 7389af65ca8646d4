/* SPDX-License-Identifier: ISC */
/* An audit of processes as designed, and of each thing that can differ. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/proc.h"
#include "fake_proc.h"

#define CAPTURE   (FAKE_SUPERVISOR + ROLE_CAPTURE)
#define FETCHER   (FAKE_SUPERVISOR + ROLE_FETCHER)
#define CONNECTOR (FAKE_SUPERVISOR + ROLE_CONNECTOR)
#define INSTALLER (FAKE_SUPERVISOR + ROLE_INSTALLER)

static struct fake_proc fake;
static struct audit audit;
static char *printed;

static const char *fetcher_root; /* of the next audit */

static enum audit_result run_audit(void)
{
	size_t size;
	FILE *out;
	enum audit_result result;

	free(printed);
	audit = (struct audit){.proc = fake.proc,
		.config_path = fake.config,
		.fetcher_root = fetcher_root,
		.describe_socket = fake_proc_describe_socket};
	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++)
		audit.users[role] =
			(struct user){.user_id = FAKE_USER(role), .group_id = FAKE_USER(role)};
	out = open_memstream(&printed, &size);
	assert_non_null(out);
	result = audit_run(&audit, out);
	fclose(out);
	return result;
}

static int set_up(void **state)
{
	(void)state;
	fake_proc_make(&fake);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_proc_remove(&fake);
	free(printed);
	printed = NULL;
	return 0;
}

static void test_as_designed(void **state)
{
	(void)state;
	if (run_audit() != AUDIT_AS_DESIGNED)
		fail_msg("%s", printed);
	assert_non_null(strstr(printed, "\nall as designed: 5 processes, "));
	assert_null(strstr(printed, "DIFFERS"));
	assert_true(audit.report.facts > 150);
}

/* Exactly one fact differs, and its line has this text. */
static void assert_differs(const char *fact, const char *found, const char *expected)
{
	enum audit_result result = run_audit();
	char *line = strstr(printed, "DIFFERS");

	if (result != AUDIT_DIFFERS || audit.report.differences != 1 || line == NULL)
		fail_msg("%s: %u differences\n%s", fact, audit.report.differences, printed);
	while (line > printed && line[-1] != '\n')
		line--;
	*strchr(line, '\n') = '\0';
	if (strstr(line, fact) == NULL || strstr(line, found) == NULL ||
		strstr(line, expected) == NULL)
		fail_msg("%s is not: %s", fact, line);
}

struct difference {
	int pid;
	const char *file, *old, *new; /* of a file */
	const char *fact, *found, *expected;
};

static void test_texts(void **state)
{
	static const struct difference all[] = {
		{CAPTURE, "status", "Uid:\t61001", "Uid:\t0", "Uid", "0 61001 61001 61001",
			"expected 61001"},
		{CAPTURE, "status", "Gid:\t61001\t61001", "Gid:\t61001\t0", "Gid", "61001 0 61001",
			"expected 61001"},
		{FETCHER, "status", "Groups:\t", "Groups:\t27", "Groups", "1", "expected 0"},
		{CAPTURE, "status", "CapInh:\t0", "CapInh:\t8", "CapInh", "others",
			"expected none"},
		{CAPTURE, "status", "CapPrm:\t0000000000000000", "CapPrm:\t0000000000200000",
			"CapPrm", "cap_sys_admin", "expected none"},
		{INSTALLER, "status", "CapEff:\t0000000000001000", "CapEff:\t0000000000003000",
			"CapEff", "cap_net_admin,cap_net_raw", "expected cap_net_admin"},
		{INSTALLER, "status", "CapEff:\t0000000000001000", "CapEff:\t0000000000000000",
			"CapEff", "none", "expected cap_net_admin"},
		{INSTALLER, "status", "CapBnd:\t0000000000000000", "CapBnd:\t0000000000001000",
			"CapBnd", "cap_net_admin", "expected none"},
		{CONNECTOR, "status", "CapAmb:\t0000000000000000", "CapAmb:\t0000000000000001",
			"CapAmb", "cap_chown", "expected none"},
		{CONNECTOR, "status", "NoNewPrivs:\t1", "NoNewPrivs:\t0", "NoNewPrivs", "0",
			"expected 1"},
		{FETCHER, "status", "Seccomp:\t2", "Seccomp:\t0", "Seccomp", "0", "expected 2"},
		{FETCHER, "status", "Seccomp_filters:\t2", "Seccomp_filters:\t1", "Seccomp_filters",
			"1", "expected 2"},
		{FETCHER, "status", "Threads:\t1", "Threads:\t3", "threads", "3", "expected 1"},
		{FETCHER, "status", "TracerPid:\t0", "TracerPid:\t77", "tracer", "77",
			"expected 0"},
		{FETCHER, "status", "Umask:\t0077", "Umask:\t0022", "Umask", "022", "expected 077"},
		{CAPTURE, "environ", "JOURNAL_STREAM", "LD_PRELOAD", "environment", "LD_PRELOAD",
			"expected JOURNAL_STREAM"},
		{INSTALLER, "limits", "28", "29", "open files", "29", "expected at most 28"},
		{INSTALLER, "limits", "Max processes             0", "Max processes             7",
			"processes", "7, hard 0", "expected 0"},
		{INSTALLER, "limits", "28                   28", "28                   4096",
			"open files", "28, hard 4096", "expected at most 28"},
		{INSTALLER, "limits", "Max core", "Max bore", "core file size", "unknown",
			"expected 0"},
		{CAPTURE, "mountinfo", "ro,nosuid,nodev,noexec -", "rw,nosuid,nodev,noexec -",
			"root's mount", "tmpfs rw,nosuid", "expected tmpfs ro,"},
		{CAPTURE, "mountinfo", "noexec", "exec", "root's mount", "nodev,exec",
			"expected tmpfs ro,nosuid,nodev,noexec"},
		{CAPTURE, "mountinfo", "tmpfs", "ext4", "root's mount", "ext4", "expected tmpfs"},
		{CAPTURE, "mountinfo", "9 8", "9 8 0:1 / /usr ro - ext4 a b\n9 8", "mounts", "2",
			"expected 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		fake_proc_replace(&fake, all[i].pid, all[i].file, all[i].old, all[i].new);
		assert_differs(all[i].fact, all[i].found, all[i].expected);
		fake_proc_replace(&fake, all[i].pid, all[i].file, all[i].new, all[i].old);
	}
	assert_int_equal(run_audit(), AUDIT_AS_DESIGNED);
}

static void test_links(void **state)
{
	static const struct {
		int pid;
		const char *file, *before, *after, *fact, *found, *expected;
	} all[] = {
		{CAPTURE, "ns/net", "net:[101]", "net:[1]", "network namespace", "the supervisor's",
			"expected its own"},
		{CAPTURE, "ns/user", "user:[1]", "user:[9]", "user namespace", "its own",
			"expected the supervisor's"},
		{INSTALLER, "ns/net", "net:[1]", "net:[9]", "network namespace", "its own",
			"expected the supervisor's"},
		{INSTALLER, "ns/pid", "pid:[104]", "pid:[1]", "PID namespace", "the supervisor's",
			"expected its own"},
		{CAPTURE, "cwd", "root", "/usr", "working directory", "/usr", "its root"},
		{CAPTURE, "fd/0", "/dev/null", "/etc/shadow", "descriptor 0", "/etc/shadow",
			"expected /dev/null"},
		{CAPTURE, "fd/1", "pipe:[7]", "pipe:[8]", "descriptor 1", "pipe:[8]",
			"expected pipe:[7]"},
		{CAPTURE, "fd/4", "/dev/null", "socket:[9]", "descriptor 4", "unix seqpacket",
			"expected /dev/null"},
		{CAPTURE, "fd/8", "socket:[5]", "/dev/null", "descriptor 8", "/dev/null",
			"expected packet dgram, filter locked"},
		{CAPTURE, "fd/9", "/memfd:timestamps (deleted)", "/memfd:other (deleted)",
			"descriptor 9", "memfd other", "expected memfd timestamps"},
		{INSTALLER, "fd/10", "socket:[5]", "/dev/null", "descriptor 10", "/dev/null",
			"expected ipv4 raw"},
		{INSTALLER, "fd/5", "socket:[5]", "/dev/null", "5 to fetcher", "/dev/null",
			"expected unix seqpacket"},
		{FETCHER, "fd/12", FAKE_CACHE, "/etc/shadow", "descriptor 12", "/etc/shadow",
			"expected */peers.sqlite"},
		{FETCHER, "fd/13", FAKE_CACHE "-wal", FAKE_CACHE, "descriptor 13", FAKE_CACHE,
			"expected */peers.sqlite-wal"},
		{CONNECTOR, "fd/1", "pipe:[7]", "\033[2J", "descriptor 1", "?[2J",
			"expected pipe:[7]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		fake_proc_link(&fake, all[i].pid, all[i].file, all[i].after);
		assert_differs(all[i].fact, all[i].found, all[i].expected);
		fake_proc_link(&fake, all[i].pid, all[i].file, all[i].before);
	}
	assert_int_equal(run_audit(), AUDIT_AS_DESIGNED);
}

static void remove_file(int pid, const char *name)
{
	char path[PATH_MAX];

	assert_int_equal(proc_path(fake.proc, pid, name, path), 0);
	assert_int_equal(remove(path), 0);
}

static void test_descriptors_above_the_table(void **state)
{
	(void)state;
	fake_proc_link(&fake, CONNECTOR, "fd/900", "socket:[9]");
	fake_proc_link(&fake, CONNECTOR, "fd/16", "/etc/hosts");
	assert_int_equal(run_audit(), AUDIT_AS_DESIGNED);
	assert_non_null(strstr(printed, "1 ipv4 dgram"));
	fake_proc_link(&fake, FETCHER, "fd/900", "socket:[9]");
	fake_proc_link(&fake, FETCHER, "fd/901", "socket:[9]");
	assert_differs("16 and above", "2 ipv4 dgram", "expected none but ipv4 stream, ");
	remove_file(FETCHER, "fd/900");
	remove_file(FETCHER, "fd/901");
	fake_proc_link(&fake, FAKE_SUPERVISOR, "fd/7", "/dev/mem");
	assert_differs("3 and above", "1 /dev/mem", "expected none but unix seqpacket");
	remove_file(FAKE_SUPERVISOR, "fd/7");
	remove_file(CAPTURE, "fd/10");
	assert_differs("descriptor 10", "not open", "expected /dev/null");
}

/* A gateway whose cache doesn't persist. */
static void test_no_cache(void **state)
{
	(void)state;
	fake_proc_link(&fake, FETCHER, "fd/12", "/dev/null");
	fake_proc_link(&fake, FETCHER, "fd/13", "/dev/null");
	assert_int_equal(run_audit(), AUDIT_AS_DESIGNED);
	fake_proc_link(&fake, CAPTURE, "fd/12", FAKE_CACHE);
	assert_differs("descriptor 12", FAKE_CACHE, "expected /dev/null");
}

static void test_roots(void **state)
{
	(void)state;
	fake_proc_write(&fake, CAPTURE, "root/dev", "", 0);
	assert_differs("root", "/dev", "expected empty");
	remove_file(CAPTURE, "root/dev");
	fake_proc_write(&fake, CONNECTOR, "root/etc/shadow", "", 0);
	assert_differs("root", "/etc/shadow", "expected the resolver's files alone");
	remove_file(CONNECTOR, "root/etc/shadow");
	fake_proc_write(&fake, CONNECTOR, "root/etcetera", "", 0);
	assert_differs("root", "/etcetera", "expected the resolver's files alone");
}

/* A connector that reaches its origin by a Unix socket has the socket's directory alone. */
static void test_root_with_a_shared_directory(void **state)
{
	char path[PATH_MAX];

	(void)state;
	remove_file(CONNECTOR, "root/etc/hosts");
	remove_file(CONNECTOR, "root/etc");
	assert_int_equal(proc_path(fake.proc, CONNECTOR, "root/run", path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	fake_proc_replace(&fake, CONNECTOR, "mountinfo", "9 8",
		"7 9 0:1 / /run/origin ro,nosuid,nodev,noexec - ext4 a b\n9 8");
	if (run_audit() != AUDIT_AS_DESIGNED)
		fail_msg("%s", printed);
	fake_proc_write(&fake, CONNECTOR, "root/usr", "", 0);
	assert_differs("root", "/usr", "expected the directory of the origin's socket alone");
	remove_file(CONNECTOR, "root/usr");
	fake_proc_replace(&fake, CONNECTOR, "mountinfo", "/run/origin ro", "/run/origin rw");
	assert_differs("second mount", "/run/origin rw", "expected ro,");
}

/* A fetcher that reads files has the origin's directory as its root, and no other. */
static void test_root_that_is_a_directory(void **state)
{
	char root[PATH_MAX], other[PATH_MAX];

	(void)state;
	assert_int_equal(proc_path(fake.proc, FETCHER, "root", root), 0);
	assert_int_equal(proc_path(fake.proc, CAPTURE, "root", other), 0);
	fake_proc_write(&fake, FETCHER, "root/peer.json", "", 0);
	assert_differs("root", "/peer.json", "expected empty");
	fetcher_root = root;
	fake_proc_replace(&fake, FETCHER, "mountinfo", "0:2 / / ro,nosuid,nodev,noexec - tmpfs",
		"0:2 /peers / ro,nosuid,nodev,noexec - ext4");
	if (run_audit() != AUDIT_AS_DESIGNED)
		fail_msg("%s", printed);
	fetcher_root = other;
	assert_differs("root", "another directory", "expected ");
	fetcher_root = root;
	fake_proc_replace(&fake, FETCHER, "mountinfo", "/ ro,", "/ rw,");
	assert_differs("root's mount", "ext4 rw,", "expected ro,");
	fetcher_root = NULL;
}

static void test_dumps(void **state)
{
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(proc_path(fake.proc, CAPTURE, "status", path), 0);
	assert_int_equal(chown(path, FAKE_USER(ROLE_CAPTURE), 0), 0);
	assert_differs("dumpable", "yes", "expected no");
}

static void test_programs(void **state)
{
	char path[PATH_MAX], other[PATH_MAX];

	(void)state;
	snprintf(path, sizeof(path), "%s/bin/pullgate-capture (deleted)", fake.top);
	fake_proc_link(&fake, CAPTURE, "exe", path);
	assert_differs("executable", "(deleted)", "expected the file beside the supervisor's");
	snprintf(path, sizeof(path), "%s/pullgate-capture", fake.top);
	snprintf(other, sizeof(other), "%s/bin/pullgate-fetcher", fake.top);
	assert_int_equal(link(other, path), 0);
	fake_proc_link(&fake, CAPTURE, "exe", path);
	assert_differs("executable", fake.top, "expected the file beside the supervisor's");
}

static void test_children(void **state)
{
	(void)state;
	fake_proc_replace(&fake, CAPTURE, "status", "PPid:\t100", "PPid:\t102");
	assert_int_equal(run_audit(), AUDIT_DIFFERS);
	assert_non_null(strstr(printed, "doesn't run"));
	assert_int_equal(audit.report.differences, 3); /* the supervisor's, the fetcher's, itself */
	fake_proc_replace(&fake, CAPTURE, "status", "PPid:\t102", "PPid:\t100");
	fake_proc_replace(&fake, CAPTURE, "status", "State:\tS", "State:\tZ");
	assert_int_equal(run_audit(), AUDIT_DIFFERS);
	assert_non_null(strstr(printed, "doesn't run"));
}

static void test_strangers(void **state)
{
	(void)state;
	fake_proc_link(&fake, CAPTURE, "exe", "/bin/sh");
	assert_int_equal(run_audit(), AUDIT_DIFFERS);
	assert_int_equal(audit.instance.strangers, 1);
	assert_non_null(strstr(printed, "other children"));
	assert_non_null(strstr(printed, "doesn't run"));
}

static void test_no_instance(void **state)
{
	static const char check[] = "pullgate\0-n\0-c\0wg0.conf",
			  audits[] = "pullgate\0-ac\0wg0.conf",
			  other[] = "pullgate\0-c\0other.conf";
	char path[PATH_MAX];

	(void)state;
	fake_proc_write(&fake, FAKE_SUPERVISOR, "cmdline", check, sizeof(check));
	assert_int_equal(run_audit(), AUDIT_IMPOSSIBLE);
	fake_proc_write(&fake, FAKE_SUPERVISOR, "cmdline", audits, sizeof(audits));
	assert_int_equal(run_audit(), AUDIT_IMPOSSIBLE);
	fake_proc_write(&fake, FAKE_SUPERVISOR, "cmdline", other, sizeof(other));
	assert_int_equal(run_audit(), AUDIT_IMPOSSIBLE);
	/* The same file by another name is the same. */
	snprintf(path, sizeof(path), "%s/other.conf", fake.top);
	assert_int_equal(link(fake.config, path), 0);
	assert_int_equal(run_audit(), AUDIT_AS_DESIGNED);
	assert_int_equal(unlink(fake.config), 0);
	assert_int_equal(run_audit(), AUDIT_IMPOSSIBLE);
}

static void test_two_instances(void **state)
{
	char from[PATH_MAX], to[PATH_MAX];

	(void)state;
	assert_int_equal(proc_path(fake.proc, FAKE_SUPERVISOR, "", from), 0);
	snprintf(to, sizeof(to), "%s/200", fake.proc);
	from[strlen(from) - 1] = '\0';
	assert_int_equal(symlink(from, to), 0);
	assert_int_equal(run_audit(), AUDIT_IMPOSSIBLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_as_designed),
		TEST(test_texts),
		TEST(test_links),
		TEST(test_descriptors_above_the_table),
		TEST(test_no_cache),
		TEST(test_roots),
		TEST(test_root_with_a_shared_directory),
		TEST(test_root_that_is_a_directory),
		TEST(test_dumps),
		TEST(test_programs),
		TEST(test_children),
		TEST(test_strangers),
		TEST(test_no_instance),
		TEST(test_two_instances),
	};

	if (geteuid() != 0) {
		puts("skipped: needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
