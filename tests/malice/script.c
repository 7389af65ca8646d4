/* SPDX-License-Identifier: ISC */
/* What a process that was taken over does. */
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

enum {
	SCRIPTS_MAX = 64,
	LINE_BYTES = 1 << 18,
	DESCRIPTORS_MAX = 16,
	LOOKUPS_MAX = 256,
	CONTROL_EVERY = 256, /* sends; a process that doesn't answer the supervisor is killed */
	WAIT_MS = 20,
	TRIES_WITHOUT_PEER = 500,
};

struct step {
	char verb[8];
	enum role role;
	uint8_t *bytes;
	size_t length;
	unsigned long number; /* COUNT, TIMES or MILLISECONDS */
	long id_at;           /* -1: no id to put in */
	char word[64];
	struct step *next;
};

struct script {
	struct process *process;
	struct step *first, **end;
	struct message_lookup lookups[LOOKUPS_MAX];
	size_t lookup_count;
	uint64_t id;
};

_Noreturn static void broken(const char *line)
{
	char quoted[LOG_QUOTED_BYTES];

	log_fatal("script_broken", "line=%s", log_quote(quoted, line));
}

static enum role role_of(const char *name, const char *line)
{
	for (enum role role = 0; role < ROLE_COUNT; role++) {
		if (strcmp(role_name(role), name) == 0)
			return role;
	}
	broken(line);
}

static void decode_hex(struct step *step, const char *hex, const char *line)
{
	step->length = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
	step->bytes = malloc(step->length + 1);
	if (step->bytes == NULL)
		broken(line);
	for (size_t i = 0; i < step->length; i++) {
		char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		step->bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
}

/* A line without its end, cut into its step; the text is destroyed. */
static void parse(struct script *script, char *line)
{
	struct step *step = calloc(1, sizeof(*step));
	char *words[5] = {NULL}, *rest = line;
	size_t count = 0;

	while (count < 5 && (words[count] = strtok_r(rest, " ", &rest)) != NULL)
		count++;
	if (step == NULL || count == 0)
		broken(line);
	snprintf(step->verb, sizeof(step->verb), "%s", words[0]);
	step->id_at = count > 4 ? strtol(words[4], NULL, 10) : -1;
	if (strcmp(words[0], "send") == 0 || strcmp(words[0], "attach") == 0) {
		if (count < 4)
			broken(line);
		step->role = role_of(words[1], line);
		decode_hex(step, words[2], line);
		step->number = strtoul(words[3], NULL, 10);
	} else if (strcmp(words[0], "await") == 0 && count == 2) {
		decode_hex(step, words[1], line);
	} else if (count == 2) {
		step->number = strtoul(words[1], NULL, 10);
		snprintf(step->word, sizeof(step->word), "%s", words[1]);
	}
	*script->end = step;
	script->end = &step->next;
}

static FILE *take_file(const char *name)
{
	const char *binary = (const char *)getauxval(AT_EXECFN);
	const char *slash = strrchr(binary, '/');
	char path[512];

	for (int i = 0; i < SCRIPTS_MAX; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "%.*s/%s.script.%d", (int)(slash - binary), binary,
			name, i);
		file = fopen(path, "re");
		if (file == NULL)
			return NULL;
		snprintf(path, sizeof(path), "%.*s/%s.taken.%d", (int)(slash - binary), binary,
			name, i);
		if (mkdirat(AT_FDCWD, path, S_IRWXU) == 0)
			return file;
		fclose(file);
	}
	return NULL;
}

static void attach(const struct step *step)
{
	int descriptors[DESCRIPTORS_MAX];
	union {
		char bytes[CMSG_SPACE(sizeof(descriptors))];
		struct cmsghdr align;
	} control = {.bytes = {0}};
	size_t bytes = step->number * sizeof(int);
	struct iovec part = {.iov_base = step->bytes, .iov_len = step->length};
	struct msghdr header = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(bytes)};
	struct cmsghdr *attached = CMSG_FIRSTHDR(&header);

	if (step->number > DESCRIPTORS_MAX)
		broken("attach");
	memset(descriptors, 0, sizeof(descriptors));
	attached->cmsg_level = SOL_SOCKET;
	attached->cmsg_type = SCM_RIGHTS;
	attached->cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(attached), descriptors, bytes);
	if (sendmsg(FD_CHANNEL(step->role), &header, MSG_NOSIGNAL) < 0)
		log_event(LOG_LEVEL_ERROR, "script", "said=attach_failed error=\"%s\"",
			strerror(errno));
}

struct script *script_open(struct process *process, const char *name)
{
	struct script *script = calloc(1, sizeof(*script));
	FILE *file = take_file(name);
	char *line = malloc(LINE_BYTES);

