/* SPDX-License-Identifier: ISC */
/* A body in JSON. */
#include "fetcher/peer_json.h"

#include <string.h>

/* jansson's own text is not shown: it quotes what it stumbled over, and that may be a secret. */
static void refuse_syntax(char *reason, const json_error_t *error)
{
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		peer_refuse(reason, "body: a member twice, line %d", error->line);
		break;
	case json_error_end_of_input_expected:
		peer_refuse(reason, "body: something behind the object, line %d", error->line);
		break;
	case json_error_null_character:
	case json_error_null_byte_in_key:
		peer_refuse(reason, "body: a zero character, line %d", error->line);
		break;
	default:
		peer_refuse(
			reason, "body: not JSON, line %d column %d", error->line, error->column);
	}
}

json_t *peer_json_parse(const void *body, size_t length, char reason[static PEER_REASON_BYTES])
{
	json_error_t syntax;
	json_t *value = json_loadb(body, length, JSON_REJECT_DUPLICATES, &syntax);

	if (value == NULL)
		refuse_syntax(reason, &syntax);
	explicit_bzero(&syntax, sizeof(syntax));
	return value;
}
