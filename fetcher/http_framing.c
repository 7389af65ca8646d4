/* SPDX-License-Identifier: ISC */
/* Whether it is certain where a response ends. */
#include "fetcher/http_framing.h"

#include <string.h>
#include <strings.h>

#include "fetcher/http_field.h"

/* A part of a line. */
struct part {
	const char *at;
	size_t length;
};

static struct part part_from(struct part part, size_t start)
{
	return (struct part){part.at + start, part.length - start};
}

static bool begins_with(struct part part, const char *text)
{
	size_t length = strlen(text);

	return part.length >= length && memcmp(part.at, text, length) == 0;
}

static bool is_text(struct part part, const char *text)
{
	return part.length == strlen(text) && strncasecmp(part.at, text, part.length) == 0;
}

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

static struct part trim(struct part part)
{
	while (part.length > 0 && is_blank(part.at[0]))
		part = part_from(part, 1);
	while (part.length > 0 && is_blank(part.at[part.length - 1]))
		part.length--;
	return part;
}

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

void http_framing_begin(struct http_framing *framing, bool may_be_http2)
{
	*framing = (struct http_framing){.may_be_http2 = may_be_http2};
}

/* RFC 9112 section 4: "HTTP/1.1 200" and, perhaps, a blank with whatever behind it. */
static const char *read_status(struct http_framing *framing, struct part line)
{
	size_t start = strlen("HTTP/1.1 ");

	framing->is_http10 = begins_with(line, "HTTP/1.0 ");
	if (begins_with(line, "HTTP/2 ") && framing->may_be_http2)
		start = strlen("HTTP/2 ");
	else if (!begins_with(line, "HTTP/1.1 ") && !framing->is_http10)
		return "unexpected HTTP version in the response";
	line = part_from(line, start);
	if (line.length < 3 || !is_digit(line.at[0]) || !is_digit(line.at[1]) ||
		!is_digit(line.at[2]) || (line.length > 3 && line.at[3] != ' '))
		return "response code of other than three digits";
	framing->is_interim = line.at[0] == '1' && memcmp(line.at, "101", 3) != 0;
	framing->place = HTTP_FRAMING_FIELDS;
	return NULL;
}

/* Digits alone. One that is too great stays so. */
static bool read_number(uint64_t *number, struct part text)
{
	*number = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (!is_digit(text.at[i]))
			return false;
		*number = *number > UINT64_MAX / 10 - 1
				  ? UINT64_MAX
				  : *number * 10 + (uint64_t)(text.at[i] - '0');
	}
	return text.length > 0;
}

/* RFC 9112 section 6.3: a list of equal lengths, in one field or several, is that length. */
static const char *read_length(struct http_framing *framing, struct part value)
{
	for (;;) {
		const char *comma = memchr(value.at, ',', value.length);
		size_t length = comma != NULL ? (size_t)(comma - value.at) : value.length;
		uint64_t number;

		if (!read_number(&number, trim((struct part){value.at, length})))
			return "Content-Length is no number";
		if (framing->has_length && number != framing->length)
			return "several values of Content-Length";
		framing->has_length = true;
		framing->length = number;
		if (comma == NULL)
			return NULL;
		value = part_from(value, length + 1);
	}
}

/* RFC 9112 section 6.1; none but chunked may be sent to who has not asked for it (section 7.4). */
static const char *read_coding(struct http_framing *framing, struct part value)
{
	if (!is_text(trim(value), "chunked") || framing->is_chunked || framing->is_http10)
		return "Transfer-Encoding is not just chunked";
	framing->is_chunked = true;
	return NULL;
}

static const char *read_field(struct http_framing *framing, struct part line)
{
	const char *fault = NULL;
	struct part name = line, value;

	if (is_blank(line.at[0])) /* goes on with the one before (RFC 9112 section 5.2) */
		return framing->may_not_fold ? "a length or coding in more than one line" : NULL;
	for (name.length = 0; name.length < line.length; name.length++) {
		if (!http_is_token_character(line.at[name.length]))
			break;
	}
	if (name.length == 0 || name.length == line.length || line.at[name.length] != ':')
		return "a field without a name";
	value = part_from(line, name.length + 1);
	framing->may_not_fold =
		is_text(name, "Content-Length") || is_text(name, "Transfer-Encoding");
	if (is_text(name, "Content-Length"))
		fault = read_length(framing, value);
	else if (framing->may_not_fold)
		fault = read_coding(framing, value);
	if (framing->has_length && framing->is_chunked)
		return "both Transfer-Encoding and Content-Length";
	return fault;
}

const char *http_framing_line(struct http_framing *framing, const char *line, size_t length)
{
	struct part part = {line, length};

	if (part.length > 0 && part.at[part.length - 1] == '\n')
		part.length--;
	if (part.length > 0 && part.at[part.length - 1] == '\r')
		part.length--;
	if (framing->place == HTTP_FRAMING_ENDED)
		return NULL;
	if (framing->place == HTTP_FRAMING_STATUS)
		return read_status(framing, part);
	if (part.length > 0)
		return read_field(framing, part);
	if (framing->is_interim)
		http_framing_begin(framing, framing->may_be_http2);
	else
		framing->place = HTTP_FRAMING_ENDED;
	return NULL;
}

bool http_framing_ended(const struct http_framing *framing)
{
	return framing->place == HTTP_FRAMING_ENDED;
}

bool http_framing_length_reached(const struct http_framing *framing, uint64_t length)
{
	return framing->has_length && length >= framing->length;
}
