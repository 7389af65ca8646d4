/* SPDX-License-Identifier: ISC */
/* Descriptors beside the fixed table of common/role.h, and what a role may open above it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/checks.h"
#include "audit/proc.h"

#define KINDS_MAX 16

/* Ends with NULL; one that ends with '/' stands for the files below it, one that begins with '*' for
 * what ends so. */
typedef const char *const kind_list[KINDS_MAX];

/* As supervisor/settings.c names the files that it passes on. */
#define MATERIAL "memfd ca", "memfd client_cert", "memfd client_key", "memfd token"

/* In whatever directory is configured. */
#define CACHE "*/" CACHE_FILE_NAME, "*/" CACHE_LOG_NAME

/* Above the table. A channel passes through on the way to its place. */
static kind_list allowed[ROLE_COUNT] = {
	/* Its numbers are nobody's table: all but 0 to 2. */
	[ROLE_SUPERVISOR] = {"unix seqpacket", "packet dgram, filter locked", "memfd timestamps",
		MATERIAL, "ipv4 raw", "ipv6 raw", CACHE, "[signalfd]", "[pidfd]", "unix dgram",
		NULL},
	[ROLE_CAPTURE] = {"unix seqpacket", NULL},
	/* Connections to the origin; libcurl's own pair that wakes it. */
	[ROLE_FETCHER] = {"ipv4 stream", "ipv6 stream", "unix stream", "unix seqpacket", MATERIAL,
		NULL},
	/* Attempts; what the resolver asks with and reads. */
	[ROLE_CONNECTOR] = {"ipv4 stream", "ipv6 stream", "unix stream", "ipv4 dgram", "ipv6 dgram",
		"netlink route", "/etc/", "unix seqpacket", NULL},
	[ROLE_INSTALLER] = {"netlink route", "netlink generic", "unix seqpacket", NULL},
};

/* The kinds seen above the table, each with how many there are. */
struct kinds {
	size_t count;
	struct {
		char text[AUDIT_TEXT_BYTES];
		unsigned long descriptors;
	} kinds[KINDS_MAX];
};

struct walk {
	struct audit *audit;
	enum role role;
	struct kinds kinds;
	bool table[FD_INHERITED_END]; /* which of its numbers are open */
};

static bool describe(
	const struct audit *audit, pid_t pid, int fd, char text[static AUDIT_TEXT_BYTES])
{
	static const char memfd[] = "/memfd:", anonymous[] = "anon_inode:";
	char name[24];
	int error;

	snprintf(name, sizeof(name), "fd/%d", fd);
	error = proc_link(audit->proc, pid, name, text, AUDIT_TEXT_BYTES);
	if (error != 0) {
		snprintf(text, AUDIT_TEXT_BYTES, "unknown: %s", strerror(-error));
		return error != -ENOENT;
	}
	if (strncmp(text, "socket:", strlen("socket:")) == 0) {
		audit->describe_socket(pid, fd, text);
	} else if (strncmp(text, anonymous, strlen(anonymous)) == 0) {
		memmove(text, text + strlen(anonymous), strlen(text + strlen(anonymous)) + 1);
	} else if (strncmp(text, memfd, strlen(memfd)) == 0) {
		char file[AUDIT_TEXT_BYTES];

		memcpy(file, text, sizeof(file));
		file[strcspn(file, " ")] = '\0';
		snprintf(text, AUDIT_TEXT_BYTES, "memfd %.64s", file + strlen(memfd));
	}
	return true;
}

static void count_kind(struct kinds *kinds, const char *text)
{
	size_t i = 0;

	while (i < kinds->count && strcmp(kinds->kinds[i].text, text) != 0)
		i++;
	if (i == KINDS_MAX)
		return; /* more kinds than are ever allowed have been seen: some of them differ */
	if (i == kinds->count) {
		kinds->count++;
		snprintf(kinds->kinds[i].text, AUDIT_TEXT_BYTES, "%s", text);
	}
	kinds->kinds[i].descriptors++;
}

static int look_at_descriptor(void *context, const char *entry)
{
	struct walk *walk = context;
	int fd = (int)strtol(entry, NULL, 10);
	char text[AUDIT_TEXT_BYTES];

	if (fd >= 0 && fd < FD_INHERITED_END)
		walk->table[fd] = true;
	if (fd < (walk->role == ROLE_SUPERVISOR ? FD_CONTROL : FD_INHERITED_END))
		return 0;
	if (describe(walk->audit, audit_pid(walk->audit, walk->role), fd, text))
		count_kind(&walk->kinds, text);
	return 0;
}

static bool is_of_kind(const char *text, const char *kind)
{
	size_t length = strlen(text), part = strlen(kind);

	if (kind[0] == '*')
		return length >= part && strcmp(text + length - (part - 1), kind + 1) == 0;
	return strcmp(kind, text) == 0 || (kind[part - 1] == '/' && strncmp(kind, text, part) == 0);
}

static bool is_allowed(enum role role, const char *text)
{
	for (const char *const *kind = allowed[role]; *kind != NULL; kind++) {
		if (is_of_kind(text, *kind))
			return true;
	}
	return false;
}

