/* SPDX-License-Identifier: ISC */
/* pullgate-installer: puts peers into the kernel, and replays their initiations. */
#include "installer/dispatch.h"
#include "installer/start.h"
#include "sandbox/sandbox.h"

int main(void)
{
	static struct installer installer;

	process_open(&installer.process, ROLE_INSTALLER, "pullgate-installer");
	start_installer(&installer);
	sandbox_close(ROLE_INSTALLER, installer.process.user_id, installer.process.group_id);
	dispatch_ready(&installer);
	for (;;)
		dispatch_turn(&installer);
}
