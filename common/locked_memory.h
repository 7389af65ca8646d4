/* SPDX-License-Identifier: ISC */
/* Memory for secrets: never swapped (mlock(2)), left out of dumps, gone in a forked process. */
#ifndef PULLGATE_LOCKED_MEMORY_H
#define PULLGATE_LOCKED_MEMORY_H

#include <stddef.h>

/* Zeroed pages of their own; NULL with errno set. For the process' life: there is no way back. */
void *locked_memory_new(size_t bytes);

#endif
