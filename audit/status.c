/* SPDX-License-Identifier: ISC */
/* What /proc/PID/status, limits and mountinfo say. */
#include "audit/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const capability_kind_names[CAPABILITY_KINDS] = {
	"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};

/* What follows "NAME:\t" at the begin of a line; NULL without one. */
static const char *find_field(const char *text, const char *name)
{
	size_t length = strlen(name);

	while (text != NULL && *text != '\0') {
		if (strncmp(text, name, length) == 0 && text[length] == ':')
			return text + length + 1;
		text = strchr(text, '\n');
		if (text != NULL)
			text++;
	}
	return NULL;
}

/* count numbers and nothing else up to the line's end. */
static int read_numbers(
	const char *text, const char *name, int base, unsigned long *numbers, size_t count)
{
	const char *field = find_field(text, name);
	char *end;

	if (field == NULL)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		field += strspn(field, "\t ");
		if (strspn(field, "0123456789abcdef") == 0)
			return -EINVAL;
		numbers[i] = strtoul(field, &end, base);
		field = end;
	}
	return *field == '\n' ? 0 : -EINVAL;
}

static int count_groups(const char *text, size_t *groups)
{
	const char *field = find_field(text, "Groups");
	const char *end = field == NULL ? NULL : strchr(field, '\n');

	if (end == NULL)
		return -EINVAL;
	*groups = 0;
	for (field += strspn(field, "\t "); field < end; field += strspn(field, "\t ")) {
		size_t digits = strspn(field, "0123456789");

		if (digits == 0)
			return -EINVAL;
		field += digits;
		++*groups;
	}
	return 0;
}

static int read_process_id(const char *text, const char *name, pid_t *pid)
{
	unsigned long number;
	int error = read_numbers(text, name, 10, &number, 1);

	*pid = error == 0 ? (pid_t)number : 0;
	return error;
}

static int read_capabilities(const char *text, capability_set sets[static CAPABILITY_KINDS])
{
	for (size_t i = 0; i < CAPABILITY_KINDS; i++) {
		unsigned long number;

		if (read_numbers(text, capability_kind_names[i], 16, &number, 1) != 0)
			return -EINVAL;
		sets[i] = number;
	}
	return 0;
}

int process_status_parse(struct process_status *status, const char *text)
{
	const char *state = find_field(text, "State");
	const struct {
		const char *name;
		int base;
		unsigned long *numbers;
		size_t count;
	} fields[] = {
		{"Uid", 10, status->user, IDS},
		{"Gid", 10, status->group, IDS},
		{"Umask", 8, &status->umask, 1},
		{"Threads", 10, &status->threads, 1},
		{"NoNewPrivs", 10, &status->no_new_privileges, 1},
		{"Seccomp", 10, &status->seccomp, 1},
		{"Seccomp_filters", 10, &status->seccomp_filters, 1},
	};

	*status = (struct process_status){0};
	if (state == NULL)
		return -EINVAL;
	status->ended = state[0] == '\t' && (state[1] == 'Z' || state[1] == 'X');
	if (read_process_id(text, "PPid", &status->parent) != 0 ||
		read_process_id(text, "TracerPid", &status->tracer) != 0)
		return -EINVAL;
	if (status->ended) /* it has no umask any more */
		return 0;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (read_numbers(text, fields[i].name, fields[i].base, fields[i].numbers,
			    fields[i].count) != 0)
			return -EINVAL;
	}
	if (count_groups(text, &status->groups) != 0)
		return -EINVAL;
	return read_capabilities(text, status->capabilities);
}

static int read_limit(const char **text, rlim_t *limit)
{
	static const char unlimited[] = "unlimited";
	char *end;

	*text += strspn(*text, " ");
	if (strncmp(*text, unlimited, strlen(unlimited)) == 0) {
		*limit = RLIM_INFINITY;
		*text += strlen(unlimited);
		return 0;
	}
	if (strspn(*text, "0123456789") == 0)
		return -EINVAL;
	*limit = strtoul(*text, &end, 10);
	*text = end;
	return 0;
}

int limit_parse(const char *text, const char *name, struct rlimit *limit)
{
	size_t length = strlen(name);

	while (text != NULL && *text != '\0') {
		if (strncmp(text, name, length) == 0 && text[length] == ' ') {
			text += length;
			return read_limit(&text, &limit->rlim_cur) != 0 ||
					       read_limit(&text, &limit->rlim_max) != 0
				       ? -EINVAL
				       : 0;
		}
		text = strchr(text, '\n');
		if (text != NULL)
			text++;
	}
	return -EINVAL;
}

/* 36 35 98:0 / /mount/point options ... - type source options; proc(5) has the numbers. */
static int read_mount(struct root_mount *mount, const char *line)
{
	const char *type = strstr(line, " - ");
	const char *end = strchr(line, '\n');
	char point[MOUNT_POINT_BYTES], options[sizeof(mount->options)];

	if (type == NULL || end == NULL || type > end ||
		sscanf(line, "%*d %*d %*s %*s %255s %127s", point, options) != 2)
		return -EINVAL;
	mount->mounts++;
	if (strcmp(point, "/") != 0) {
		memcpy(mount->other_point, point, sizeof(point));
		memcpy(mount->other_options, options, sizeof(options));
		return 0;
	}
	memcpy(mount->options, options, sizeof(options));
	return sscanf(type, " - %31s", mount->type) == 1 ? 0 : -EINVAL;
}

int root_mount_parse(struct root_mount *mount, const char *text)
{
	*mount = (struct root_mount){0};
	while (*text != '\0') {
		if (read_mount(mount, text) != 0)
			return -EINVAL;
		text = strchr(text, '\n') + 1;
	}
	return mount->type[0] != '\0' ? 0 : -EINVAL;
}

bool mount_option(const char *options, const char *option)
{
	size_t length = strlen(option);

	while (options != NULL) {
		if (strncmp(options, option, length) == 0 &&
			(options[length] == ',' || options[length] == '\0'))
			return true;
		options = strchr(options, ',');
		if (options != NULL)
			options++;
	}
	return false;
}
