/* SPDX-License-Identifier: ISC */
/* The real fetcher and connector with the test around them. */
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/role.h"

#define NOBODY 65534

/* What a child begins with: its ends of the channels, by the other side's role. */
struct ends {
	int fds[ROLE_COUNT];
};

static void make_channel(int ends[2])
{
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
}

static struct channel attach(enum role self, int fd, enum role peer)
{
	return (struct channel){.fd = fd, .self = self, .peer = peer};
}

/* In the child: puts each descriptor where role.h wants it, and executes. */
_Noreturn static void become(
	const char *program, const char *name, const struct ends *ends, const char *log_path)
{
	const char *trace =
		getenv("PULLGATE_TEST_STRACE"); /* a directory: the calls are left there */
	char output[512];
	int high[ROLE_COUNT], log = open(log_path, O_WRONLY | O_APPEND | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < ROLE_COUNT; i++)
		high[i] = ends->fds[i] >= 0 ? fcntl(ends->fds[i], F_DUPFD_CLOEXEC, 100) : -1;
	log = fcntl(log, F_DUPFD_CLOEXEC, 100);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	close_range(3, 99, 0);
	for (int i = 0; i < ROLE_COUNT; i++) {
		if (high[i] >= 0)
			dup2(high[i], FD_CHANNEL(i));
	}
	if (trace != NULL) {
		snprintf(output, sizeof(output), "%s/%s.%d", trace, name, (int)getpid());
		execlp("strace", "strace", "-f", "-o", output, program, (char *)NULL);
	} else {
		execl(program, name, (char *)NULL);
	}
	_exit(127);
}

static pid_t start(
	const char *program, const char *name, const struct ends *ends, const char *log_path)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		become(program, name, ends, log_path);
	for (int i = 0; i < ROLE_COUNT; i++) {
		if (ends->fds[i] >= 0)
			close(ends->fds[i]);
	}
	return child;
}

static void send_to(struct channel *channel, const struct message *message)
{
	assert_int_equal(channel_send(channel, message), 0);
}

static void send_start(struct channel *control)
{
	struct message message = {.type = MESSAGE_TYPE_START,
		.start = {.user_id = NOBODY, .group_id = NOBODY, .verbose = 1}};

	send_to(control, &message);
}

static void send_connector_origin(struct pair *pair, const struct pair_origin *origin)
{
	struct message message = {.type = MESSAGE_TYPE_CONNECTOR_ORIGIN};
	struct message_connector_origin *named = &message.connector_origin;

	named->port = origin->port;
	if (origin->unix_path != NULL)
		snprintf(named->unix_path, sizeof(named->unix_path), "%s", origin->unix_path);
	else
		snprintf(named->host, sizeof(named->host), "%s", origin->host);
	send_to(&pair->connector_control, &message);
}

static void send_connector_settings(struct pair *pair, const struct pair_settings *settings)
{
	struct message message = {.type = MESSAGE_TYPE_CONNECTOR_SETTINGS};
	struct message_connector_settings *connector = &message.connector_settings;

	for (size_t i = 0; i < ORIGINS_MAX && settings->origins[i].url != NULL; i++)
		send_connector_origin(pair, &settings->origins[i]);
	connector->verbose = 1;
	connector->timeout_ms = settings->timeout_ms > 0 ? settings->timeout_ms : 2000;
	send_to(&pair->connector_control, &message);
}

static void send_material(struct pair *pair, enum material_kind kind, const char *path)
{
	struct message message = {.type = MESSAGE_TYPE_MATERIAL, .material.kind = kind};
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(channel_send_descriptor(&pair->fetcher_control, &message, fd), 0);
	close(fd);
}

static void send_fetcher_origin(struct pair *pair, const struct pair_origin *origin)
{
	struct message message = {.type = MESSAGE_TYPE_FETCHER_ORIGIN};
	struct message_fetcher_origin *named = &message.fetcher_origin;

	snprintf(named->url, sizeof(named->url), "%s", origin->url);
	if (origin->unix_path != NULL)
		snprintf(named->unix_path, sizeof(named->unix_path), "%s", origin->unix_path);
	send_to(&pair->fetcher_control, &message);
}

