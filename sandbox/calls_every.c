/* SPDX-License-Identifier: ISC */
/* The system calls that every process is allowed. */
#include <stdint.h>
#include <sys/mman.h>

#include "sandbox/calls.h"

static const struct call calls[] = {
	/* Life. */
	CALL_IF(recvmsg, "settings and renewed channels from the supervisor",
		INT_IS(0, FD_CONTROL)),
	CALL_IF(sendto, "READY and offences to the supervisor", INT_IS(0, FD_CONTROL), NO_ADDRESS),
	CALL_IF(write, "log lines", INT_IS(0, 2)),
	CALL(poll, "waiting for channels, packets and time"),
	CALL(restart_syscall, "poll goes on by itself after SIGSTOP and SIGCONT"),
	CALL(clock_gettime, "the clock, where the kernel can't give it without a call (emulation)"),
	CALL(close, "descriptors that came over a channel"),
	CALL(exit_group, "end"),

	/* Memory. With one thread malloc has one arena: no mprotect, no madvise. */
	CALL(brk, "malloc: growth and return"),
	CALL_IF(mmap, "malloc: large blocks", NOT_EXECUTABLE(2),
		BITS_ARE(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	CALL(munmap, "malloc: large blocks given back"),
	CALL_IF(mremap, "realloc: large blocks", INT_IS(3, MREMAP_MAYMOVE)),

#if defined(PULLGATE_ADDRESS_SANITIZER)
	CALL(sigaltstack, "AddressSanitizer, in a build for tests: asks before it ends"),
#endif
};

const struct call_list calls_every_process = CALL_LIST(calls);
