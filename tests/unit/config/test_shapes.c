/* MediaConduit's manifests: the six shapes in which its own repositories write them, one test each,
 * and what a provider from outside makes of its `models`. */
#include "core/config/manifest/manifest.h"

#include "core/base/strings.h"
#include "tests/unit/config/scratch.h"

#include <errno.h>

static struct manifest manifest;
static struct buf notes;

static void read_good(const char *text) {
	struct fail fail = {0};
	buf_clear(&notes);
	if (!manifest_read_noting(&manifest, scratch_write("m.yml", text), &notes, &fail)) {
		print_error("%s\n", fail_words(&fail));
		fail();
	}
}

static void assert_fault(const char *text, const char *words) {
	struct fail fail = {0};
	assert_false(manifest_read(&manifest, scratch_write("m.yml", text), &fail));
	assert_int_equal(fail.code, EINVAL);
	assert_contains(fail_words(&fail), words);
	fail_finish(&fail);
}

static void done(void) {
	manifest_finish(&manifest);
	buf_finish(&notes);
}

static void assert_model(size_t index, const char *id, const char *name, const char *input,
		const char *output, const char *parameters) {
	assert_true(index < manifest.n_models);
	const struct manifest_model *model = &manifest.models[index];
	assert_string_equal(model->id, id);
	assert_string_equal(model->name, name);
	assert_string_equal(model->input_modalities, input);
	assert_string_equal(model->output_modalities, output);
	assert_string_equal(model->parameters, parameters);
}

/* ---- the six ---- */

static void a_remote_one_whose_models_are_found(void **state) {
	(void)state;
	read_good("id: router-provider\nname: Router\nversion: 1.0.0\ndescription: Many models\n"
		  "author: Somebody\ntype: remote\ncapabilities:\n  - text-to-text\n"
		  "main: dist/index.js\nexportName: RouterProvider\n");
	assert_string_equal(buf_string(&notes), "");
	assert_int_equal(manifest.kind, MANIFEST_ELSEWHERE);
	char *name = manifest_tree_name(&manifest);
	assert_string_equal(name, "router");
	free(name);
	assert_string_equal(manifest.description, "Many models");
	assert_false(manifest.local);
	assert_int_equal(manifest.n_models, 0);
	done();
}

static void a_local_one_with_capabilities_in_upper_case_and_a_list_of_models(void **state) {
	(void)state;
	read_good("id: talker-docker-provider\nname: Talker\ntype: local\n"
		  "serviceUrl: https://github.com/example/talker-service\n"
		  "capabilities:\n  - TEXT_TO_TEXT\n"
		  "models:\n  - id: talker-default\n    name: Default\n    description: Says it\n"
		  "    capabilities: [TEXT_TO_TEXT]\n    inputTypes: [text]\n"
		  "    outputTypes: [text]\n  - id: talker-loud\n"
		  "dependencies:\n  - axios: ^1.6.0\n  - form-data: ^4.0.0\n"
		  "main: src/index.ts\nexportName: TalkerDockerProvider\n");
	assert_string_equal(buf_string(&notes), "");
	char *name = manifest_tree_name(&manifest);
	assert_string_equal(name, "talker");
	free(name);
	assert_true(manifest.local);
	assert_string_equal(manifest.capabilities[0], "text-to-text");
	assert_int_equal(manifest.n_models, 2);
	assert_model(0, "talker-default", "Default", "text", "text", "");
	assert_string_equal(manifest.models[0].description, "Says it");
	assert_string_equal(manifest.models[0].capabilities[0], "text-to-text");
	assert_model(1, "talker-loud", "", "text", "text", "");
	done();
}

