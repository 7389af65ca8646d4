/* SPDX-License-Identifier: ISC */
/* URL templates: what is refused, and what becomes of a key. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fetcher/url_template.h"

/* Its base64 has '+', '/' and '='. */
static const uint8_t key[32] = {0xfb, 0xff, 0xbf, 0xfb, 0xff, 0xbf};

static void expand(const char *template, const char *expected)
{
	struct url_template url;
	const char *reason;
	char expanded[URL_BYTES];

	assert_int_equal(url_template_read(&url, template, &reason), 0);
	assert_non_null(url_template_expand(&url, expanded, key));
	assert_string_equal(expanded, expected);
}

static void expands_each_form(void **state)
{
	(void)state;
	expand("https://cp.example/peer/{key}",
		"https://cp.example/peer/-_-_-_-_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	expand("https://cp.example/{key_hex}.json",
		"https://cp.example/"
		"fbffbffbffbf0000000000000000000000000000000000000000000000000000.json");
	expand("https://cp.example/?k={key_base64}&x=1",
		"https://cp.example/"
		"?k=%2B%2F%2B%2F%2B%2F%2B%2FAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D&x=1");
	expand("http://[::1]:8080/{key}?again={key}",
		"http://[::1]:8080/-_-_-_-_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"?again=-_-_-_-_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

static void knows_where_it_goes(void **state)
{
	struct url_template url;
	const char *reason;

	(void)state;
	assert_int_equal(url_template_read(&url, "https://cp.example/{key}", &reason), 0);
	assert_true(url.https);
	assert_int_equal(url_template_read(&url, "http://127.0.0.1:8080/{key}", &reason), 0);
	assert_false(url.https);
	assert_int_equal(url_template_read(&url, "http://[fd64::1]/{key}", &reason), 0);
}

static void knows_files(void **state)
{
	struct url_template url;
	const char *reason = NULL;
	char expanded[URL_BYTES];

	(void)state;
	assert_int_equal(url_template_read(&url, "file:///p.{key_hex}.json", &reason), 0);
	assert_true(url.is_file);
	assert_false(url.https);
	assert_non_null(url_template_expand(&url, expanded, key));
	assert_string_equal(url_template_file_name(expanded),
		"p.fbffbffbffbf0000000000000000000000000000000000000000000000000000.json");
	assert_int_equal(url_template_read(&url, "https://cp.example/{key}", &reason), 0);
	assert_false(url.is_file);
}

static void refuses_what_is_none(void **state)
{
	static const char *const templates[] = {
		"",
		"https://cp.example/peer/",
		"https://cp.example/{keys}",
		"https://cp.example/{key}{",
		"https://cp.example/{key}}",
		"https://cp.example/{KEY}",
		"https://{key}.example/{key}",
		"https://cp.example:{key}/",
		"https://cp.example{key}",
		"https://user@cp.example/{key}",
		"https://user:pass@cp.example/{key}",
		"https://cp.example/{key}#part",
		"https://cp.example/ {key}",
		"https://cp.example/{key}\r\nX: y",
		"https://cp.example/\xc3\xa4/{key}",
		"ftp://cp.example/{key}",
		"file:///etc/pullgate/{key}",
		"file:///{key_base64}",
		"file:///{key}%20",
		"file:///x?{key}",
		"file:///x",
		"file://cp/{key}",
		"file:/{key}",
		"cp.example/{key}",
		"/{key}",
		"https:///{key}",
		"https://cp.example:99999/{key}",
	};
	struct url_template url;
	const char *reason;

	(void)state;
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		reason = NULL;
		if (url_template_read(&url, templates[i], &reason) != -EINVAL || reason == NULL)
			fail_msg("accepted: %s", templates[i]);
	}
}

static void refuses_what_is_too_long(void **state)
{
	char text[1100] = "https://cp.example/{key_hex}/";
	struct url_template url;
	const char *reason;

	(void)state;
	memset(text + strlen(text), 'x', 1024 - strlen(text));
	assert_int_equal(strlen(text), 1024);
	assert_int_equal(url_template_read(&url, text, &reason), 0);
	text[1024] = 'x';
	assert_int_equal(url_template_read(&url, text, &reason), -EINVAL);
	/* Short before, long after the keys are in it. */
	memset(text, 0, sizeof(text));
	memcpy(text, "https://cp.example/", strlen("https://cp.example/"));
	for (int i = 0; i < 60; i++)
		memcpy(text + strlen(text), "{key_hex}", strlen("{key_hex}"));
	assert_int_equal(url_template_read(&url, text, &reason), -EINVAL);
	assert_string_equal(reason, "too long once the key is in it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expands_each_form),
		cmocka_unit_test(knows_where_it_goes),
		cmocka_unit_test(knows_files),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(refuses_what_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