static void send_fetcher_settings(struct pair *pair, const struct pair_settings *settings)
{
	struct message message = {.type = MESSAGE_TYPE_FETCHER_SETTINGS};
	struct message_fetcher_settings *fetcher = &message.fetcher_settings;

	for (int kind = 0; kind < 4; kind++) {
		if (settings->materials[kind] != NULL)
			send_material(pair, (enum material_kind)kind, settings->materials[kind]);
	}
	for (size_t i = 0; i < ORIGINS_MAX && settings->origins[i].url != NULL; i++)
		send_fetcher_origin(pair, &settings->origins[i]);
	fetcher->verbose = 1;
	fetcher->timeout_ms = settings->timeout_ms > 0 ? settings->timeout_ms : 2000;
	fetcher->concurrency = settings->concurrency > 0 ? settings->concurrency : 64;
	fetcher->requests_per_second =
		settings->requests_per_second > 0 ? settings->requests_per_second : 100000;
	fetcher->breaker = 5;
	fetcher->fresh_ttl_ms = 300000;
	fetcher->negative_ttl_ms = 60000;
	fetcher->stale_if_error_ms = settings->stale_if_error_ms;
	fetcher->stale_after_ms = 800;
	fetcher->max_peers = settings->max_peers > 0 ? settings->max_peers : 100;
	fetcher->max_allowed_ips = 8;
	if (settings->pinned_public_keys != NULL)
		snprintf(fetcher->pinned_public_keys, sizeof(fetcher->pinned_public_keys), "%s",
			settings->pinned_public_keys);
	send_to(&pair->fetcher_control, &message);
}

/* Receives one message, with all the patience. */
static void receive(struct channel *channel, struct message *message)
{
	int64_t deadline = clock_ms() + PAIR_PATIENCE_MS;
	int error;

	while ((error = channel_receive(channel, message)) == -EAGAIN) {
		struct pollfd wait = {.fd = channel->fd, .events = POLLIN};

		if (clock_ms() >= deadline)
			fail_msg("nothing came from %s", role_name(channel->peer));
		poll(&wait, 1, 100);
	}
	assert_int_equal(error, 0);
}

static void await_ready(struct pair *pair, struct channel *control)
{
	struct message message;
	struct pollfd wait = {.fd = control->fd, .events = POLLIN};

	if (poll(&wait, 1, PAIR_PATIENCE_MS) != 1 || (wait.revents & POLLHUP) != 0)
		pair_show_log(pair);
	receive(control, &message);
	assert_int_equal(message.type, MESSAGE_TYPE_READY);
}

static void start_connector(
	struct pair *pair, const struct pair_settings *settings, int fetcher_end)
{
	struct ends ends = {{-1, -1, -1, -1, -1}};
	int control[2];

	make_channel(control);
	ends.fds[ROLE_SUPERVISOR] = control[1];
	ends.fds[ROLE_FETCHER] = fetcher_end;
	pair->connector_control = attach(ROLE_SUPERVISOR, control[0], ROLE_CONNECTOR);
	pair->connector = start(PULLGATE_CONNECTOR, "pullgate-connector", &ends, pair->log_path);
	send_start(&pair->connector_control);
	send_connector_settings(pair, settings);
	await_ready(pair, &pair->connector_control);
}

static void start_fetcher(
	struct pair *pair, const struct pair_settings *settings, int connector_end)
{
	struct ends ends = {{-1, -1, -1, -1, -1}};
	int control[2], capture[2], installer[2];

	make_channel(control);
	make_channel(capture);
	make_channel(installer);
	ends.fds[ROLE_SUPERVISOR] = control[1];
	ends.fds[ROLE_CAPTURE] = capture[1];
	ends.fds[ROLE_INSTALLER] = installer[1];
	ends.fds[ROLE_CONNECTOR] = connector_end;
	pair->fetcher_control = attach(ROLE_SUPERVISOR, control[0], ROLE_FETCHER);
	pair->capture = attach(ROLE_CAPTURE, capture[0], ROLE_FETCHER);
	pair->installer = attach(ROLE_INSTALLER, installer[0], ROLE_FETCHER);
	pair->fetcher = start(PULLGATE_FETCHER, "pullgate-fetcher", &ends, pair->log_path);
	send_start(&pair->fetcher_control);
	send_fetcher_settings(pair, settings);
	await_ready(pair, &pair->fetcher_control);
}