	if (script == NULL || line == NULL)
		broken("no memory");
	script->process = process;
	script->end = &script->first;
	while (file != NULL && fgets(line, LINE_BYTES, file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		parse(script, line);
	}
	free(line);
	if (file != NULL)
		fclose(file);
	for (const struct step *step = script->first; step != NULL; step = step->next) {
		if (strcmp(step->verb, "attach") == 0)
			attach(step);
	}
	return script;
}

/* Renewed channels are taken, and the supervisor has its answers. */
static void serve_supervisor(struct script *script, int wait_ms)
{
	struct pollfd control = {.fd = FD_CONTROL, .events = POLLIN};
	struct message message;
	int fd;

	poll(&control, 1, wait_ms);
	while (process_receive_control(script->process, &message, &fd)) {
		if (fd >= 0)
			close(fd);
	}
}

/* Whether it is sent; a full queue is waited for, and a peer that is being restarted too. */
static bool send_once(struct script *script, const struct step *step, unsigned long *waits)
{
	unsigned alone = 0;

	while (send(FD_CHANNEL(step->role), step->bytes, step->length,
		       MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		struct pollfd room = {.fd = FD_CHANNEL(step->role), .events = POLLOUT};

		if (errno == EAGAIN) {
			poll(&room, 1, WAIT_MS);
			(*waits)++;
			serve_supervisor(script, 0);
		} else if (++alone > TRIES_WITHOUT_PEER) {
			return false;
		} else {
			serve_supervisor(script, WAIT_MS);
		}
	}
	return true;
}

static void send_step(struct script *script, const struct step *step)
{
	unsigned long sent = 0, waits = 0;

	if (step->id_at >= 0 && (size_t)step->id_at + 8 <= step->length) {
		for (size_t i = 0; i < 8; i++)
			step->bytes[(size_t)step->id_at + i] =
				(uint8_t)(script->id >> (56 - 8 * i));
	}
	while (sent < step->number && send_once(script, step, &waits)) {
		if (++sent % CONTROL_EVERY == 0)
			serve_supervisor(script, 0);
	}
	if (step->number > 1 || sent == 0)
		log_event(LOG_LEVEL_NOTICE, "script", "said=sent to=%s count=%lu waits=%lu",
			role_name(step->role), sent, waits);
}

static bool find_lookup(struct script *script, const uint8_t *key)
{
	for (size_t i = script->lookup_count; i-- > 0;) {
		if (memcmp(script->lookups[i].key, key, WIREGUARD_KEY_BYTES) != 0)
			continue;
		script->id = script->lookups[i].id;
		return true;
	}
	return false;
}

static void await_step(struct script *script, const struct step *step)
{
	struct channel *capture = &script->process->channels[ROLE_CAPTURE];
	struct message message;

	while (!find_lookup(script, step->bytes)) {
		serve_supervisor(script, WAIT_MS);
		while (channel_receive(capture, &message) == 0) {
			if (message.type == MESSAGE_TYPE_LOOKUP &&
				script->lookup_count < LOOKUPS_MAX)
				script->lookups[script->lookup_count++] = message.lookup;
		}
	}
}

/* Reads what the others sent, and throws it away: who reads nothing for long is ended as deaf. */
static void listen_to_others(struct script *script)
{
	struct message message;

	for (enum role role = 0; role < ROLE_COUNT; role++) {
		struct channel *channel = &script->process->channels[role];

		while (role != ROLE_SUPERVISOR && channel_receive(channel, &message) == 0)
			continue;
	}
}

/* The supervisor's questions are answered meanwhile. */
static void pause_step(struct script *script, const struct step *step)
{
	int64_t until_ms = clock_ms() + (int64_t)step->number;
	int64_t left_ms;

	while ((left_ms = until_ms - clock_ms()) > 0) {
		serve_supervisor(script, left_ms < WAIT_MS ? (int)left_ms : WAIT_MS);
		listen_to_others(script);
	}
}

void script_run(struct script *script)
{
	for (const struct step *step = script->first; step != NULL; step = step->next) {
		if (strcmp(step->verb, "send") == 0)
			send_step(script, step);
		else if (strcmp(step->verb, "await") == 0)
			await_step(script, step);
		else if (strcmp(step->verb, "pause") == 0)
			pause_step(script, step);
		else if (strcmp(step->verb, "say") == 0)
			log_event(LOG_LEVEL_NOTICE, "script", "said=%s", step->word);
		while (strcmp(step->verb, "idle") == 0)
			serve_supervisor(script, 1000);
	}
}
