/* Fuzzes the reading of a stranger's manifest: what is accepted keeps the promises that building,
 * consent and the tree rest on. */
#include "core/base/text.h"
#include "core/config/base_url.h"
#include "core/config/config.h"
#include "core/config/consent.h"

#include "tests/fuzz/files/scratch_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_plain(const char *text, bool lines) {
	CHECK(text != NULL && utf8_valid(text, strlen(text)));
	for (const char *at = text; *at != '\0'; at++) {
		CHECK((unsigned char)*at >= ' ' || (lines && (*at == '\n' || *at == '\t')));
	}
}

static void check_code(const struct manifest *manifest) {
	CHECK(manifest->driver == NULL || manifest->sources == NULL);
	for (char **source = manifest->sources; source != NULL && *source != NULL; source++) {
		CHECK(ends_with(*source, ".c") && strstr(*source, "..") == NULL);
		CHECK(strpbrk(*source, " \t\n\\'\"$`;&|<>*?@=") == NULL);
		CHECK((*source)[0] != '/' && (*source)[0] != '-' && (*source)[0] != '.');
	}
	for (char **name = manifest->pkg_config; name != NULL && *name != NULL; name++) {
		CHECK((*name)[0] != '-' && strpbrk(*name, "/ @=") == NULL);
	}
}

static void check_models(const struct manifest *manifest) {
	CHECK(!manifest->models_static || manifest->n_models > 0);
	for (size_t i = 0; i < manifest->n_models; i++) {
		const struct manifest_model *model = &manifest->models[i];
		CHECK(model->id != NULL && model->id[0] != '\0' && strlen(model->id) <= 1023);
		check_plain(model->name, false);
		check_plain(model->description, true);
		check_plain(model->input_modalities, false);
		check_plain(model->output_modalities, false);
		check_plain(model->parameters, false);
	}
}

static void check_consent(const struct manifest *manifest) {
	struct consent asked = {0};
	struct buf words = {0};
	CHECK(consent_of_manifest(&asked, manifest));
	for (char **host = asked.hosts; host != NULL && *host != NULL; host++) {
		CHECK(consent_host_valid(*host));
	}
	for (char **host = asked.key_hosts; host != NULL && *host != NULL; host++) {
		CHECK(consent_host_valid(*host));
	}
	CHECK(consent_covers(&asked, &asked, NULL));
	CHECK(consent_is_empty(&asked) == consent_covers(&(struct consent){0}, &asked, NULL));
	CHECK(consent_describe(&asked, &words));
	check_plain(buf_string(&words), true);
	buf_finish(&words);
	consent_finish(&asked);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	struct manifest manifest;
	struct fail fail = {0};
	struct buf notes = {0};
	if (manifest_read_noting(&manifest, scratch_file(bytes, size), &notes, &fail)) {
		char *name = manifest_tree_name(&manifest);
		CHECK(provider_name_valid(name));
		free(name);
		check_plain(manifest.name, false);
		check_plain(manifest.description, true);
		check_plain(manifest.version, false);
		CHECK(manifest.capabilities != NULL);
		check_code(&manifest);
		check_models(&manifest);
		check_consent(&manifest);
		manifest_finish(&manifest);
	} else {
		check_plain(fail_words(&fail), true);
	}
	check_plain(buf_string(&notes), true);
	buf_finish(&notes);
	fail_finish(&fail);
	return 0;
}
