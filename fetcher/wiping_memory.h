/* SPDX-License-Identifier: ISC */
/*
 * The allocator given to libcurl and jansson: memory is wiped before it is freed, since a preshared
 * key, the bearer token and the client's key pass through their buffers. (OpenSSL wipes its own
 * secrets; its record buffers and nghttp2's are out of our reach.)
 */
#ifndef PULLGATE_FETCHER_WIPING_MEMORY_H
#define PULLGATE_FETCHER_WIPING_MEMORY_H

#include <stddef.h>

/* As malloc(3), free, realloc, calloc and strdup(3); realloc always moves. */
void *wiping_malloc(size_t size);
void wiping_free(void *memory);
void *wiping_realloc(void *memory, size_t size);
void *wiping_calloc(size_t count, size_t size);
char *wiping_strdup(const char *text);

/* Hands it to both libraries and starts them. Before any other call of theirs, and before the
 * sandbox closes: libcurl opens files when it starts. 0, -ENOMEM, or -EIO without randomness. */
int wiping_memory_install(void);

#endif
