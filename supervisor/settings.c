/* SPDX-License-Identifier: ISC */
/* What each child is told of the configuration. */
#include "supervisor/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* Debian's bundle of every public CA is some 220 kB. */
#define MATERIAL_BYTES_MAX (4 * 1024 * 1024)

static const char *const material_names[] = {
	[MATERIAL_CA] = "ca",
	[MATERIAL_CLIENT_CERT] = "client_cert",
	[MATERIAL_CLIENT_KEY] = "client_key",
	[MATERIAL_TOKEN] = "token",
};

#define MATERIAL_COUNT (sizeof(material_names) / sizeof(material_names[0]))

static int copy_all(int to, int from)
{
	size_t total = 0;
	ssize_t copied;

	while ((copied = sendfile(to, from, NULL, MATERIAL_BYTES_MAX + 1 - total)) > 0) {
		total += (size_t)copied;
		if (total > MATERIAL_BYTES_MAX)
			return -EFBIG;
	}
	if (copied < 0)
		return -errno;
	return total > 0 ? 0 : -ENODATA;
}

/* The file's bytes in a sealed memfd: its descriptor, or a negative errno. */
static int load_file(const char *path, const char *name)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int memfd, error;

	if (file < 0)
		return -errno;
	memfd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	error = memfd < 0 ? -errno : copy_all(memfd, file);
	close(file);
	if (error == 0 && fcntl(memfd, F_ADD_SEALS,
				  F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
		error = -errno;
	if (error == 0)
		return memfd;
	if (memfd >= 0)
		close(memfd);
	return error;
}

int material_load(struct material *material, const struct config *config,
	char error[static CONFIG_ERROR_BYTES])
{
	const char *const paths[MATERIAL_COUNT] = {
		[MATERIAL_CA] = config->origin.tls ? config->ca_file : "",
		[MATERIAL_CLIENT_CERT] = config->client_cert_file,
		[MATERIAL_CLIENT_KEY] = config->client_key_file,
		[MATERIAL_TOKEN] = config->bearer_token_file,
	};

	*material = MATERIAL_NONE;
	for (size_t i = 0; i < MATERIAL_COUNT; i++) {
		int memfd;

		if (paths[i][0] == '\0')
			continue;
		memfd = load_file(paths[i], material_names[i]);
		if (memfd < 0) {
			snprintf(error, CONFIG_ERROR_BYTES, "%s: %s", paths[i],
				memfd == -ENODATA ? "empty file" : strerror(-memfd));
			material_close(material);
			return memfd;
		}
		material->memfd[i] = memfd;
	}
	return 0;
}

void material_close(struct material *material)
{
	for (size_t i = 0; i < MATERIAL_COUNT; i++) {
		if (material->memfd[i] >= 0)
			close(material->memfd[i]);
	}
	*material = MATERIAL_NONE;
}

static int send_capture(struct channel *control, const struct config *config, bool verbose)
{
	struct message message = {.type = MESSAGE_TYPE_CAPTURE_SETTINGS};
	struct message_capture_settings *settings = &message.capture_settings;

	settings->verbose = verbose;
	settings->per_source_rate = config->per_source_rate;
	settings->per_source_burst = config->per_source_burst;
	settings->max_peers = config->max_peers;
	return channel_send(control, &message);
}

/* A fresh open file, so that the receiver's reading moves no offset but its own. */
static int reopen(int memfd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int send_material(struct channel *control, const struct material *material)
{
	for (size_t i = 0; i < MATERIAL_COUNT; i++) {
		struct message message = {.type = MESSAGE_TYPE_MATERIAL, .material.kind = i};
		int fd, error;

		if (material->memfd[i] < 0)
			continue;
		fd = reopen(material->memfd[i]);
		if (fd < 0)
			return -errno;
		error = channel_send_descriptor(control, &message, fd);
		close(fd);
		if (error != 0)
			return error;
	}
	return 0;
}

static int send_fetcher(struct channel *control, const struct config *config,
	const struct material *material, bool verbose)
{
	struct message message = {.type = MESSAGE_TYPE_FETCHER_SETTINGS};
	struct message_fetcher_settings *settings = &message.fetcher_settings;
	int error = send_material(control, material);

	if (error != 0)
		return error;
	settings->verbose = verbose;
	memcpy(settings->url, config->origin.url, sizeof(settings->url));
	settings->timeout_ms = config->timeout_ms;
	settings->concurrency = config->concurrency;
	settings->requests_per_second = config->requests_per_second;
	settings->fresh_ttl_ms = config->fresh_ttl_ms;
	settings->negative_ttl_ms = config->negative_ttl_ms;
	settings->max_allowed_ips = config->max_allowed_ips;
	return channel_send(control, &message);
}

static int send_connector(struct channel *control, const struct config *config, bool verbose)
{
	struct message message = {.type = MESSAGE_TYPE_CONNECTOR_SETTINGS};
	struct message_connector_settings *settings = &message.connector_settings;

	settings->verbose = verbose;
	memcpy(settings->host, config->origin.host, sizeof(settings->host));
	settings->port = config->origin.port;
	memcpy(settings->unix_path, config->origin.unix_path, sizeof(settings->unix_path));
	settings->timeout_ms = config->timeout_ms;
	return channel_send(control, &message);
}

static int send_installer(struct channel *control, const struct config *config, bool verbose)
{
	struct message message = {.type = MESSAGE_TYPE_INSTALLER_SETTINGS};
	struct message_installer_settings *settings = &message.installer_settings;

	settings->verbose = verbose;
	memcpy(settings->interface, config->interface, sizeof(settings->interface));
	settings->connect = (uint64_t)config->connect;
	settings->allowed.count = config->allowed.count;
	memcpy(settings->allowed.item, config->allowed.item, sizeof(settings->allowed.item));
	settings->allow_default_route = config->allow_default_route;
	settings->max_allowed_ips = config->max_allowed_ips;
	settings->max_peers = config->max_peers;
	settings->idle_after_ms = config->idle_after_ms;
	settings->unconfirmed_after_ms = config->unconfirmed_after_ms;
	return channel_send(control, &message);
}

int settings_send(struct channel *control, enum role role, const struct config *config,
	const struct material *material, bool verbose)
{
	switch (role) {
	case ROLE_CAPTURE:
		return send_capture(control, config, verbose);
	case ROLE_FETCHER:
		return send_fetcher(control, config, material, verbose);
	case ROLE_CONNECTOR:
		return send_connector(control, config, verbose);
	case ROLE_INSTALLER:
		return send_installer(control, config, verbose);
	default:
		return -EINVAL;
	}
}