static void one_with_aliases_formats_and_a_schema(void **state) {
	(void)state;
	read_good("id: scribe-docker-provider\ntype: local\n"
		  "capabilities: [audio-to-text, speech-to-text, transcription, translation]\n"
		  "serviceUrl: https://github.com/example/scribe-service\n"
		  "serviceConfig: {dockerCompose: docker-compose.yml, serviceName: scribe,\n"
		  "  healthEndpoint: /health, defaultBaseUrl: http://localhost:9000}\n"
		  "models:\n  - id: scribe-stt\n    inputTypes: [audio/wav, audio/mp3]\n"
		  "    outputTypes: [text]\n    parameters:\n"
		  "      language: {type: string, default: auto}\n"
		  "      task: {type: string, enum: [transcribe, translate]}\n"
		  "      wordTimestamps: {type: boolean, default: false}\n"
		  "configSchema:\n  type: object\n  properties:\n"
		  "    timeout: {type: number, minimum: 1000, maximum: 600000, default: 300000}\n"
		  "    baseUrl: {type: string, pattern: '^https?://'}\n"
		  "requirements: {node: '>=18', docker: true, memory: 2GB, disk: 5GB}\n"
		  "supportedFormats: {input: [mp3, wav, flac], output: [txt]}\n"
		  "supportedLanguages: [en, de, fr]\n");
	assert_int_equal(strings_length(manifest.capabilities), 1);
	assert_string_equal(manifest.capabilities[0], "audio-to-text");
	assert_string_equal(manifest.models[0].input_modalities, "audio");
	assert_string_equal(manifest.models[0].output_modalities, "text");
	assert_contains(buf_string(&notes), "m.yml:14: models: the parameter 'wordTimestamps'");
	done();
}

static void one_whose_models_are_a_map_of_what_they_share(void **state) {
	(void)state;
	read_good("id: local-llm-docker-provider\ntype: local\ncapabilities: [text-to-text]\n"
		  "serviceUrl: https://github.com/example/llm-service\n"
		  "models:\n  dynamic: true\n  capabilities: [text-to-text]\n"
		  "  parameters: {temperature: 0.7, maxTokens: 4096, topP: 0.9}\n");
	assert_string_equal(buf_string(&notes), "");
	assert_int_equal(manifest.n_models, 0);
	done();
}

static void one_with_a_map_of_dependencies_and_a_variable(void **state) {
	(void)state;
	read_good("id: farm-provider\nname: Farm\nversion: 1.0.0\ntype: remote\n"
		  "homepage: https://farm.example\nrepository: https://github.com/example/farm\n"
		  "license: MIT\n"
		  "capabilities:\n  - text-to-image\n  - image-to-image\n  - text-to-video\n"
		  "  - image-to-video\n  - text-to-audio\n  - video-to-video\n"
		  "models:\n  - id: maker/picture\n    name: Picture\n"
		  "    capabilities: [text-to-image, image-to-image]\n"
		  "  - id: maker/film\n    capabilities: [image-to-video]\n  - id: maker/any\n"
		  "configuration:\n  environment:\n"
		  "    FARM_API_TOKEN: {description: The token, required: true, example: f8_x}\n"
		  "    FARM_CACHE_DIR: {default: ./cache}\n"
		  "dependencies:\n  farm: ^1.0.0\n  axios: ^1.6.0\n"
		  "features:\n  - Many models\n  - Queues\nspecialties: [pictures]\n");
	assert_string_equal(buf_string(&notes), "");
	assert_int_equal(strings_length(manifest.capabilities), 6);
	assert_model(0, "maker/picture", "Picture", "text,image", "image", "");
	assert_model(1, "maker/film", "", "image", "video", "");
	assert_model(2, "maker/any", "", "text,image,video", "image,video,audio", "");
	assert_null(manifest.key_env);
	done();
}

static void one_of_another_service_with_the_same_fields(void **state) {
	(void)state;
	read_good("id: thinker-provider\nname: \"Thinker AI\"\ndescription: >\n  Long\n  words\n"
		  "version: '1.0.0'\nauthor: {name: Somebody, url: https://a.example}\n"
		  "repository: {type: git, url: https://github.com/example/thinker}\n"
		  "type: remote\ncapabilities: text-to-text\nmain: dist/index.js\n"
		  "exportName: ThinkerProvider\n");
	assert_string_equal(buf_string(&notes), "");
	assert_string_equal(manifest.name, "Thinker AI");
	assert_string_equal(manifest.description, "Long words\n");
	done();
}

/* ---- models ---- */

#define BASE "id: acme-provider\ndriver: openai\ncapabilities: [text-to-text]\n"

