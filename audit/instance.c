/* SPDX-License-Identifier: ISC */
/* Finds the processes that run with a configuration. */
#include "audit/instance.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/proc.h"
#include "audit/status.h"
#include "supervisor/options.h"

#define ARGUMENTS_MAX 32

struct search {
	struct instance *instance;
	const char *directory;
	struct stat config;
	pid_t second; /* another supervisor of the same file */
	char *text;   /* PROC_TEXT_BYTES */
};

/* The binary's name, without the mark of one that was deleted. */
static int read_executable(
	const char *directory, pid_t pid, char path[static EXECUTABLE_BYTES], char name[static 64])
{
	static const char deleted[] = " (deleted)";
	int error = proc_link(directory, pid, "exe", path, EXECUTABLE_BYTES);
	const char *slash;
	size_t length;

	if (error != 0)
		return error;
	slash = strrchr(path, '/');
	slash = slash == NULL ? path : slash + 1;
	length = strlen(slash);
	if (length > strlen(deleted) && strcmp(slash + length - strlen(deleted), deleted) == 0)
		length -= strlen(deleted);
	snprintf(name, 64, "%.*s", (int)length, slash);
	return 0;
}

/* The -c of a command line as /proc/PID/cmdline has it; NULL where it only checks or audits. */
static const char *served_config(char *line, size_t length)
{
	char *arguments[ARGUMENTS_MAX + 1];
	struct options options;
	int count = 0;

	for (size_t at = 0; at < length && count < ARGUMENTS_MAX; at += strlen(line + at) + 1)
		arguments[count++] = line + at;
	arguments[count] = NULL;
	if (count == 0 || options_parse(&options, count, arguments) != 0)
		return NULL;
	if (options.audit || options.check || options.version || options.help)
		return NULL;
	return options.config_path;
}

/* As the process itself would open the path. */
static bool serves_config(const struct search *search, pid_t pid)
{
	ssize_t length =
		proc_read(search->directory, pid, "cmdline", search->text, PROC_TEXT_BYTES);
	const char *config = length <= 0 ? NULL : served_config(search->text, (size_t)length);
	char name[PATH_MAX];
	struct stat status;

	if (config == NULL)
		return false;
	snprintf(name, sizeof(name), "%s/%s", config[0] == '/' ? "root" : "cwd", config);
	return proc_stat(search->directory, pid, name, &status) == 0 &&
	       status.st_dev == search->config.st_dev && status.st_ino == search->config.st_ino;
}

/* A child between fork and exec is still the supervisor's binary, with its command line. */
static bool parent_serves_config(const struct search *search, pid_t pid)
{
	struct process_status status;
	char path[EXECUTABLE_BYTES], name[64];

	if (proc_read(search->directory, pid, "status", search->text, PROC_TEXT_BYTES) < 0 ||
		process_status_parse(&status, search->text) != 0 || status.parent == 0)
		return false;
	return read_executable(search->directory, status.parent, path, name) == 0 &&
	       strcmp(name, "pullgate") == 0 && serves_config(search, status.parent);
}

static int look_for_supervisor(void *context, pid_t pid)
{
	struct search *search = context;
	struct instance *instance = search->instance;
	char path[EXECUTABLE_BYTES], name[64];

	if (read_executable(search->directory, pid, path, name) != 0 ||
		strcmp(name, "pullgate") != 0 || !serves_config(search, pid) ||
		parent_serves_config(search, pid))
		return 0;
	if (instance->pids[ROLE_SUPERVISOR] != 0) {
		search->second = pid;
		return 1;
	}
	instance->pids[ROLE_SUPERVISOR] = pid;
	memcpy(instance->executable[ROLE_SUPERVISOR], path, sizeof(path));
	return 0;
}

static enum role role_of_binary(const char *name)
{
	static const char prefix[] = "pullgate-";

	for (enum role role = ROLE_CAPTURE; role < ROLE_COUNT; role++) {
		if (strncmp(name, prefix, strlen(prefix)) == 0 &&
			strcmp(name + strlen(prefix), role_name(role)) == 0)
			return role;
	}
	return ROLE_COUNT;
}

static void take_child(struct search *search, pid_t pid)
{
	struct instance *instance = search->instance;
	char path[EXECUTABLE_BYTES], name[64];
	enum role role;

	if (read_executable(search->directory, pid, path, name) != 0)
		name[0] = '\0';
	role = role_of_binary(name);
	if (role == ROLE_COUNT || instance->pids[role] != 0) {
		instance->strangers++;
		return;
	}
	instance->pids[role] = pid;
	memcpy(instance->executable[role], path, sizeof(path));
}

static int look_for_children(void *context, pid_t pid)
{
	struct search *search = context;
	struct process_status status;

	if (proc_read(search->directory, pid, "status", search->text, PROC_TEXT_BYTES) < 0 ||
		process_status_parse(&status, search->text) != 0 || status.ended)
		return 0;
	if (status.parent == search->instance->pids[ROLE_SUPERVISOR])
		take_child(search, pid);
	return 0;
}

/* After all the children are known. */
static int count_children(void *context, pid_t pid)
{
	struct search *search = context;
	struct process_status status;

	if (proc_read(search->directory, pid, "status", search->text, PROC_TEXT_BYTES) < 0 ||
		process_status_parse(&status, search->text) != 0 || status.ended)
		return 0;
	for (enum role role = 0; role < ROLE_COUNT; role++) {
		if (search->instance->pids[role] != 0 &&
			status.parent == search->instance->pids[role])
			search->instance->children_of[role]++;
	}
	return 0;
}

int instance_find(struct instance *instance, const char *directory, const char *config_path,
	char error[static INSTANCE_ERROR_BYTES])
{
	static char text[PROC_TEXT_BYTES];
	struct search search = {.instance = instance, .directory = directory, .text = text};

	*instance = (struct instance){0};
	if (stat(config_path, &search.config) != 0) {
		snprintf(error, INSTANCE_ERROR_BYTES, "%s: %s", config_path, strerror(errno));
		return -errno;
	}
	proc_walk_processes(directory, look_for_supervisor, &search);
	if (instance->pids[ROLE_SUPERVISOR] == 0) {
		snprintf(error, INSTANCE_ERROR_BYTES, "no pullgate runs with %s", config_path);
		return -ESRCH;
	}
	if (search.second != 0) {
		snprintf(error, INSTANCE_ERROR_BYTES, "two processes run with %s: %d and %d",
			config_path, (int)instance->pids[ROLE_SUPERVISOR], (int)search.second);
		return -EEXIST;
	}
	proc_walk_processes(directory, look_for_children, &search);
	proc_walk_processes(directory, count_children, &search);
	return 0;
}
