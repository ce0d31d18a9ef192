/* The bundled manifests: each is one that loads, and asks for no more than its provider needs. */
#include "core/base/text.h"
#include "core/config/manifest/manifest.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MOST 64

static struct manifest manifests[MOST];
static char *names[MOST];
static size_t n_manifests;

/* As they lie beside the built providers, which is where the daemon finds them. */
static int read_all(void **state) {
	(void)state;
	glob_t files;
	assert_int_equal(glob(PROVIDERS "/*.yml", 0, NULL, &files), 0);
	assert_in_range(files.gl_pathc, 1, MOST);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		if (ends_with(files.gl_pathv[i], "/replay.yml")) {
			continue; /* the daemon's own, without a module */
		}
		cleanup_fail struct fail fail = {0};
		cleanup_buf struct buf notes = {0};
		if (!manifest_read_noting(
				    &manifests[n_manifests], files.gl_pathv[i], &notes, &fail)) {
			print_message("%s\n", fail_words(&fail));
			return -1;
		}
		/* Of a stranger's, what has no effect is passed over. */
		if (notes.size > 0) {
			print_message("%s", buf_string(&notes));
			return -1;
		}
		const char *name = strrchr(files.gl_pathv[i], '/') + 1;
		names[n_manifests] = strndup(name, strlen(name) - strlen(".yml"));
		n_manifests++;
	}
	globfree(&files);
	return 0;
}

static int free_all(void **state) {
	(void)state;
	for (size_t i = 0; i < n_manifests; i++) {
		manifest_finish(&manifests[i]);
		free(names[i]);
	}
	return 0;
}

static void assert_is_there(const char *format, const char *name) {
	char path[4096];
	snprintf(path, sizeof(path), format, name);
	if (access(path, R_OK) != 0) {
		fail_msg("%s isn't there", path);
	}
}

static void each_is_found_under_the_name_that_its_id_gives(void **state) {
	(void)state;
	for (size_t i = 0; i < n_manifests; i++) {
		cleanup_free char *name = manifest_tree_name(&manifests[i]);
		assert_string_equal(name, names[i]);
		assert_is_there(SOURCE_ROOT "/providers/%s/README.md", name);
	}
}

static void each_has_a_module_of_its_own_or_a_compiled_driver(void **state) {
	(void)state;
	for (size_t i = 0; i < n_manifests; i++) {
		const struct manifest *manifest = &manifests[i];
		assert_int_not_equal(manifest->kind, MANIFEST_ELSEWHERE);
		const char *module = manifest->driver != NULL ? manifest->driver : names[i];
		assert_is_there(PROVIDERS "/%s.so", module);
		for (char **source = manifest->sources; source != NULL && *source != NULL;
				source++) {
			char format[512];
			snprintf(format, sizeof(format), SOURCE_ROOT "/providers/%s/%%s", names[i]);
			assert_is_there(format, *source);
		}
	}
}

static void a_key_goes_to_the_one_host_of_the_base_url_by_https(void **state) {
	(void)state;
	for (size_t i = 0; i < n_manifests; i++) {
		const struct manifest *manifest = &manifests[i];
		if (manifest->local) {
			/* A key is for a server of the same kind elsewhere. */
			assert_false(manifest->key_required);
			assert_int_equal(manifest->n_endpoints, 0);
			continue;
		}
		assert_non_null(manifest->key_env);
		assert_non_null(manifest->key_url);
		assert_true(manifest->key_required);
		assert_in_range(manifest->n_endpoints, 1, 8);
		assert_true(starts_with(manifest->base_url, "https://"));
		const char *host = manifest->base_url + strlen("https://");
		size_t length = strcspn(host, "/");
		for (size_t other = 1; other < manifest->n_endpoints; other++) {
			assert_false(manifest->endpoints[other].keyed);
		}
		assert_int_equal(strlen(manifest->endpoints[0].host), length);
		assert_memory_equal(host, manifest->endpoints[0].host, length);
	}
}

static void a_local_one_stays_on_this_machine(void **state) {
	(void)state;
	for (size_t i = 0; i < n_manifests; i++) {
		if (manifests[i].local && manifests[i].base_url != NULL) {
			assert_true(starts_with(manifests[i].base_url, "http://127.0.0.1:"));
		}
	}
}

static void no_two_share_a_key_or_a_variable_for_the_address(void **state) {
	(void)state;
	for (size_t i = 0; i < n_manifests; i++) {
		for (size_t j = 0; j < i; j++) {
			const char *key = manifests[i].key_env;
			const char *base = manifests[i].base_url_env;
			assert_false(key != NULL && manifests[j].key_env != NULL &&
					strcmp(key, manifests[j].key_env) == 0);
			assert_false(base != NULL && manifests[j].base_url_env != NULL &&
					strcmp(base, manifests[j].base_url_env) == 0);
		}
	}
}

static void a_key_is_sent_as_its_service_wants_it(void **state) {
	(void)state;
	for (size_t i = 0; i < n_manifests; i++) {
		bool anthropic = strcmp(names[i], "anthropic") == 0;
		bool fal = strcmp(names[i], "fal") == 0;
		assert_string_equal(manifests[i].auth_header,
				anthropic ? "x-api-key" : "Authorization");
		assert_string_equal(manifests[i].auth_scheme, anthropic ? ""
							      : fal	? "Key"
									: "Bearer");
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_is_found_under_the_name_that_its_id_gives),
			cmocka_unit_test(each_has_a_module_of_its_own_or_a_compiled_driver),
			cmocka_unit_test(a_key_goes_to_the_one_host_of_the_base_url_by_https),
			cmocka_unit_test(a_local_one_stays_on_this_machine),
			cmocka_unit_test(no_two_share_a_key_or_a_variable_for_the_address),
			cmocka_unit_test(a_key_is_sent_as_its_service_wants_it),
	};
	return cmocka_run_group_tests(tests, read_all, free_all);
}