static void models_may_be_a_map_by_id(void **state) {
	(void)state;
	read_good(BASE "discovery: static\nmodels:\n  acme/one: {name: One}\n  acme/two:\n");
	assert_true(manifest.models_static);
	assert_int_equal(manifest.n_models, 2);
	assert_model(0, "acme/one", "One", "text", "text", "");
	assert_model(1, "acme/two", "", "text", "text", "");
	done();
}

static void models_may_be_a_list_of_ids(void **state) {
	(void)state;
	read_good(BASE "models: [one, two]\n");
	assert_false(manifest.models_static);
	assert_int_equal(manifest.n_models, 2);
	assert_model(1, "two", "", "text", "text", "");
	done();
}

static void parameters_are_known_by_the_names_of_config(void **state) {
	(void)state;
	read_good(BASE "models:\n  - id: one\n    parameters: [temperature, maxTokens, top-p]\n"
		       "  - id: two\n    parameters: {Temperature: 1}\n");
	assert_model(0, "one", "", "text", "text", "temperature,max_tokens,top_p");
	assert_model(1, "two", "", "text", "text", "temperature");
	assert_string_equal(buf_string(&notes), "");
	done();
}

static void types_that_nothing_is_made_of_are_noted(void **state) {
	(void)state;
	read_good(BASE "models:\n  - id: one\n    inputTypes: [Text, image/png, smell, images]\n");
	assert_model(0, "one", "", "text,image", "text", "");
	assert_contains(buf_string(&notes), "m.yml:6: models: the type 'smell' has no effect");
	done();
}

static void faulty_models_are_told_by_line(void **state) {
	(void)state;
	const char *text = BASE "models:\n  - name: One\n  - id: a\n  - id: a\n  - [x]\n"
				"  - id: b\n    capabilities: [text-to-txt]\n";
	assert_fault(text, "m.yml:5: models: an entry needs an id");
	assert_fault(text, "m.yml:4: models: the id 'a' stands here twice");
	assert_fault(text, "m.yml:8: models: must be a map");
	assert_fault(text, "m.yml:10: unknown capability 'text-to-txt'");
	assert_fault(BASE "models: text\n", "m.yml:4: models: must be a list");
	assert_fault(BASE "discovery: static\n", "m.yml:4: discovery: static needs the models");
	assert_fault(BASE "discovery: sometimes\n", "m.yml:4: discovery: 'sometimes' is neither");
}

static void faulty_shapes_of_mediaconduits_fields_are_told(void **state) {
	(void)state;
	const char *text = "id: x\ncapabilities: [text-to-text]\nauthor: [a]\ndependencies: axios\n"
			   "configSchema: [a]\nconfiguration: {environment: {'A B': {}}}\n"
			   "serviceConfig: {serviceName: [a]}\nsupportedLanguages: en\n"
			   "homepage: {a: b}\n";
	assert_fault(text, ":3: author: must be a single value or a map");
	assert_fault(text, ":4: dependencies: must be a map, or a list");
	assert_fault(text, ":5: configSchema: must be a map");
	assert_fault(text, ":6: configuration.A B: is not the name of an environment variable");
	assert_fault(text, ":7: serviceConfig.serviceName: must be a single value");
	assert_fault(text, ":8: supportedLanguages: must be a list");
	assert_fault(text, ":9: homepage: must be a single value");
}

int main(void) {
	const struct CMUnitTest tests[] = {
			with_scratch(a_remote_one_whose_models_are_found),
			with_scratch(a_local_one_with_capabilities_in_upper_case_and_a_list_of_models),
			with_scratch(one_with_aliases_formats_and_a_schema),
			with_scratch(one_whose_models_are_a_map_of_what_they_share),
			with_scratch(one_with_a_map_of_dependencies_and_a_variable),
			with_scratch(one_of_another_service_with_the_same_fields),
			with_scratch(models_may_be_a_map_by_id),
			with_scratch(models_may_be_a_list_of_ids),
			with_scratch(parameters_are_known_by_the_names_of_config),
			with_scratch(types_that_nothing_is_made_of_are_noted),
			with_scratch(faulty_models_are_told_by_line),
			with_scratch(faulty_shapes_of_mediaconduits_fields_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
