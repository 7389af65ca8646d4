/* SPDX-License-Identifier: ISC */
/* Namespaces, root, mounts and working directory. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/checks.h"
#include "audit/proc.h"
#include "sandbox/walls.h"

static const struct namespace
{
	const char *name, *file; /* file: in /proc/PID */
	int flag;                /* of clone(2) */
	bool always_ours;        /* the supervisor never runs in another one than the auditor */
}
namespaces[] = {
	{"mount", "ns/mnt", CLONE_NEWNS, false},
	{"PID", "ns/pid", CLONE_NEWPID, true},
	{"network", "ns/net", CLONE_NEWNET, false},
	{"IPC", "ns/ipc", CLONE_NEWIPC, false},
	{"UTS", "ns/uts", CLONE_NEWUTS, false},
	{"cgroup", "ns/cgroup", CLONE_NEWCGROUP, false},
	{"user", "ns/user", CLONE_NEWUSER, true},
	{"time", "ns/time", CLONE_NEWTIME, false},
};

#define NAMESPACE_BYTES 64

/* "net:[4026531840]": the same text is the same namespace (namespaces(7)). */
static bool read_namespace(
	const struct audit *audit, pid_t pid, const char *file, char text[static NAMESPACE_BYTES])
{
	return proc_link(audit->proc, pid, file, text, NAMESPACE_BYTES) == 0;
}

/* Another one's with the same namespace: "the supervisor's", or a child's name; NULL: its own. */
static const char *find_sharer(
	const struct audit *audit, enum role role, const char *file, const char *found)
{
	char other_one[NAMESPACE_BYTES];

	for (enum role other = 0; other < ROLE_COUNT; other++) {
		pid_t pid = audit_pid(audit, other);

		if (other == role || pid == 0 || !read_namespace(audit, pid, file, other_one))
			continue;
		if (strcmp(other_one, found) == 0)
			return other == ROLE_SUPERVISOR ? "the supervisor's" : role_name(other);
	}
	return NULL;
}

static bool is_auditors(const struct audit *audit, const char *file, const char *found)
{
	char path[64], own[NAMESPACE_BYTES];

	/* By its name: the number of this process in that /proc may be another. */
	snprintf(path, sizeof(path), "../self/%s", file);
	return proc_link(audit->proc, audit_pid(audit, ROLE_SUPERVISOR), path, own, sizeof(own)) ==
		       0 &&
	       strcmp(own, found) == 0;
}

static void check_supervisors(
	struct audit *audit, const struct namespace *namespace, const char *title)
{
	char found[NAMESPACE_BYTES];
	bool is_ours =
		read_namespace(audit, audit_pid(audit, ROLE_SUPERVISOR), namespace->file, found) &&
		is_auditors(audit, namespace->file, found);
	const char *text = is_ours ? "the auditor's" : "not the auditor's";

	if (namespace->always_ours)
		report_fact(&audit->report, title, text, "the auditor's");
	else
		report_seen(&audit->report, title, text);
}

static void check_childs(
	struct audit *audit, enum role role, const struct namespace *namespace, const char *title)
{
	bool has_own = (walls_of_role(role)->namespaces & namespace->flag) != 0;
	const char *expected = has_own ? "its own" : "the supervisor's";
	char found[NAMESPACE_BYTES];
	const char *whose = NULL;

	if (!read_namespace(audit, audit_pid(audit, role), namespace->file, found)) {
		report_fact(&audit->report, title, "unknown", expected);
		return;
	}
	whose = find_sharer(audit, role, namespace->file, found);
	if (whose == NULL)
		whose = is_auditors(audit, namespace->file, found) ? "the auditor's" : "its own";
	report_fact(&audit->report, title, whose, expected);
}

struct listing {
	struct audit *audit;
	enum role role;
	const char *directory; /* "" or "/etc": where the entries are */
	const char *shared;    /* where another directory is mounted, "" for none */
	size_t entries;
	char stranger[AUDIT_TEXT_BYTES]; /* an entry that shouldn't be there */
};

/* Whether path is one of those, or leads to one. */
static bool leads_to(const char *path, const char *const *files, const char *shared)
{
	size_t length = strlen(path);

	if (strncmp(path, shared, length) == 0 && (shared[length] == '/' || shared[length] == '\0'))
		return true;
	for (; files != NULL && *files != NULL; files++) {
		if (strncmp(path, *files, length) == 0 &&
			((*files)[length] == '/' || (*files)[length] == '\0'))
			return true;
	}
	return false;
}

static int look_at_entry(void *context, const char *entry)
{
	struct listing *listing = context;
	char path[PATH_MAX];

	listing->entries++;
	snprintf(path, sizeof(path), "%s/%s", listing->directory, entry);
	if (leads_to(path, walls_of_role(listing->role)->files, listing->shared))
		return 0;
	snprintf(listing->stranger, sizeof(listing->stranger), "%.*s", AUDIT_TEXT_BYTES - 1, path);
	return 1;
}

