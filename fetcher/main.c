/* SPDX-License-Identifier: ISC */
/* pullgate-fetcher: asks the origin for peers, over sockets that it is handed. */
#include <signal.h>
#include <time.h>

#include "common/process.h"
#include "fetcher/dispatch.h"
#include "sandbox/sandbox.h"

int main(int argc, char **argv)
{
	static struct fetcher fetcher;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* the cache's file at its limit is an error of pwrite(2) */
	fetcher.interface = argc > 1 ? argv[1] : "";
	tzset(); /* reads /etc/localtime, which can't be opened later */
	process_open(&fetcher.process, ROLE_FETCHER, "pullgate-fetcher");
	fetcher_open(&fetcher);
	sandbox_close_within(
		fetcher.process.user_id, fetcher.process.group_id, fetcher_directory(&fetcher));
	/* Who owned this process before may have written it. */
	fetcher_read_cache(&fetcher);
	process_ready(&fetcher.process);
	for (;;)
		fetcher_turn(&fetcher);
}
