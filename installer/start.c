/* SPDX-License-Identifier: ISC */
/* What the installer does before its sandbox closes. */
#include "installer/start.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/locked_memory.h"
#include "common/log.h"
#include "installer/address_watch.h"
#include "installer/link.h"
#include "installer/renewal.h"
#include "installer/survey.h"

_Noreturn static void unusable(
	const struct installer *installer, const char *reason, const char *hint)
{
	char name[LOG_QUOTED_BYTES];

	log_fatal("interface_unusable", "interface=%s reason=\"%s\" hint=\"%s\"",
		log_quote(name, installer->interface), reason, hint);
}

static void await_settings(struct installer *installer)
{
	struct message message;
	int fd;

	process_await(&installer->process, &message, &fd);
	if (message.type != MESSAGE_TYPE_INSTALLER_SETTINGS || fd >= 0)
		log_fatal("start_failed", "reason=\"expected INSTALLER_SETTINGS, got %s\"",
			message_name(message.type));
	memcpy(installer->interface, message.installer_settings.interface,
		sizeof(installer->interface));
	installer->max_peers_at_start = (uint32_t)message.installer_settings.max_peers;
	start_apply_settings(installer, &message.installer_settings);
}

void start_apply_settings(
	struct installer *installer, const struct message_installer_settings *settings)
{
	uint32_t max_peers = (uint32_t)settings->max_peers;

	log_set_verbose(settings->verbose);
	if (strcmp(settings->interface, installer->interface) != 0)
		log_event(LOG_LEVEL_WARNING, "needs_restart", "setting=interface");
	if (max_peers > installer->max_peers_at_start) {
		log_event(LOG_LEVEL_WARNING, "needs_restart", "setting=max_peers");
		max_peers = installer->max_peers_at_start; /* all that there is memory for */
	}
	installer->max_peers = max_peers;
	installer->connect = (enum connect_mode)settings->connect;
	installer->eviction = (struct eviction){.idle_after_ms = (int64_t)settings->idle_after_ms,
		.unconfirmed_after_ms = (int64_t)settings->unconfirmed_after_ms};
	policy_apply(&installer->policy, settings);
	renewal_apply(installer, settings);
}

static void take_secret_memory(struct installer *installer)
{
	installer->secrets = locked_memory_new(sizeof(*installer->secrets));
	if (installer->secrets == NULL)
		log_fatal("start_failed", "reason=\"memory for secrets: %s\"", strerror(errno));
}

static void take_memory(struct installer *installer)
{
	int64_t now_ms = clock_ms();
	int error =
		peers_init(&installer->peers, installer->max_peers_at_start, ALLOWED_IPS_A_PEER);

	if (error == 0)
		error = tickets_init(&installer->tickets, TICKETS_MAX);
	if (error != 0)
		log_fatal("start_failed", "reason=\"memory for tables: %s\"", strerror(-error));
	error = renewal_init(installer);
	if (error != 0)
		log_fatal("start_failed", "reason=\"random bytes: %s\"", strerror(-error));
	take_secret_memory(installer);
	token_bucket_init(&installer->installs, INSTALLS_PER_SECOND, INSTALLS_BURST, now_ms);
	token_bucket_init(&installer->removals, REMOVALS_PER_SECOND, REMOVALS_BURST, now_ms);
	survey_init(installer);
}

static void open_device(struct installer *installer)
{
	int error = device_open(
		&installer->device, installer->interface, installer->secrets->netlink_buffer);

	if (error == -ENOENT)
		unusable(installer, "the kernel has no WireGuard", "modprobe wireguard");
	if (error == 0)
		error = address_watch_open(installer);
	if (error != 0)
		log_fatal("start_failed", "reason=\"netlink: %s\"", strerror(-error));
}

/* The interface must be there, be WireGuard, and have its socket in this namespace. */
static void check_link(struct installer *installer, struct link *link)
{
	int error = link_read(&installer->route, installer->interface, link);

	if (error == -ENODEV)
		unusable(installer, "there is no such interface",
			"create it with ip link add or wg-quick");
	if (error != 0)
		log_fatal("start_failed", "reason=\"reading the interface: %s\"", strerror(-error));
	if (!link->is_wireguard)
		unusable(installer, "it is not a WireGuard interface", "check gateway.interface");
}

static void read_device(struct installer *installer)
{
	int error = survey_first(installer);

	if (error == -EPERM)
		unusable(installer, "reading it is not permitted", "pullgate needs CAP_NET_ADMIN");
	if (error != 0)
		log_fatal("start_failed", "reason=\"reading the interface: %s\"", strerror(-error));
	if (installer->gateway.is_usable)
		return;
	if (installer->gateway.listen_port == 0)
		unusable(installer, "it has no listen port", "wg set INTERFACE listen-port PORT");
	unusable(installer, "it has no private key", "wg set INTERFACE private-key FILE");
}

static void check_socket(struct installer *installer, const struct link *link)
{
	if (!link->is_up) {
		log_event(LOG_LEVEL_WARNING, "interface_down", "hint=\"ip link set %s up\"",
			installer->interface);
		return;
	}
	if (link_port_taken(installer->gateway.listen_port) == 0)
		unusable(installer, "its UDP socket is in another network namespace",
			"create the interface in the namespace where pullgate runs");
}

void start_installer(struct installer *installer)
{
	struct link link = {.is_up = false};

	await_settings(installer);
	take_memory(installer);
	open_device(installer);
	check_link(installer, &link);
	read_device(installer);
	check_socket(installer, &link);
	installer->owes_device = true;
}
