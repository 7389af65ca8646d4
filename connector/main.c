/* SPDX-License-Identifier: ISC */
/* pullgate-connector: makes connections to the configured origins, and nothing else. */
#include "common/process.h"
#include "connector/dispatch.h"
#include "sandbox/sandbox.h"

int main(void)
{
	static struct connector connector;
	struct root_needs needs;

	process_open(&connector.process, ROLE_CONNECTOR, "pullgate-connector");
	connector_open(&connector);
	needs = connector_root_needs(&connector);
	sandbox_close_sharing(
		ROLE_CONNECTOR, connector.process.user_id, connector.process.group_id, &needs);
	process_ready(&connector.process);
	for (;;)
		connector_turn(&connector);
}
