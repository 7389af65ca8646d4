/* SPDX-License-Identifier: ISC */
/* An allocator that wipes what it frees. */
#include "fetcher/wiping_memory.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void *wiping_malloc(size_t size)
{
	return malloc(size);
}

void wiping_free(void *memory)
{
	if (memory == NULL)
		return;
	explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void *wiping_realloc(void *memory, size_t size)
{
	void *moved = malloc(size);
	size_t kept;

	if (moved == NULL || memory == NULL)
		return moved;
	kept = malloc_usable_size(memory);
	memcpy(moved, memory, kept < size ? kept : size);
	wiping_free(memory);
	return moved;
}

void *wiping_calloc(size_t count, size_t size)
{
	return calloc(count, size);
}

char *wiping_strdup(const char *text)
{
	return strdup(text);
}

int wiping_memory_install(void)
{
	size_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return -EIO;
	/* Zero would make jansson choose a seed itself, from a file. */
	json_object_seed(seed | 1);
	json_set_alloc_funcs(wiping_malloc, wiping_free);
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc,
		    wiping_strdup, wiping_calloc) != CURLE_OK)
		return -ENOMEM;
	return 0;
}
