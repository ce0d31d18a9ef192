/* Manifests: ours, the shapes that MediaConduit's have, and what is told about mistakes. */
#include "core/config/manifest/manifest.h"

#include "core/base/limit.h"
#include "tests/unit/config/scratch.h"

#include <errno.h>

static struct manifest manifest;

static void read_good(const char *text) {
	struct fail fail = {0};
	if (!manifest_read(&manifest, scratch_write("m.yml", text), &fail)) {
		print_error("%s\n", fail_words(&fail));
		fail();
	}
}

static void assert_fault(const char *text, const char *words) {
	struct fail fail = {0};
	char expected[512];
	const char *path = scratch_write("m.yml", text);
	assert_false(manifest_read(&manifest, path, &fail));
	assert_int_equal(fail.code, EINVAL);
	snprintf(expected, sizeof(expected), "%s:%s", path, words);
	assert_contains(fail_words(&fail), expected);
	fail_finish(&fail);
}

/* What a manifest needs at least, to which a test adds a line. */
#define BASE "id: acme-provider\ndriver: openai\ncapabilities: [text-to-text]\n"

static void a_compiled_providers_manifest_is_read(void **state) {
	(void)state;
	read_good("id: openrouter-provider\nname: OpenRouter\nversion: 1.0.0\ntype: remote\n"
		  "capabilities: [text-to-text]\nsources: [provider.c, kit/more.c]\n"
		  "base_url: https://openrouter.ai/api/v1\nbase_url_env: OPENROUTER_BASE_URL\n"
		  "key_env: OPENROUTER_API_KEY\nkey_url: https://openrouter.ai/settings/keys\n"
		  "key_required: true\nauth: {header: Authorization, scheme: Bearer}\n"
		  "endpoints: [{host: Openrouter.ai, key: true}, {host: '*.cdn.example.com', port: "
		  "8443}]\n"
		  "limits: {concurrent: 4}\n");
	assert_string_equal(manifest.id, "openrouter-provider");
	assert_string_equal(manifest.name, "OpenRouter");
	assert_string_equal(manifest.description, "");
	assert_string_equal(manifest.version, "1.0.0");
	assert_false(manifest.local);
	assert_string_equal(manifest.capabilities[0], "text-to-text");
	assert_null(manifest.capabilities[1]);
	assert_int_equal(manifest.kind, MANIFEST_COMPILED);
	assert_null(manifest.driver);
	assert_string_equal(manifest.sources[0], "provider.c");
	assert_string_equal(manifest.sources[1], "kit/more.c");
	assert_null(manifest.sources[2]);
	assert_string_equal(manifest.base_url, "https://openrouter.ai/api/v1");
	assert_string_equal(manifest.base_url_env, "OPENROUTER_BASE_URL");
	assert_string_equal(manifest.key_env, "OPENROUTER_API_KEY");
	assert_string_equal(manifest.key_url, "https://openrouter.ai/settings/keys");
	assert_true(manifest.key_required);
	assert_int_equal(manifest.n_endpoints, 2);
	assert_string_equal(manifest.endpoints[0].host, "openrouter.ai");
	assert_true(manifest.endpoints[0].keyed);
	assert_int_equal(manifest.endpoints[0].port, 0);
	assert_string_equal(manifest.endpoints[1].host, "*.cdn.example.com");
	assert_false(manifest.endpoints[1].keyed);
	assert_int_equal(manifest.endpoints[1].port, 8443);
	assert_int_equal(manifest.concurrent, 4);
	manifest_finish(&manifest);
}

static void what_is_unsaid_has_its_default(void **state) {
	(void)state;
	read_good(BASE);
	assert_int_equal(manifest.kind, MANIFEST_DECLARED);
	assert_string_equal(manifest.driver, "openai");
	assert_string_equal(manifest.name, "acme-provider");
	assert_null(manifest.sources);
	assert_null(manifest.base_url);
	assert_null(manifest.key_env);
	assert_false(manifest.key_required);
	assert_string_equal(manifest.auth_header, "Authorization");
	assert_string_equal(manifest.auth_scheme, "Bearer");
	assert_int_equal(manifest.concurrent, 0);
	manifest_finish(&manifest);
}

