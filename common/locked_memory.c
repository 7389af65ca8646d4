/* SPDX-License-Identifier: ISC */
/* Memory for secrets. */
#include "common/locked_memory.h"

#include <sys/mman.h>

void *locked_memory_new(size_t bytes)
{
	void *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	if (mlock(memory, bytes) == 0 && madvise(memory, bytes, MADV_DONTDUMP) == 0 &&
		madvise(memory, bytes, MADV_WIPEONFORK) == 0)
		return memory;
	munmap(memory, bytes);
	return NULL;
}
