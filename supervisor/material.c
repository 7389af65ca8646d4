/* SPDX-License-Identifier: ISC */
/* What TLS and authorisation need, on its way from the files to the fetcher. */
#include "supervisor/material.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
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
		[MATERIAL_CA] = config_has_tls(config) ? config->ca_file : "",
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

int material_check(const struct config *config, char error[static CONFIG_ERROR_BYTES])
{
	struct material material;
	int result = material_load(&material, config, error);

	material_close(&material);
	return result;
}

/* A fresh open file, so that the receiver's reading moves no offset but its own. */
static int reopen(int memfd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int material_send(struct channel *control, const struct material *material)
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