static void a_key_may_be_sent_bare_in_a_header_of_its_own(void **state) {
	(void)state;
	read_good(BASE "auth: {header: x-api-key, scheme: ''}\n");
	assert_string_equal(manifest.auth_header, "x-api-key");
	assert_string_equal(manifest.auth_scheme, "");
	manifest_finish(&manifest);
	read_good(BASE "auth: {scheme: Key}\n");
	assert_string_equal(manifest.auth_scheme, "Key");
	manifest_finish(&manifest);
}

static void capabilities_have_aliases_and_are_listed_once(void **state) {
	(void)state;
	read_good("id: x\ndriver: openai\ncapabilities: [audio-to-text, speech-to-text, "
		  "transcription,"
		  " translation, TEXT_TO_TEXT, Text-To-3D]\n");
	assert_string_equal(manifest.capabilities[0], "audio-to-text");
	assert_string_equal(manifest.capabilities[1], "text-to-text");
	assert_string_equal(manifest.capabilities[2], "text-to-3d");
	assert_null(manifest.capabilities[3]);
	manifest_finish(&manifest);
}

static void unknown_fields_are_passed_over_with_a_note(void **state) {
	(void)state;
	struct buf notes = {0};
	const char *path = scratch_write("m.yml",
			BASE "type: LOCAL\ndescripton: x\nlimits: {memory: 2GB}\nwhatever: [1]\n");
	assert_true(manifest_read_noting(&manifest, path, &notes, NULL));
	assert_true(manifest.local);
	assert_contains(buf_string(&notes),
			"m.yml:5: unknown field 'descripton', did you mean 'description'?\n");
	assert_contains(buf_string(&notes), "m.yml:6: unknown field 'memory' of limits\n");
	assert_contains(buf_string(&notes), "m.yml:7: unknown field 'whatever'\n");
	buf_finish(&notes);
	manifest_finish(&manifest);
	path = scratch_write("m.yml", BASE);
	assert_true(manifest_read_noting(&manifest, path, &notes, NULL));
	assert_string_equal(buf_string(&notes), "");
	manifest_finish(&manifest);
}

static void texts_are_bounded_and_fit_to_be_shown(void **state) {
	(void)state;
	char text[1024], name[300];
	read_good(BASE "name: \"a\\e[31mb\\nc\\x9bd\"\ndescription: \"one\\ntwo\\e\"\nversion:\n");
	assert_string_equal(manifest.name, "a [31mb c d");
	assert_string_equal(manifest.description, "one\ntwo ");
	assert_string_equal(manifest.version, "");
	manifest_finish(&manifest);
	memset(name, 'x', 256);
	name[256] = '\0';
	snprintf(text, sizeof(text), BASE "name: %s\n", name);
	assert_fault(text, "4: name: has 256 bytes, at most 255 are accepted");
	assert_fault(BASE "description: [a]\n", "4: description: must be a single value");
}

static void the_variable_of_an_address_must_be_meant_for_one(void **state) {
	(void)state;
	read_good(BASE "base_url_env: ACME_SERVICE_URL\n");
	manifest_finish(&manifest);
	assert_fault(BASE "base_url_env: OPENAI_API_KEY\n", "4: base_url_env: must be the name");
}

static void the_host_of_the_address_is_one_that_can_be_granted(void **state) {
	(void)state;
	read_good(BASE "base_url: https://API.my_host.example:8443/v1\n");
	manifest_finish(&manifest);
	assert_fault(BASE "base_url: https://a~b.dev/v1\n",
			"4: base_url: 'https://a~b.dev/v1' has no host of a-z");
	assert_fault(BASE "base_url: https://a.dev./v1\n", "4: base_url: 'https://a.dev./v1' has");
}

static void only_what_is_local_is_called_so(void **state) {
	(void)state;
	read_good(BASE "type: local\nbase_url: http://[::1]:8080/v1\nendpoints: [{host: "
		       "10.0.0.1}]\n");
	manifest_finish(&manifest);
	read_good(BASE "type: local\nbase_url: https://192.168.1.9\n");
	manifest_finish(&manifest);
	assert_fault(BASE "type: local\nbase_url: https://acme.dev\n",
			"5: base_url: 'https://acme.dev' is no address of this machine");
	assert_fault(BASE "type: local\nendpoints: [{host: acme.dev}]\n",
			"5: endpoints: 'acme.dev' is no host of this machine");
}

