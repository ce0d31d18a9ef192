/* What a person may write for a provider's source, and what not. */
#include "core/fetch/source.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct good {
	const char *text;
	enum source_kind kind;
	const char *url, *ref, *path, *canonical, *name;
} good[] = {
		{"openrouter", SOURCE_BUNDLED, "openrouter", "", "", "openrouter", "openrouter"},
		{"/srv/acme", SOURCE_DIRECTORY, "/srv/acme", "", "", "/srv/acme", "acme"},
		{"/srv//./acme-provider/", SOURCE_DIRECTORY, "/srv/acme-provider", "", "",
				"/srv/acme-provider", "acme"},
		{"~/my work/acme@home", SOURCE_DIRECTORY, "/home/ann/my work/acme@home", "", "",
				"/home/ann/my work/acme@home", NULL},
		{"/srv/all#providers/acme/", SOURCE_DIRECTORY, "/srv/all", "", "providers/acme",
				"/srv/all#providers/acme", "acme"},
		{"https://github.com/acme/acme-provider", SOURCE_GIT,
				"https://github.com/acme/acme-provider", "", "",
				"https://github.com/acme/acme-provider", "acme"},
		{"https://GitHub.com:443/acme/x.git/@v1.2", SOURCE_GIT,
				"https://github.com/acme/x.git", "v1.2", "",
				"https://github.com/acme/x.git@v1.2", "x"},
		{"HTTPS://localhost:8443/x@feature/a@b#sub/dir", SOURCE_GIT,
				"https://localhost:8443/x", "feature/a@b", "sub/dir",
				"https://localhost:8443/x@feature/a@b#sub/dir", "dir"},
		{"https://host/@user/acme-docker-provider@v1", SOURCE_GIT,
				"https://host/@user/acme-docker-provider", "v1", "",
				"https://host/@user/acme-docker-provider@v1", "acme"},
		{"https://[2001:DB8::1]:8443/x", SOURCE_GIT, "https://[2001:db8::1]:8443/x", "", "",
				"https://[2001:db8::1]:8443/x", "x"},
		{"https://host/a%20b/Acme_X.git", SOURCE_GIT, "https://host/a%20b/Acme_X.git", "",
				"", "https://host/a%20b/Acme_X.git", "acme_x"},
		{"github:acme/acme-provider@v1", SOURCE_GIT,
				"https://github.com/acme/acme-provider", "v1", "",
				"https://github.com/acme/acme-provider@v1", "acme"},
		{"github:acme/acme#providers/b-provider", SOURCE_GIT,
				"https://github.com/acme/acme", "", "providers/b-provider",
				"https://github.com/acme/acme#providers/b-provider", "b"},
		{"git@GitHub.com:acme/x.git/@main", SOURCE_GIT, "git@github.com:acme/x.git", "main",
				"", "git@github.com:acme/x.git@main", "x"},
		{"git@host:acme-provider.git#sub", SOURCE_GIT, "git@host:acme-provider.git", "",
				"sub", "git@host:acme-provider.git#sub", "sub"},
		{"git@host:acme-provider.git", SOURCE_GIT, "git@host:acme-provider.git", "", "",
				"git@host:acme-provider.git", "acme"},
		{"git@host:2222/~x", SOURCE_GIT, "git@host:2222/~x", "", "", "git@host:2222/~x",
				NULL},
		{"git@host:/srv/x", SOURCE_GIT, "ssh://git@host/srv/x", "", "",
				"ssh://git@host/srv/x", "x"},
		{"ssh://ann@host:2222/~ann/x@0123456789abcdef0123456789abcdef01234567", SOURCE_GIT,
				"ssh://ann@host:2222/~ann/x",
				"0123456789abcdef0123456789abcdef01234567", "",
				"ssh://ann@host:2222/~ann/"
				"x@0123456789abcdef0123456789abcdef01234567",
				"x"},
		{"ssh://host:22/x", SOURCE_GIT, "ssh://host/x", "", "", "ssh://host/x", "x"},
		{"git://127.0.0.1:9418/x.git@refs/tags/v1", SOURCE_GIT, "git://127.0.0.1/x.git",
				"refs/tags/v1", "", "git://127.0.0.1/x.git@refs/tags/v1", "x"},
		{"file:///srv/git/x.git", SOURCE_GIT, "file:///srv/git/x.git", "", "",
				"file:///srv/git/x.git", "x"},
		{"file://localhost/srv/x", SOURCE_GIT, "file:///srv/x", "", "", "file:///srv/x",
				"x"},
		{"https://host/+++", SOURCE_GIT, "https://host/+++", "", "", "https://host/+++",
				NULL},
};

