/* SPDX-License-Identifier: ISC */
/* Where an origin is. */
#include "connector/addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <nss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

void addresses_open(void)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;

	/* Other services are modules, which can't be loaded behind the sandbox (nss.h). */
	__nss_configure_lookup("hosts", "files dns");
	/* Not over what an operator chose; no thread is there to read the environment meanwhile. */
	setenv("RES_OPTIONS", "timeout:1 attempts:2", 0);
	if (getaddrinfo("localhost", "1", &hints, &found) == 0)
		freeaddrinfo(found);
}

static void set_unix(struct addresses *addresses, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, strlen(path));
	memcpy(&addresses->list.items[0], &address, sizeof(address));
	addresses->list.lengths[0] = sizeof(address);
	addresses->list.count = 1;
}

/* Asks the resolver; flags are getaddrinfo's. What getaddrinfo said. */
static int look_up(struct address_list *list, const char *host, uint16_t port, int flags)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	char service[8];
	int error;

	snprintf(service, sizeof(service), "%u", port);
	error = getaddrinfo(host, service, &hints, &found);
	if (error != 0)
		return error;
	list->count = 0;
	for (const struct addrinfo *at = found; at != NULL && list->count < ADDRESSES_MAX;
		at = at->ai_next) {
		if (at->ai_addrlen > sizeof(list->items[0]))
			continue;
		memcpy(&list->items[list->count], at->ai_addr, at->ai_addrlen);
		list->lengths[list->count++] = at->ai_addrlen;
	}
	freeaddrinfo(found);
	return list->count > 0 ? 0 : EAI_NONAME;
}

int addresses_set(struct addresses *addresses, const struct message_connector_origin *origin)
{
	bool has_host = origin->host[0] != '\0', has_path = origin->unix_path[0] != '\0';

	memset(addresses, 0, sizeof(*addresses));
	if ((has_host && has_path) || has_host != (origin->port != 0))
		return -EINVAL;
	if (has_path) {
		set_unix(addresses, origin->unix_path);
		return 0;
	}
	addresses->port = (uint16_t)origin->port;
	if (look_up(&addresses->list, origin->host, addresses->port, AI_NUMERICHOST) != 0)
		memcpy(addresses->host, origin->host, sizeof(addresses->host));
	return 0;
}

bool addresses_are_due(const struct addresses *addresses, int64_t now_ms)
{
	int64_t age_ms = now_ms - addresses->resolved_ms;

	if (addresses->host[0] == '\0')
		return false;
	if (addresses->resolved_ms == 0)
		return true;
	if (age_ms < ADDRESSES_RETRY_MS)
		return false;
	return addresses->list.count == 0 || addresses->is_suspect || age_ms >= ADDRESSES_FRESH_MS;
}

int addresses_resolve(struct addresses *addresses, int64_t now_ms, const char **reason)
{
	struct address_list list;
	int error = look_up(&list, addresses->host, addresses->port, 0);

	addresses->resolved_ms = now_ms;
	addresses->is_suspect = false;
	if (error != 0) {
		*reason = gai_strerror(error);
		return -EHOSTUNREACH;
	}
	addresses->list = list;
	return 0;
}

/* Moves one to the front; the others keep the order of RFC 6724 that the resolver gave them. */
static void move_first(struct address_list *list, size_t index)
{
	struct sockaddr_storage item = list->items[index];
	socklen_t length = list->lengths[index];

	memmove(&list->items[1], &list->items[0], index * sizeof(list->items[0]));
	memmove(&list->lengths[1], &list->lengths[0], index * sizeof(list->lengths[0]));
	list->items[0] = item;
	list->lengths[0] = length;
}

void addresses_prefer(struct addresses *addresses, const struct sockaddr_storage *address)
{
	struct address_list *list = &addresses->list;

	addresses->is_suspect = false;
	for (size_t i = 0; i < list->count; i++) {
		if (memcmp(&list->items[i], address, list->lengths[i]) != 0)
			continue;
		move_first(list, i);
		return;
	}
}

void addresses_suspect(struct addresses *addresses)
{
	addresses->is_suspect = true;
}

const char *addresses_format(
	char text[static ADDRESSES_TEXT_BYTES], const struct sockaddr_storage *address)
{
	char host[INET6_ADDRSTRLEN] = "?";
	struct sockaddr_in6 ipv6;
	struct sockaddr_in ipv4;
	struct sockaddr_un local;

	if (address->ss_family == AF_INET) {
		memcpy(&ipv4, address, sizeof(ipv4));
		inet_ntop(AF_INET, &ipv4.sin_addr, host, sizeof(host));
		snprintf(text, ADDRESSES_TEXT_BYTES, "%s:%u", host, ntohs(ipv4.sin_port));
	} else if (address->ss_family == AF_INET6) {
		memcpy(&ipv6, address, sizeof(ipv6));
		inet_ntop(AF_INET6, &ipv6.sin6_addr, host, sizeof(host));
		snprintf(text, ADDRESSES_TEXT_BYTES, "[%s]:%u", host, ntohs(ipv6.sin6_port));
	} else {
		memcpy(&local, address, sizeof(local));
		snprintf(text, ADDRESSES_TEXT_BYTES, "unix:%.*s", (int)sizeof(local.sun_path),
			local.sun_path);
	}
	return text;
}