static void programs_are_names_and_no_shells(void **state) {
	(void)state;
	read_good(BASE "programs: [ffmpeg, sox]\n");
	assert_string_equal(manifest.programs[1], "sox");
	manifest_finish(&manifest);
	const char *const wrong[] = {
			"sh", "/usr/bin/ffmpeg", "'ffmpeg -i'", "../ffmpeg", "-x", "python3", "''"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[256];
		snprintf(text, sizeof(text), BASE "programs: [%s]\n", wrong[i]);
		assert_fault(text, "4: ");
	}
}

static void packages_are_what_can_be_typed_behind_apt_get_install(void **state) {
	(void)state;
	read_good(BASE "package: pocketsphinx libsox-fmt-all g++\n");
	assert_string_equal(manifest.package, "pocketsphinx libsox-fmt-all g++");
	manifest_finish(&manifest);
	read_good(BASE);
	assert_null(manifest.package);
	manifest_finish(&manifest);
	static const char *const wrong[] = {"'sox; rm -r x'", "'-o x sox'", "'sox --yes'", "'$(x)'",
			"'http://x/y.deb'", "'./x.deb'", "\"a\\nb\""};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[256];
		snprintf(text, sizeof(text), BASE "package: %s\n", wrong[i]);
		assert_fault(text, "4: package: ");
	}
}

static void libraries_are_names_and_no_options(void **state) {
	(void)state;
	const char *const wrong[] = {"--define-variable=prefix=/x", "'a b'", "/x.pc", "-fplugin=x",
			"'@file'", "../x"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[256];
		snprintf(text, sizeof(text), BASE "pkg_config: [%s]\n", wrong[i]);
		assert_fault(text, "4: pkg_config: '");
	}
}

static void a_name_in_the_tree_is_the_id_without_its_ending(void **state) {
	(void)state;
	const char *const names[][2] = {{"openrouter-provider", "openrouter"},
			{"cowsay-docker-provider", "cowsay"}, {"acme", "acme"},
			{"provider", "provider"}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[256];
		snprintf(text, sizeof(text), "id: %s\ndriver: x\ncapabilities: text-to-text\n",
				names[i][0]);
		read_good(text);
		char *name = manifest_tree_name(&manifest);
		assert_string_equal(name, names[i][1]);
		free(name);
		manifest_finish(&manifest);
	}
}

static void an_id_that_gives_no_name_is_refused(void **state) {
	(void)state;
	const char rest[] = "driver: x\ncapabilities: [text-to-text]\n";
	const char *const ids[] = {"-provider", "Upper", "a/b", "..", ".a"};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char text[256];
		snprintf(text, sizeof(text), "id: %s\n%s", ids[i], rest);
		assert_fault(text, "1: id: ");
	}
	assert_fault(rest, " no id");
}

static void a_provider_is_declared_or_compiled_and_never_both(void **state) {
	(void)state;
	assert_fault(BASE "sources: [a.c]\n", "4: both driver and sources");
	assert_fault("id: x\nsources: [a.c, a.c]\ncapabilities: [text-to-text]\n",
			"2: sources: 'a.c' stands here twice");
	assert_fault("id: x\nsources: []\ncapabilities: [text-to-text]\n", "2: sources: is empty");
}

static void a_parameter_may_state_its_range_choices_and_default(void **state) {
	(void)state;
	struct limits limits;
	read_good(BASE "models:\n  - id: one\n"
		       "    parameters: {temperature: {type: number, min: 0, max: 1, default: "
		       "0.7}, "
		       "task: {enum: [transcribe, translate]}, wordTimestamps: {default: no}}\n");
	assert_string_equal(manifest.models[0].parameters, "temperature,task");
	assert_true(limits_read(manifest.models[0].limits, &limits));
	assert_int_equal(limits.n, 2);
	assert_true(limits.list[0].least == 0 && limits.list[0].most == 1);
	assert_string_equal(limits.list[0].standard, "0.7");
	assert_string_equal(limits.list[1].choices, "transcribe\ntranslate\n");
	limits_finish(&limits);
	manifest_finish(&manifest);
	assert_fault(BASE "models:\n  - id: one\n    parameters: {temperature: {min: warm}}\n",
			"6: models: parameters: min of temperature must be a number");
}

static void sources_stay_below_the_manifest(void **state) {
	(void)state;
	const char *const wrong[] = {"../a.c", "/etc/a.c", "a/../../b.c", "-o.c", "a.sh", ".c",
			"'a b.c'", "'a;b.c'", "a/..", "'@x.c'", "-fplugin=x.c", "'-xnone x.c'",
			"'a\\nb.c'"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[256];
		snprintf(text, sizeof(text), "id: x\nsources: [%s]\ncapabilities: [text-to-text]\n",
				wrong[i]);
		assert_fault(text, "2: sources: '");
	}
}