static void assert_source(const struct source *source, const struct good *expected) {
	assert_int_equal(source->kind, expected->kind);
	assert_string_equal(source->url, expected->url);
	assert_string_equal(source->ref, expected->ref);
	assert_string_equal(source->path, expected->path);
	assert_string_equal(source->text, expected->canonical);
}

static void every_form_is_read_and_reads_again_as_the_same(void **state) {
	(void)state;
	setenv("HOME", "/home/ann", 1);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct fail fail cleanup_fail = {0};
		struct source source cleanup_source = {0};
		struct source again cleanup_source = {0};
		if (!source_parse(&source, good[i].text, &fail) ||
				!source_parse(&again, source.text, &fail)) {
			print_error("%s\n", fail_words(&fail));
			fail();
		}
		assert_source(&source, &good[i]);
		assert_source(&again, &good[i]);
		assert_true(source_same_place(&source, &again));
		char *name cleanup_free = source_guess_name(&source);
		if (good[i].name != NULL) {
			assert_non_null(name);
			assert_string_equal(name, good[i].name);
		} else {
			assert_null(name);
		}
	}
}

#define LONG_REF                                                                                   \
	"https://host/x@aaaaaaaaaaaaaaaaaaaa"                                                      \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"               \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aa"                                                                                       \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aa"

static const struct bad {
	const char *text, *words;
} bad[] = {
		{"", "is empty"},
		{"-x", "begins with '-'"},
		{"--upload-pack=touch /tmp/x", "begins with '-'"},
		{"Acme", "neither a name"},
		{"acme corp", "neither a name"},
		{"./acme", "by its whole path"},
		{"../acme", "by its whole path"},
		{"/", "root of the file system"},
		{"/srv/../etc", "'..' in a path"},
		{"~ann/acme", "not an absolute path"},
		{"/srv/acme#../../etc", "'.' or '..' in it"},
		{"/srv/ac\nme", "control byte"},
		{"/srv/ac\x7fme", "control byte"},
		{"/srv/\xff", "isn't UTF-8"},
		{"http://host/x", "use https://"},
		{"ftp://host/x", "'ftp' isn't one of"},
		{"ext::sh -c id", "neither a name"},
		{"ext::ssh://host/x", "isn't one of"},
		{"https:///x", "no host after"},
		{"https://host", "no path follows the host"},
		{"https://host/", "names no repository"},
		{"https://host/x?y=1", "holds '?'"},
		{"https://host/a b", "blank or a control byte"},
		{"https://host/a//b", "empty part"},
		{"https://host/../x", "'.' or '..' in it"},
		{"https://host/x\\y", "holds '\\'"},
		{"https://-oProxyCommand=id/x", "isn't the name of a host"},
		{"https://ho_st$/x", "isn't the name of a host"},
		{"https://host:0/x", "the port isn't"},
		{"https://host:65536/x", "the port isn't"},
		{"https://host:/x", "the port isn't"},
		{"https://[::1/x", "isn't an IPv6 address"},
		{"https://[nothing]/x", "isn't an IPv6 address"},
		{"https://[::1]x/y", "isn't an IPv6 address"},
		{"https://ann@host/x", "leave it out"},
		{"git://ann@host/x", "leave it out"},
		{"ssh://-oProxyCommand=id@host/x", "isn't the name of a user"},
		{"ssh://@host/x", "isn't the name of a user"},
		{"ssh://-oProxyCommand=id/x", "isn't the name of a host"},
		{"ssh://git@host/x';id;'", "holds '''"},
		{"ssh://git@host/x%27", "holds '%'"},
		{"ssh://git@host/-x", "begins with '-'"},
		{"-oProxyCommand=id@host:x", "begins with '-'"},
		{"git@host:", "names no repository"},
		{"git@host:-x", "begins with '-'"},
		{"git@host:../x", "'.' or '..' in it"},
		{"git@host:x';id;'", "holds '''"},
		{"git@host:x@", "the ref after '@' is empty"},
		{"git@-host:x", "isn't the name of a host"},
		{"file://host/x", "takes an absolute path"},
		{"file:///", "names no repository"},
		{"file:///srv/a%2e", "holds '%'"},
		{"github:acme", "OWNER/REPOSITORY"},
		{"github:acme/x/y", "OWNER/REPOSITORY"},
		{"github:-acme/x", "OWNER/REPOSITORY"},
		{"github:acme/..", "'.' or '..' in it"},
		{"https://host/x@", "the ref after '@' is empty"},
		{"https://host/x@--upload-pack=id", "begins with '-'"},
		{"https://host/x@-v1", "begins with '-'"},
		{"https://host/x@a..b", "can't be the name"},
		{"https://host/x@a b", "blank or a control byte"},
		{"https://host/x@a\tb", "control byte"},
		{"https://host/x@a:b", "holds ':'"},
		{"https://host/x@+a^{}", "holds '^'"},
		{"https://host/x@*", "holds '*'"},
		{"https://host/x@a@{1}", "can't be the name"},
		{"https://host/x@@", "can't be the name"},
		{"https://host/x@/a", "can't be the name"},
		{"https://host/x@a/", "can't be the name"},
		{"https://host/x@a.lock", "can't be the name"},
		{"https://host/x@.a", "can't be the name"},
		{LONG_REF, "too long"},
		{"https://host/x#", "empty part"},
		{"https://host/x#/etc", "empty part"},
		{"https://host/x#../y", "'.' or '..' in it"},
		{"https://host/x#a/./b", "'.' or '..' in it"},
		{"https://host/x#-a", "begins with '-'"},
		{"https://host/x#a b", "blank or a control byte"},
		{"https://host/x#a\\b", "holds '\\'"},
		{"https://host/x#a/.GIT/hooks", "leads into .git"},
};

