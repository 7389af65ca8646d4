/* SPDX-License-Identifier: ISC */
/* Whether a child still works. */
#include "supervisor/health.h"

#include <errno.h>

void health_begin(struct health *health)
{
	*health = (struct health){.asked = 0};
}

bool health_is_due(const struct health *health, int64_t now_ms)
{
	return health->asked_ms == 0 || now_ms - health->asked_ms >= HEALTH_ASK_EVERY_MS;
}

uint64_t health_ask(struct health *health, int64_t now_ms)
{
	if (health->asked == health->answered)
		health->silent_since_ms = now_ms;
	health->asked_ms = now_ms;
	return ++health->asked;
}

int health_answer(struct health *health, uint64_t id, int64_t now_ms)
{
	if (id <= health->answered || id > health->asked)
		return -EPROTO;
	health->answered = id;
	health->silent_since_ms = now_ms; /* where another question is open */
	return 0;
}

int64_t health_silent_ms(const struct health *health, int64_t now_ms)
{
	return health->asked == health->answered ? 0 : now_ms - health->silent_since_ms;
}

int64_t health_limit_ms(enum role role)
{
	return role == ROLE_CONNECTOR ? HEALTH_SILENT_CONNECTOR_MS : HEALTH_SILENT_MS;
}

void health_excuse(struct health *health, int64_t now_ms)
{
	health->silent_since_ms = now_ms;
	health->asked_ms = 0;
}