static void hosts_are_names_or_everything_below_one(void **state) {
	(void)state;
	const char *const wrong[] = {"'*'", "'*.com'", "'a.*.com'", "https://a.com", "a.com/x",
			"a..b", "'a b'", "-a.com", "a.com:80"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[256];
		snprintf(text, sizeof(text), BASE "endpoints: [{host: %s}]\n", wrong[i]);
		assert_fault(text, "4: endpoints.host: '");
	}
	assert_fault(BASE "endpoints: [{port: 80}]\n", "4: endpoints: an entry needs a host");
	assert_fault(BASE "endpoints: [{host: a.com, keyed: true}]\n",
			"4: unknown field 'keyed' of endpoints");
	assert_fault(BASE "endpoints: [a.com]\n", "4: endpoints: must be a map");
	assert_fault(BASE "endpoints: [{host: a.com, port: 65536}]\n",
			"4: endpoints.port: '65536' is not");
}

static void mistakes_are_told_all_at_once(void **state) {
	(void)state;
	struct fail fail = {0};
	const char *path = scratch_write("m.yml",
			"id: x\ndriver: openai\ntype: cloud\ncapabilities: [text-to-txt, chat]\n"
			"base_url: http://example.com\nkey_env: sk-or-v1\nauth: {header: 'A: b'}\n"
			"key_required: sometimes\nkey_url: javascript:x\n");
	assert_false(manifest_read(&manifest, path, &fail));
	assert_contains(fail_words(&fail), ":3: type: 'cloud' is neither local nor remote");
	assert_contains(fail_words(&fail),
			":4: unknown capability 'text-to-txt', did you mean 'text-to-text'?");
	assert_contains(fail_words(&fail),
			":4: unknown capability 'chat': the known ones are text-to-text, "
			"text-to-image, ");
	assert_contains(fail_words(&fail), ":5: base_url: 'http://example.com' is plain http");
	assert_contains(fail_words(&fail), ":6: key_env: must be the name of");
	assert_contains(fail_words(&fail), ":7: auth.header: 'A: b' can't be");
	assert_contains(fail_words(&fail), ":8: key_required: 'sometimes' is neither");
	assert_contains(fail_words(&fail), ":9: key_url: 'javascript:x' is not");
	fail_finish(&fail);
}

static void a_manifest_that_is_absent_is_told_by_its_path(void **state) {
	(void)state;
	struct fail fail = {0};
	assert_false(manifest_read(&manifest, scratch_path("none.yml"), &fail));
	assert_int_equal(fail.code, ENOENT);
	assert_contains(fail_words(&fail), "none.yml");
	fail_finish(&fail);
}

static void a_file_that_is_no_map_is_refused(void **state) {
	(void)state;
	assert_fault("[1, 2]\n", "1: must be a map");
	assert_fault("text\n", "1: must be a map");
	assert_fault("", " no id");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			with_scratch(a_compiled_providers_manifest_is_read),
			with_scratch(what_is_unsaid_has_its_default),
			with_scratch(a_key_may_be_sent_bare_in_a_header_of_its_own),
			with_scratch(capabilities_have_aliases_and_are_listed_once),
			with_scratch(unknown_fields_are_passed_over_with_a_note),
			with_scratch(texts_are_bounded_and_fit_to_be_shown),
			with_scratch(the_variable_of_an_address_must_be_meant_for_one),
			with_scratch(the_host_of_the_address_is_one_that_can_be_granted),
			with_scratch(only_what_is_local_is_called_so),
			with_scratch(programs_are_names_and_no_shells),
			with_scratch(packages_are_what_can_be_typed_behind_apt_get_install),
			with_scratch(libraries_are_names_and_no_options),
			with_scratch(a_name_in_the_tree_is_the_id_without_its_ending),
			with_scratch(an_id_that_gives_no_name_is_refused),
			with_scratch(a_provider_is_declared_or_compiled_and_never_both),
			with_scratch(a_parameter_may_state_its_range_choices_and_default),
			with_scratch(sources_stay_below_the_manifest),
			with_scratch(hosts_are_names_or_everything_below_one),
			with_scratch(mistakes_are_told_all_at_once),
			with_scratch(a_manifest_that_is_absent_is_told_by_its_path),
			with_scratch(a_file_that_is_no_map_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