static void report_kinds(struct audit *audit, enum role role, const struct kinds *kinds)
{
	const char *title = role == ROLE_SUPERVISOR ? "3 and above" : "16 and above";
	char found[AUDIT_TEXT_BYTES + 24], expected[256] = "";
	size_t used = 0;

	for (size_t i = 0; allowed[role][i] != NULL && used < sizeof(expected); i++)
		used += (size_t)snprintf(expected + used, sizeof(expected) - used, "%s%s",
			i == 0 ? "none but " : ", ", allowed[role][i]);
	if (kinds->count == 0)
		report_judged(&audit->report, title, "none", true, expected);
	for (size_t i = 0; i < kinds->count; i++) {
		snprintf(found, sizeof(found), "%lu %s", kinds->kinds[i].descriptors,
			kinds->kinds[i].text);
		report_judged(&audit->report, title, found, is_allowed(role, kinds->kinds[i].text),
			expected);
	}
}

/* Where the supervisor logs; its children have the same open file. */
static void log_target(const struct audit *audit, pid_t pid, int fd, char *text)
{
	char name[24];

	snprintf(name, sizeof(name), "fd/%d", fd);
	if (proc_link(audit->proc, pid, name, text, AUDIT_TEXT_BYTES) != 0)
		snprintf(text, AUDIT_TEXT_BYTES, "unknown");
}

static void check_log(struct audit *audit, enum role role, const char *title, int fd)
{
	char found[AUDIT_TEXT_BYTES], expected[AUDIT_TEXT_BYTES];

	log_target(audit, audit_pid(audit, role), fd, found);
	log_target(audit, audit_pid(audit, ROLE_SUPERVISOR), 2, expected);
	report_fact(&audit->report, title, found, expected);
}

static const char *designed_kind(enum descriptor descriptor)
{
	switch (descriptor) {
	case DESCRIPTOR_CHANNEL:
		return "unix seqpacket";
	case DESCRIPTOR_PACKET:
		return "packet dgram, filter locked";
	case DESCRIPTOR_TIMESTAMPS:
		return "memfd timestamps";
	case DESCRIPTOR_REPLAY_IPV4:
		return "ipv4 raw";
	case DESCRIPTOR_REPLAY_IPV6:
		return "ipv6 raw";
	case DESCRIPTOR_CACHE:
		return "*/" CACHE_FILE_NAME;
	case DESCRIPTOR_CACHE_LOG:
		return "*/" CACHE_LOG_NAME;
	case DESCRIPTOR_NULL:
	case DESCRIPTOR_LOG:
		break;
	}
	return "/dev/null";
}

static void number_title(enum role role, int fd, char *title, size_t size)
{
	enum descriptor descriptor = role_descriptor(role, fd);

	if (descriptor == DESCRIPTOR_CHANNEL)
		snprintf(title, size, "%d to %s", fd, role_name((enum role)(fd - FD_CONTROL)));
	else
		snprintf(title, size, "descriptor %d", fd);
}

static void check_number(struct audit *audit, enum role role, int fd, const char *found)
{
	enum descriptor descriptor = role_descriptor(role, fd);
	char title[32];

	number_title(role, fd, title, sizeof(title));
	if (descriptor == DESCRIPTOR_LOG)
		check_log(audit, role, title, fd);
	else
		report_judged(&audit->report, title, found,
			is_of_kind(found, designed_kind(descriptor)), designed_kind(descriptor));
}

/* A gateway without a cache that persists has nothing in the cache's places. */
static bool may_be_null(enum descriptor descriptor)
{
	return descriptor == DESCRIPTOR_NULL || descriptor == DESCRIPTOR_CACHE ||
	       descriptor == DESCRIPTOR_CACHE_LOG;
}

/* Those that should be /dev/null, and are, make one line. */
static void check_table(struct audit *audit, enum role role, const bool is_open[])
{
	char filled[64] = "", found[AUDIT_TEXT_BYTES];
	size_t used = 0;

	for (int fd = 0; fd < FD_INHERITED_END; fd++) {
		bool is_null = may_be_null(role_descriptor(role, fd));

		if (!is_open[fd] || !describe(audit, audit_pid(audit, role), fd, found))
			snprintf(found, sizeof(found), "not open");
		if (is_null && strcmp(found, "/dev/null") == 0)
			used += (size_t)snprintf(filled + used, sizeof(filled) - used, "%s%d",
				used == 0 ? "" : " ", fd);
		else
			check_number(audit, role, fd, found);
	}
	if (used > 0)
		report_fact(&audit->report, filled, "/dev/null", "/dev/null");
}

void check_descriptors(struct audit *audit, enum role role)
{
	struct walk walk = {.audit = audit, .role = role};
	int error = proc_walk(audit->proc, audit_pid(audit, role), "fd", look_at_descriptor, &walk);

	if (error != 0) {
		report_fact(&audit->report, "descriptors", strerror(-error), "to be listed");
		return;
	}
	if (role != ROLE_SUPERVISOR)
		check_table(audit, role, walk.table);
	report_kinds(audit, role, &walk.kinds);
}
