/* SPDX-License-Identifier: ISC */
/* A fetcher that was taken over: fetcher/main.c with a script before its work. */
#include <signal.h>
#include <time.h>

#include "common/process.h"
#include "fetcher/dispatch.h"
#include "sandbox/sandbox.h"
#include "script.h"

int main(void)
{
	static struct fetcher fetcher;
	struct script *script;

	signal(SIGPIPE, SIG_IGN);
	tzset();
	process_open(&fetcher.process, ROLE_FETCHER, "pullgate-fetcher");
	fetcher_open(&fetcher);
	script = script_open(&fetcher.process, "fetcher");
	sandbox_close(ROLE_FETCHER, fetcher.process.user_id, fetcher.process.group_id);
	process_ready(&fetcher.process);
	script_run(script);
	for (;;)
		fetcher_turn(&fetcher);
}