static void what_is_no_source_is_refused_with_words(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fail fail cleanup_fail = {0};
		struct source source = {0};
		if (source_parse(&source, bad[i].text, &fail) || fail.code != EINVAL ||
				strstr(fail_words(&fail), bad[i].words) == NULL) {
			print_error("%s: %s\n", bad[i].text, fail_words(&fail));
			fail();
		}
		assert_null(source.text);
		assert_non_null(strstr(fail_words(&fail), "github:OWNER/REPOSITORY"));
	}
}

static void a_source_above_its_bound_is_refused(void **state) {
	(void)state;
	struct fail fail cleanup_fail = {0};
	struct source source cleanup_source = {0};
	char text[SOURCE_MOST + 2];
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[SOURCE_MOST + 1] = '\0';
	assert_false(source_parse(&source, text, &fail));
	assert_non_null(strstr(fail_words(&fail), "longer than 1024 bytes"));
	text[SOURCE_MOST] = '\0';
	assert_true(source_parse(&source, text, &fail));
}

static void no_password_is_ever_shown(void **state) {
	(void)state;
	static const char *const texts[] = {"https://ann:sesame@host/x", "https://sesame@host/x",
			"https://:sesame@host/x", "ssh://ann:sesame@host/x",
			"https://ann:sesame@host:99999/x", "https://ann:se/sesame@host/x",
			"ann:sesame@host:x", "ftp://ann:sesame@host/x",
			"https://ann:sesame@ho st/x@a b"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fail fail cleanup_fail = {0};
		struct source source = {0};
		assert_false(source_parse(&source, texts[i], &fail));
		if (strstr(fail_words(&fail), "sesame") != NULL) {
			print_error("%s\n", fail_words(&fail));
			fail();
		}
	}
}

static void places_are_the_same_whatever_the_ref(void **state) {
	(void)state;
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
			{"github:acme/x@v1", "https://github.com/acme/x", true},
			{"github:acme/x#a", "github:acme/x#b", false},
			{"github:acme/x", "github:acme/y", false},
			{"/srv/x", "file:///srv/x", false},
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct source a cleanup_source = {0}, b cleanup_source = {0};
		assert_true(source_parse(&a, pairs[i].a, NULL));
		assert_true(source_parse(&b, pairs[i].b, NULL));
		assert_int_equal(source_same_place(&a, &b), pairs[i].same);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(every_form_is_read_and_reads_again_as_the_same),
			cmocka_unit_test(what_is_no_source_is_refused_with_words),
			cmocka_unit_test(a_source_above_its_bound_is_refused),
			cmocka_unit_test(no_password_is_ever_shown),
			cmocka_unit_test(places_are_the_same_whatever_the_ref),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
