/* SPDX-License-Identifier: ISC */
/* Certificates, key and token as the supervisor hands them over. */
#include "fetcher/material.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/locked_memory.h"

static const struct {
	const char *name;
	size_t bytes_max;
	bool is_secret;
} kinds[MATERIAL_KINDS] = {
	[MATERIAL_CA] = {"ca_file", MATERIAL_CA_BYTES_MAX, false},
	[MATERIAL_CLIENT_CERT] = {"client_cert_file", MATERIAL_CLIENT_CERT_BYTES_MAX, false},
	[MATERIAL_CLIENT_KEY] = {"client_key_file", MATERIAL_CLIENT_KEY_BYTES_MAX, true},
	[MATERIAL_TOKEN] = {"bearer_token_file", MATERIAL_TOKEN_BYTES_MAX, true},
};

const char *material_name(enum material_kind kind)
{
	return kinds[kind].name;
}

static void *make_pages(size_t size, bool is_secret)
{
	void *pages;

	if (is_secret)
		return locked_memory_new(size);
	pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return pages == MAP_FAILED ? NULL : pages;
}

int material_open(struct material_set *set)
{
	memset(set, 0, sizeof(*set));
	for (size_t i = 0; i < MATERIAL_KINDS; i++) {
		size_t size = kinds[i].bytes_max + 1;
		void *pages = make_pages(size, kinds[i].is_secret);

		if (pages == NULL) {
			material_close(set);
			return -ENOMEM;
		}
		set->items[i] = (struct material){.bytes = pages, .size = kinds[i].bytes_max};
	}
	return 0;
}

static void clear(struct material *material)
{
	explicit_bzero(material->bytes, material->length);
	material->length = 0;
}

void material_clear(struct material_set *set)
{
	for (size_t i = 0; i < MATERIAL_KINDS; i++)
		clear(&set->items[i]);
}

void material_close(struct material_set *set)
{
	for (size_t i = 0; i < MATERIAL_KINDS; i++) {
		struct material *material = &set->items[i];

		if (material->bytes == NULL)
			continue;
		clear(material);
		munmap(material->bytes, material->size + 1);
		material->bytes = NULL;
	}
}

/* One byte past the limit is asked for, to tell a file that is too long. */
static int read_whole(struct material *material, int fd)
{
	for (;;) {
		ssize_t got = pread(fd, material->bytes + material->length,
			material->size + 1 - material->length, (off_t)material->length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		material->length += (size_t)got;
		if (material->length > material->size)
			return -EFBIG;
	}
}

int material_read(struct material_set *set, enum material_kind kind, int fd)
{
	struct material *material = &set->items[kind];
	int error;

	clear(material);
	error = read_whole(material, fd);
	if (error != 0)
		clear(material);
	return error;
}

int material_trim_token(struct material_set *set, const char **reason)
{
	struct material *token = &set->items[MATERIAL_TOKEN];

	if (token->length == 0)
		return 0;
	while (token->length > 0 && (token->bytes[token->length - 1] == '\n' ||
					    token->bytes[token->length - 1] == '\r'))
		token->bytes[--token->length] = '\0';
	*reason = "empty";
	if (token->length == 0)
		return -EINVAL;
	*reason = "holds a character other than visible ASCII";
	for (size_t i = 0; i < token->length; i++) {
		if (token->bytes[i] <= ' ' || token->bytes[i] > '~')
			return -EINVAL;
	}
	return 0;
}
