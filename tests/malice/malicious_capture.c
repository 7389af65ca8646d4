/* SPDX-License-Identifier: ISC */
/* A capture that was taken over: capture/main.c with a script before its work. */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "capture/dispatch.h"
#include "capture/judge.h"
#include "common/locked_memory.h"
#include "common/log.h"
#include "common/message.h"
#include "common/process.h"
#include "common/role.h"
#include "sandbox/sandbox.h"
#include "script.h"

static void await_settings(struct process *process, struct message_capture_settings *settings)
{
	struct message message;
	int fd;

	process_await(process, &message, &fd);
	if (message.type != MESSAGE_TYPE_CAPTURE_SETTINGS || fd >= 0)
		log_fatal("start_failed", "reason=\"expected CAPTURE_SETTINGS, got %s\"",
			message_name(message.type));
	*settings = message.capture_settings;
}

/* The supervisor's memory, which outlives this process. */
static void *map_timestamps(size_t *bytes)
{
	struct stat status;
	void *memory;

	if (fstat(FD_TIMESTAMPS, &status) != 0)
		log_fatal("start_failed", "step=timestamps error=\"%s\"", strerror(errno));
	*bytes = (size_t)status.st_size;
	memory = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, FD_TIMESTAMPS, 0);
	if (memory == MAP_FAILED)
		log_fatal("start_failed", "step=timestamps error=\"%s\"", strerror(errno));
	return memory;
}

static struct capture_secrets *allocate_secrets(void)
{
	struct capture_secrets *secrets = locked_memory_new(sizeof(*secrets));

	if (secrets == NULL)
		log_fatal("start_failed", "step=locked_memory error=\"%s\"", strerror(errno));
	return secrets;
}

static void open_judge(struct judge *judge, struct capture_secrets *secrets,
	const struct message_capture_settings *settings)
{
	size_t bytes;
	void *timestamps = map_timestamps(&bytes);
	int error = judge_init(judge, &secrets->judge, (uint32_t)settings->max_peers,
		(uint32_t)settings->per_source_rate, (uint32_t)settings->per_source_burst,
		timestamps, bytes);

	if (error != 0)
		log_fatal("start_failed", "step=tables error=\"%s\"", strerror(-error));
	log_event(LOG_LEVEL_DEBUG, "timestamps", "continued=%s",
		judge->timestamps.continued ? "yes" : "no");
}

int main(void)
{
	static struct process process;
	static struct judge judge;
	static struct dispatch dispatch;
	struct message_capture_settings settings;
	struct capture_secrets *secrets;
	struct script *script;

	process_open(&process, ROLE_CAPTURE, "pullgate-capture");
	await_settings(&process, &settings);
	log_set_verbose(settings.verbose != 0);
	if (sodium_init() < 0)
		log_fatal("start_failed", "step=libsodium");
	secrets = allocate_secrets();
	open_judge(&judge, secrets, &settings);
	dispatch_init(&dispatch, &process, &judge, secrets, &settings);
	script = script_open(&process, "capture");

	sandbox_close(ROLE_CAPTURE, process.user_id, process.group_id);
	process_ready(&process);
	script_run(script);
	dispatch_run(&dispatch, FD_PACKET);
}
