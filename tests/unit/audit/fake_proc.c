/* SPDX-License-Identifier: ISC */
/* A directory that looks like /proc to the audit. */
#include "fake_proc.h"

#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/proc.h"
#include "sandbox/limits.h"
#include "sandbox/walls.h"

static const char *const binaries[ROLE_COUNT] = {"pullgate", "pullgate-capture", "pullgate-fetcher",
	"pullgate-connector", "pullgate-installer"};

void fake_proc_write(
	const struct fake_proc *fake, int pid, const char *name, const char *text, size_t length)
{
	char path[PATH_MAX];
	FILE *file;

	assert_int_equal(proc_path(fake->proc, pid, name, path), 0);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

void fake_proc_link(const struct fake_proc *fake, int pid, const char *name, const char *target)
{
	char path[PATH_MAX];

	assert_int_equal(proc_path(fake->proc, pid, name, path), 0);
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

void fake_proc_replace(
	const struct fake_proc *fake, int pid, const char *name, const char *old, const char *new)
{
	char text[8192], changed[8192];
	const char *found;

	assert_true(proc_read(fake->proc, pid, name, text, sizeof(text)) > 0);
	found = strstr(text, old);
	assert_non_null(found);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(found - text), text, new,
		found + strlen(old));
	fake_proc_write(fake, pid, name, changed, strlen(changed));
}

static void make_directory(const struct fake_proc *fake, int pid, const char *name)
{
	char path[PATH_MAX];

	assert_int_equal(proc_path(fake->proc, pid, name, path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void write_status(const struct fake_proc *fake, enum role role)
{
	bool is_child = role != ROLE_SUPERVISOR;
	unsigned id = is_child ? FAKE_USER(role) : 0;
	capability_set held = walls_of_role(role)->capabilities;
	char text[1024];

	snprintf(text, sizeof(text),
		"State:\tS (sleeping)\nPPid:\t%d\nTracerPid:\t0\nUmask:\t0077\n"
		"Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nGroups:\t \nThreads:\t1\n"
		"CapInh:\t%016x\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\n"
		"CapAmb:\t%016x\nNoNewPrivs:\t%d\nSeccomp:\t2\nSeccomp_filters:\t%d\n",
		is_child ? FAKE_SUPERVISOR : 1, id, id, id, id, id, id, id, id, 0,
		(unsigned long long)held, (unsigned long long)held,
		is_child ? 0 : (unsigned long long)held, 0, is_child, is_child ? 2 : 1);
	fake_proc_write(fake, FAKE_SUPERVISOR + (int)role, "status", text, strlen(text));
}

static void write_limits(const struct fake_proc *fake, enum role role)
{
	struct limit limits[LIMITS_COUNT];
	char text[1024];
	size_t length = 0;

	limits_of_role(role, &(struct limit_files){false}, limits);
	for (size_t i = 0; i < LIMITS_COUNT; i++) {
		bool none = limits[i].greatest == RLIM_INFINITY; /* of memory, under sanitizers */
		char number[24];

		snprintf(number, sizeof(number), "%llu", (unsigned long long)limits[i].greatest);
		length += (size_t)snprintf(text + length, sizeof(text) - length,
			"%-25s %-20s %-20s x\n", limits[i].name, none ? "unlimited" : number,
			none ? "unlimited" : number);
	}
	fake_proc_write(fake, FAKE_SUPERVISOR + (int)role, "limits", text, length);
}

static void make_namespaces(const struct fake_proc *fake, enum role role)
{
	static const struct {
		const char *name;
		int flag;
	} all[] = {{"mnt", CLONE_NEWNS}, {"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET},
		{"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP},
		{"user", CLONE_NEWUSER}, {"time", CLONE_NEWTIME}};
	int pid = FAKE_SUPERVISOR + (int)role;
	char name[32], target[32];

	make_directory(fake, pid, "ns");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		bool has_own = (walls_of_role(role)->namespaces & all[i].flag) != 0;

		snprintf(name, sizeof(name), "ns/%s", all[i].name);
		snprintf(target, sizeof(target), "%s:[%d]", all[i].name, has_own ? pid : 1);
		fake_proc_link(fake, pid, name, target);
	}
}

static const char *target_of(enum role role, int fd)
{
	switch (role_descriptor(role, fd)) {
	case DESCRIPTOR_NULL:
		return "/dev/null";
	case DESCRIPTOR_LOG:
		return "pipe:[7]";
	case DESCRIPTOR_TIMESTAMPS:
		return "/memfd:timestamps (deleted)";
	case DESCRIPTOR_CACHE:
		return FAKE_CACHE;
	case DESCRIPTOR_CACHE_LOG:
		return FAKE_CACHE "-wal";
	default:
		return "socket:[5]";
	}
}

static void make_descriptors(const struct fake_proc *fake, enum role role)
{
	int pid = FAKE_SUPERVISOR + (int)role;
	char name[16];

	make_directory(fake, pid, "fd");
	for (int fd = 0; fd < (role == ROLE_SUPERVISOR ? FD_CONTROL : FD_INHERITED_END); fd++) {
		snprintf(name, sizeof(name), "fd/%d", fd);
		fake_proc_link(fake, pid, name, target_of(role, fd));
	}
}

void fake_proc_describe_socket(pid_t pid, int fd, char text[static AUDIT_TEXT_BYTES])
{
	const char *kind = "unix seqpacket";

	switch (role_descriptor((enum role)(pid - FAKE_SUPERVISOR), fd)) {
	case DESCRIPTOR_PACKET:
		kind = "packet dgram, filter locked";
		break;
	case DESCRIPTOR_REPLAY_IPV4:
		kind = "ipv4 raw";
		break;
	case DESCRIPTOR_REPLAY_IPV6:
		kind = "ipv6 raw";
		break;
	default:
		break;
	}
	snprintf(text, AUDIT_TEXT_BYTES, "%s", fd >= 900 ? "ipv4 dgram" : kind);
}

static void make_program(const struct fake_proc *fake, enum role role)
{
	int pid = FAKE_SUPERVISOR + (int)role;
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/bin/%s", fake->top, binaries[role]);
	file = fopen(path, "we");
	assert_non_null(file);
	fclose(file);
	fake_proc_link(fake, pid, "exe", path);
}

static void make_child(const struct fake_proc *fake, enum role role)
{
	static const char environment[] = "JOURNAL_STREAM=8:1";
	static const char mounts[] = "9 8 0:2 / / ro,nosuid,nodev,noexec - tmpfs none ro\n";
	int pid = FAKE_SUPERVISOR + (int)role;

	fake_proc_write(fake, pid, "environ", environment, sizeof(environment));
	fake_proc_write(fake, pid, "cmdline", binaries[role], strlen(binaries[role]) + 1);
	fake_proc_write(fake, pid, "mountinfo", mounts, strlen(mounts));
	make_directory(fake, pid, "root");
	fake_proc_link(fake, pid, "cwd", "root");
	if (role == ROLE_CONNECTOR) {
		make_directory(fake, pid, "root/etc");
		fake_proc_write(fake, pid, "root/etc/hosts", "", 0);
	}
	write_limits(fake, role);
}

static void make_process(const struct fake_proc *fake, enum role role)
{
	static const char line[] = "pullgate\0-v\0-c\0wg0.conf";
	int pid = FAKE_SUPERVISOR + (int)role;

	make_directory(fake, pid, "");
	write_status(fake, role);
	make_program(fake, role);
	make_namespaces(fake, role);
	make_descriptors(fake, role);
	if (role != ROLE_SUPERVISOR) {
		make_child(fake, role);
		return;
	}
	fake_proc_write(fake, pid, "cmdline", line, sizeof(line));
	fake_proc_link(fake, pid, "root", "/");
	fake_proc_link(fake, pid, "cwd", fake->top);
}

/* The auditor: process "self", with the supervisor's namespaces. */
static void make_self(const struct fake_proc *fake)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/self", fake->proc);
	assert_int_equal(symlink("100", path), 0);
}

void fake_proc_make(struct fake_proc *fake)
{
	char path[96];
	FILE *file;

	snprintf(fake->top, sizeof(fake->top), "/tmp/pullgate-audit.XXXXXX");
	assert_non_null(mkdtemp(fake->top));
	snprintf(fake->proc, sizeof(fake->proc), "%s/proc", fake->top);
	snprintf(fake->config, sizeof(fake->config), "%s/wg0.conf", fake->top);
	snprintf(path, sizeof(path), "%s/bin", fake->top);
	assert_int_equal(mkdir(fake->proc, 0755), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	file = fopen(fake->config, "we");
	assert_non_null(file);
	fclose(file);
	for (enum role role = 0; role < ROLE_COUNT; role++)
		make_process(fake, role);
	make_self(fake);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

void fake_proc_remove(const struct fake_proc *fake)
{
	nftw(fake->top, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}