/* The origin's directory, where the fetcher has one; else NULL. */
static const char *directory_of(const struct audit *audit, enum role role)
{
	return role == ROLE_FETCHER ? audit->fetcher_root : NULL;
}

/* The very directory that the path stands for now. */
static void check_root_directory(struct audit *audit, enum role role, const char *path)
{
	struct stat root, directory;
	bool is_same = proc_stat(audit->proc, audit_pid(audit, role), "root", &root) == 0 &&
		       stat(path, &directory) == 0 && root.st_dev == directory.st_dev &&
		       root.st_ino == directory.st_ino;

	report_fact(&audit->report, "root", is_same ? path : "another directory", path);
}

/* Two levels are looked at: what is deeper belongs to a mount, which check_mounts() has named. */
static void check_root(struct audit *audit, enum role role, const char *shared)
{
	struct listing listing = {.audit = audit, .role = role, .directory = "", .shared = shared};
	bool may_hold = walls_of_role(role)->files != NULL;
	pid_t pid = audit_pid(audit, role);
	const char *expected = may_hold ? "the resolver's files alone" : "empty";
	const char *found;
	int result = proc_walk(audit->proc, pid, "root/", look_at_entry, &listing);

	if (may_hold && shared[0] != '\0')
		expected = "the directory of the origin's socket alone";
	if (result == 0 && listing.entries > 0 && shared[0] == '\0') {
		listing.directory = "/etc";
		result = proc_walk(audit->proc, pid, "root/etc/", look_at_entry, &listing);
	}
	if (result < 0)
		found = strerror(-result);
	else if (result > 0)
		found = listing.stranger;
	else
		found = may_hold ? expected : "empty";
	report_fact(&audit->report, "root", found, expected);
}

static bool is_closed(const char *options)
{
	return mount_option(options, "ro") && mount_option(options, "nosuid") &&
	       mount_option(options, "nodev") && mount_option(options, "noexec");
}

/* The root, empty or the origin's directory, and for the connector at most the directory of the origin's Unix socket. */
static void check_mounts(struct audit *audit, enum role role, char shared[static MOUNT_POINT_BYTES])
{
	static char text[PROC_TEXT_BYTES];
	size_t greatest = walls_of_role(role)->files != NULL ? 2 : 1;
	bool is_directory = directory_of(audit, role) != NULL;
	struct root_mount mount = {0};
	char found[256];
	ssize_t length =
		proc_read(audit->proc, audit_pid(audit, role), "mountinfo", text, sizeof(text));

	shared[0] = '\0';
	if (length < 0 || root_mount_parse(&mount, text) != 0) {
		report_fact(&audit->report, "root's mount", "unknown", "tmpfs");
		return;
	}
	report_number(&audit->report, "mounts", mount.mounts, mount.mounts <= greatest,
		greatest == 1 ? "1" : "1, or 2 with the directory of the origin's socket");
	snprintf(found, sizeof(found), "%s %s", mount.type, mount.options);
	report_judged(&audit->report, "root's mount", found,
		(is_directory || strcmp(mount.type, "tmpfs") == 0) && is_closed(mount.options),
		is_directory ? "ro,nosuid,nodev,noexec" : "tmpfs ro,nosuid,nodev,noexec");
	if (mount.mounts != 2 || greatest != 2)
		return;
	snprintf(shared, MOUNT_POINT_BYTES, "%s", mount.other_point);
	snprintf(found, sizeof(found), "%.100s %.100s", shared, mount.other_options);
	report_judged(&audit->report, "second mount", found, is_closed(mount.other_options),
		"ro,nosuid,nodev,noexec");
}

static void check_working_directory(struct audit *audit, enum role role)
{
	pid_t pid = audit_pid(audit, role);
	struct stat root, here;
	bool is_root = proc_stat(audit->proc, pid, "root", &root) == 0 &&
		       proc_stat(audit->proc, pid, "cwd", &here) == 0 &&
		       root.st_dev == here.st_dev && root.st_ino == here.st_ino;
	char found[AUDIT_TEXT_BYTES];

	if (is_root || proc_link(audit->proc, pid, "cwd", found, sizeof(found)) != 0)
		snprintf(found, sizeof(found), is_root ? "its root" : "unknown");
	report_judged(&audit->report, "working directory", found, is_root, "its root");
}

void check_surroundings(struct audit *audit, enum role role)
{
	char shared[MOUNT_POINT_BYTES], title[32];

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		snprintf(title, sizeof(title), "%s namespace", namespaces[i].name);
		if (role == ROLE_SUPERVISOR)
			check_supervisors(audit, &namespaces[i], title);
		else
			check_childs(audit, role, &namespaces[i], title);
	}
	if (role == ROLE_SUPERVISOR)
		return;
	check_mounts(audit, role, shared);
	if (directory_of(audit, role) != NULL)
		check_root_directory(audit, role, directory_of(audit, role));
	else
		check_root(audit, role, shared);
	check_working_directory(audit, role);
}
