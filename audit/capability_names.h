/* SPDX-License-Identifier: ISC */
/* The names of capabilities (capabilities(7)). */
#ifndef PULLGATE_AUDIT_CAPABILITY_NAMES_H
#define PULLGATE_AUDIT_CAPABILITY_NAMES_H

#include <stddef.h>

#include "sandbox/credentials.h"

/* "none", "cap_net_admin,cap_net_raw", "all but cap_sys_module", "all"; cut to size. */
void capability_names(capability_set set, char *text, size_t size);

#endif
