/* SPDX-License-Identifier: ISC */
/* The values of HTTP's header fields that matter here. */
#include "fetcher/http_field.h"

#include <string.h>
#include <strings.h>

bool http_is_token_character(char character)
{
	if ((character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
		(character >= 'a' && character <= 'z'))
		return true;
	return character != '\0' && strchr("!#$%&'*+-.^_`|~", character) != NULL;
}

static const char *skip_space(const char *text)
{
	return text + strspn(text, " \t");
}

bool http_read_seconds(uint32_t *seconds, const char *value)
{
	uint64_t number = 0;

	*seconds = 0;
	if (*value == '\0')
		return false;
	for (const char *digit = value; *digit != '\0'; digit++) {
		if (*digit < '0' || *digit > '9')
			return false;
		if (number <= UINT32_MAX)
			number = number * 10 + (uint64_t)(*digit - '0');
	}
	*seconds = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
	return true;
}

struct directive {
	char name[32]; /* a longer name or value is none that is known, and is cut */
	char value[32];
};

/* Writes a character where there is room; the last byte stays zero. */
static void append(char text[static 32], size_t *used, char character)
{
	if (*used < 31)
		text[(*used)++] = character;
}

/* Reads a token or quoted-string (RFC 9110 sections 5.6.2, 5.6.4); returns what follows it. */
static const char *read_value(char value[static 32], const char *at)
{
	size_t used = 0;

	if (*at != '"') {
		for (; http_is_token_character(*at); at++)
			append(value, &used, *at);
		return at;
	}
	for (at++; *at != '\0' && *at != '"'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		append(value, &used, *at);
	}
	if (*at == '"')
		return at + 1;
	value[0] = '\0'; /* it does not end */
	return at;
}

/* Reads one directive; returns what follows its comma. */
static const char *read_directive(struct directive *directive, const char *at)
{
	size_t used = 0;

	memset(directive, 0, sizeof(*directive));
	at = skip_space(at);
	for (; http_is_token_character(*at); at++)
		append(directive->name, &used, *at);
	if (*at == '=')
		at = read_value(directive->value, at + 1);
	if (*skip_space(at) != ',' && *skip_space(at) != '\0')
		directive->value[0] = '\0'; /* junk behind it: the value is not to be trusted */
	at += strcspn(at, ",");
	return *at == ',' ? at + 1 : at;
}

static void note_seconds(struct cache_seconds *noted, const char *value)
{
	uint32_t seconds;

	http_read_seconds(&seconds, value);
	if (!noted->is_given || seconds < noted->seconds)
		noted->seconds = seconds;
	noted->is_given = true;
}

static void note_directive(struct cache_control *control, const struct directive *directive)
{
	const struct {
		const char *name;
		bool *flag;
		struct cache_seconds *seconds;
	} known[] = {
		{"no-store", &control->no_store, NULL},
		{"no-cache", &control->no_cache, NULL},
		{"must-revalidate", &control->must_revalidate, NULL},
		{"max-age", NULL, &control->max_age},
		{"stale-if-error", NULL, &control->stale_if_error},
		{"stale-while-revalidate", NULL, &control->stale_while_revalidate},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcasecmp(directive->name, known[i].name) != 0)
			continue;
		if (known[i].flag != NULL)
			*known[i].flag = true;
		else
			note_seconds(known[i].seconds, directive->value);
	}
}

void http_read_cache_control(struct cache_control *control, const char *value)
{
	memset(control, 0, sizeof(*control));
	while (*value != '\0') {
		struct directive directive;

		value = read_directive(&directive, value);
		note_directive(control, &directive);
	}
}

/* Days since 1970-01-01 of a date in the Gregorian calendar, years 1970 and later. */
static int64_t days_from_date(int year, int month, int day)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int past = year - 1;
	int64_t leaps = past / 4 - past / 100 + past / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return (int64_t)(year - 1970) * 365 + leaps + before[month] + (leap && month > 1 ? 1 : 0) +
	       day - 1;
}

/* The month 0..11, or -1. */
static int read_month(const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (size_t month = 0; month < 12; month++) {
		if (memcmp(months + month * (size_t)3, name, 3) == 0)
			return (int)month;
	}
	return -1;
}

/* What a date's form says of its characters: d digit, a letter; all others stand for themselves. */
static bool matches(const char *text, const char *form)
{
	for (; *form != '\0'; form++, text++) {
		bool digit = *text >= '0' && *text <= '9';
		bool letter = (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');

		if (*form == 'd' ? !digit : *form == 'a' ? !letter : *form != *text)
			return false;
	}
	return *text == '\0';
}

static int two_digits(const char *text)
{
	return ((text[0] == ' ' ? '0' : text[0]) - '0') * 10 + (text[1] - '0');
}

/* Seconds since 1970, or -1 where a number is out of its range. */
static int64_t to_seconds(int year, int month, int day, const char *clock)
{
	int hour = two_digits(clock), minute = two_digits(clock + 3),
	    second = two_digits(clock + 6);

	if (year < 1970 || month < 0 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
		second > 60)
		return -1;
	return ((days_from_date(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" and the two obsolete forms. */
int64_t http_read_date(const char *text)
{
	const char *comma = strchr(text, ',');

	if (matches(text, "aaa, dd aaa dddd dd:dd:dd GMT"))
		return to_seconds(two_digits(text + 12) * 100 + two_digits(text + 14),
			read_month(text + 8), two_digits(text + 5), text + 17);
	if (matches(text, "aaa aaa dd dd:dd:dd dddd") || matches(text, "aaa aaa  d dd:dd:dd dddd"))
		return to_seconds(two_digits(text + 20) * 100 + two_digits(text + 22),
			read_month(text + 4), two_digits(text + 8), text + 11);
	/* "Sunday, 06-Nov-94 08:49:37 GMT": its century is ours, for it is about to come. */
	if (comma != NULL && matches(comma, ", dd-aaa-dd dd:dd:dd GMT"))
		return to_seconds(2000 + two_digits(comma + 9), read_month(comma + 5),
			two_digits(comma + 2), comma + 12);
	return -1;
}

int64_t http_read_retry_after(const char *value, time_t now)
{
	uint32_t seconds;
	int64_t date;

	if (http_read_seconds(&seconds, value))
		return (int64_t)seconds * 1000;
	date = http_read_date(value);
	if (date < 0)
		return -1;
	return date > now ? (date - now) * 1000 : 0;
}

bool http_is_entity_tag(const char *value)
{
	size_t length = strlen(value);

	if (length >= HTTP_VALIDATOR_BYTES)
		return false;
	if (strncmp(value, "W/", 2) == 0)
		value += 2;
	if (*value != '"')
		return false;
	/* etagc: visible characters but for the quote, and what ASCII doesn't have. */
	for (value++; *value != '"'; value++) {
		if ((unsigned char)*value <= ' ' || *value == 0x7f)
			return false;
	}
	return value[1] == '\0';
}