void pair_start(struct pair *pair, const char *directory, const struct pair_settings *settings)
{
	int between[2], log;

	memset(pair, 0, sizeof(*pair));
	snprintf(pair->log_path, sizeof(pair->log_path), "%s/pair.log", directory);
	log = open(pair->log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(log >= 0);
	close(log);
	make_channel(between);
	start_connector(pair, settings, between[0]);
	start_fetcher(pair, settings, between[1]);
}

static void end(pid_t child)
{
	int status;

	if (child == 0)
		return; /* by itself, as was awaited */
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	/* A child that ended by itself before has crashed or met its seccomp filter. */
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* AddressSanitizer looks for leaks at an exit, with a process that the sandbox doesn't allow. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EXITS_ARE_CLEAN false
#endif
#endif
#ifndef EXITS_ARE_CLEAN
#define EXITS_ARE_CLEAN true
#endif

void pair_await_connector_end(struct pair *pair)
{
	int status;

	assert_int_equal(waitpid(pair->connector, &status, 0), pair->connector);
	assert_true(WIFEXITED(status) || !EXITS_ARE_CLEAN);
	pair->connector = 0;
}

void pair_stop(struct pair *pair)
{
	end(pair->fetcher);
	end(pair->connector);
	channel_close(&pair->fetcher_control);
	channel_close(&pair->connector_control);
	channel_close(&pair->capture);
	channel_close(&pair->installer);
}

void pair_reload(struct pair *pair, const struct pair_settings *settings)
{
	send_connector_settings(pair, settings);
	send_fetcher_settings(pair, settings);
}

void pair_restart_connector(struct pair *pair, const struct pair_settings *settings)
{
	struct message message = {
		.type = MESSAGE_TYPE_RENEW, .renew = {.role = ROLE_CONNECTOR, .generation = 2}};
	int between[2];

	end(pair->connector);
	channel_close(&pair->connector_control);
	make_channel(between);
	start_connector(pair, settings, between[0]);
	assert_int_equal(channel_send_descriptor(&pair->fetcher_control, &message, between[1]), 0);
	close(between[1]);
}

uint64_t pair_ask(struct pair *pair, const uint8_t key[static 32])
{
	struct message message = {.type = MESSAGE_TYPE_LOOKUP, .lookup.id = ++pair->last_id};

	memcpy(message.lookup.key, key, 32);
	send_to(&pair->capture, &message);
	return pair->last_id;
}

uint64_t pair_renew(struct pair *pair, const uint8_t key[static 32])
{
	struct message message = {.type = MESSAGE_TYPE_REVALIDATE,
		.revalidate.id = ((uint64_t)1 << 63) | ++pair->last_id};

	memcpy(message.revalidate.key, key, 32);
	send_to(&pair->installer, &message);
	return message.revalidate.id;
}

void pair_answer(struct pair *pair, struct message_peer *peer)
{
	struct message message;

	receive(&pair->installer, &message);
	assert_int_equal(message.type, MESSAGE_TYPE_PEER);
	*peer = message.peer;
}

enum peer_answer pair_fetch(
	struct pair *pair, const uint8_t key[static 32], struct message_peer *peer)
{
	uint64_t id = pair_ask(pair, key);

	pair_answer(pair, peer);
	assert_int_equal(peer->id, id);
	assert_memory_equal(peer->key, key, 32);
	return (enum peer_answer)peer->answer;
}

unsigned count_in_file(const char *path, const char *text)
{
	char line[4096];
	unsigned count = 0;
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		count += strstr(line, text) != NULL;
	fclose(file);
	return count;
}

unsigned pair_logged(const struct pair *pair, const char *text)
{
	return count_in_file(pair->log_path, text);
}

unsigned await_in_file(const char *path, const char *text, unsigned count)
{
	int64_t deadline = clock_ms() + PAIR_PATIENCE_MS;
	unsigned found;

	while ((found = count_in_file(path, text)) < count) {
		if (clock_ms() >= deadline)
			fail_msg("%s does not have %u times: %s", path, count, text);
		poll(NULL, 0, 20);
	}
	return found;
}

void pair_await_log(const struct pair *pair, const char *text, unsigned count)
{
	await_in_file(pair->log_path, text, count);
}

void pair_show_log(const struct pair *pair)
{
	char command[256];

	snprintf(command, sizeof(command), "tail -n 8 %s >&2", pair->log_path);
	if (system(command) != 0)
		print_error("no log\n");
}

static int bring_loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = ioctl(fd, SIOCSIFFLAGS, &request);

	close(fd);
	return error;
}

bool pair_can_run(void)
{
	if (geteuid() != 0 || access("/usr/sbin/nginx", X_OK) != 0) {
		printf("skipped: needs root and nginx\n");
		return false;
	}
	if (unshare(CLONE_NEWNET) != 0 || bring_loopback_up() != 0) {
		printf("skipped: no network namespace can be made\n");
		return false;
	}
	return true;
}
