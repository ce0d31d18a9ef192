/* fal's recorded models: what is known of each by its entry and its schema. */
#include "tests/unit/provider/support.h"

#include "core/base/text.h"

#include <conduit/kit/json.h>
#include <string.h>

/* The limits were read out of the recordings by another program. */
static const struct recorded {
	const char *path, *id, *name, *input, *output;
	int64_t created;
	const char *parameters, *limits;
} recorded[] = {
		{"fal/catalog_openapi_fal_ai_flux_dev.json", "fal-ai/flux/dev", "FLUX.1 [dev]",
				"text", "image", 1743531042, "seed,size,n,steps,guidance,format",
				"size square_hd,square,portrait_4_3,portrait_16_9,landscape_4_3,"
				"landscape_16_9,* =landscape_4_3\n"
				"n 1..4 =1\n"
				"steps 1..50 =28\n"
				"guidance 1..20 =3.5\n"
				"format jpeg,png =jpeg\n"},
		{"fal/catalog_openapi_fal_ai_esrgan.json", "fal-ai/esrgan", "Upscale Images",
				"text,image", "image", 1698624000, "scale,format",
				"scale 1..8 =2\n"
				"format png,jpeg =png\n"},
		{"fal/catalog_openapi_bytedance_seedance_2.0_text_to_video.json",
				"bytedance/seedance-2.0/text-to-video",
				"Seedance 2.0 Text to Video API", "text", "video", 1775069358,
				"seed,aspect_ratio,resolution,duration",
				"aspect_ratio auto,21:9,16:9,4:3,1:1,3:4,9:16 =auto\n"
				"resolution 480p,720p,1080p =720p\n"
				"duration 4,5,6,7,8,9,10,11,12,13,14,15\n"},
};

#define RECORDED (sizeof(recorded) / sizeof(recorded[0]))

static void assert_known(const struct replay_model *model, const struct recorded *as) {
	cleanup_buf struct buf limits = {0};
	for (size_t i = 0; i < model->limits.n; i++) {
		cleanup_buf struct buf line = {0};
		replay_limit_text(&model->limits.list[i], &line);
		buf_add_format(&limits, "%s %s\n", model->limits.list[i].name, buf_string(&line));
	}
	assert_string_equal(model->id, as->id);
	assert_string_equal(model->name, as->name);
	assert_string_equal(model->input_modalities, as->input);
	assert_string_equal(model->output_modalities, as->output);
	assert_int_equal(model->created, as->created);
	assert_string_equal(model->parameters, as->parameters);
	assert_string_equal(buf_string(&limits), as->limits);
	assert_non_null(strstr(model->raw, "\"openapi\""));
}

/* The models of one page, and of the reply with their schemas. */
static void add_page(struct buf *page, struct buf *schemas) {
	for (size_t i = 0; i < RECORDED; i++) {
		struct buf entry = recording(recorded[i].path);
		buf_add_format(page, "%s{\"endpoint_id\":\"%s\",\"metadata\":", i != 0 ? "," : "",
				recorded[i].id);
		struct conduit_json *json = conduit_json_parse(entry.data, entry.size);
		char *metadata = conduit_json_print(conduit_json_get(json, "metadata"));
		buf_add_format(page, "%s}", metadata);
		buf_add_format(schemas, "%s%s", i != 0 ? "," : "", buf_string(&entry));
		free(metadata);
		conduit_json_free(json);
		buf_finish(&entry);
	}
}

static struct replay_exchange exchange_of(struct buf *whole, struct buf *models) {
	buf_add_format(whole, "{\"models\":[%s],\"next_cursor\":null,\"has_more\":false}",
			buf_string(models));
	return (struct replay_exchange){.status = 200,
			.content_type = "application/json",
			.body = whole->data,
			.size = whole->size};
}

static void each_recorded_model_is_known_by_its_entry_and_schema(void **state) {
	(void)state;
	cleanup_buf struct buf page = {0}, schemas = {0}, first = {0}, second = {0};
	add_page(&page, &schemas);
	struct replay_exchange exchanges[] = {
			exchange_of(&first, &page), exchange_of(&second, &schemas)};
	struct replay_script script = {.base_url = "https://queue.fal.run",
			.exchanges = exchanges,
			.n_exchanges = 2,
			.cut = REPLAY_AT};
	for (script.at = 1; script.at < second.size; script.at += cut_stride(second.size * 4)) {
		struct replay replay;
		replay_discover(&replay, load_provider("fal"), &script);
		assert_null(replay.broken);
		assert_true(replay.finished);
		assert_int_equal(replay.n_models, RECORDED);
		for (size_t i = 0; i < RECORDED; i++) {
			assert_known(&replay.models[i], &recorded[i]);
		}
		assert_string_equal(replay.requests[1].url,
				"https://api.fal.ai/v1/models?expand=openapi-3.0&limit=50"
				"&endpoint_id=fal-ai/flux/dev&endpoint_id=fal-ai/esrgan"
				"&endpoint_id=bytedance/seedance-2.0/text-to-video");
		replay_finish(&replay);
	}
}

/* A page fails, since models would be missing; a schema is done without. */
static void a_reply_that_is_cut_short_loses_no_model(void **state) {
	(void)state;
	cleanup_buf struct buf page = {0}, schemas = {0}, first = {0}, second = {0};
	add_page(&page, &schemas);
	struct replay_exchange exchanges[] = {
			exchange_of(&first, &page), exchange_of(&second, &schemas)};
	struct replay_script script = {.base_url = "https://queue.fal.run",
			.exchanges = exchanges,
			.n_exchanges = 2};
	struct replay replay;
	size_t stride = cut_stride(second.size * 4);
	for (exchanges[1].size = 0; exchanges[1].size + 1 < second.size;
			exchanges[1].size += stride) {
		replay_discover(&replay, load_provider("fal"), &script);
		assert_null(replay.broken);
		assert_true(replay.finished);
		assert_int_equal(replay.n_models, RECORDED);
		replay_finish(&replay);
	}
	for (exchanges[0].size = 0; exchanges[0].size + 1 < first.size; exchanges[0].size++) {
		replay_discover(&replay, load_provider("fal"), &script);
		assert_true(replay.failed);
		assert_int_equal(replay.kind, CONDUIT_FAIL_MALFORMED);
		replay_finish(&replay);
	}
}

/* At most so many at a time, and all of a page. */
static void schemas_are_asked_for_fifty_at_a_time(void **state) {
	(void)state;
	cleanup_buf struct buf page = {0}, first = {0};
	for (int i = 0; i < 120; i++) {
		buf_add_format(&page, "%s{\"endpoint_id\":\"acme/%d\"}", i != 0 ? "," : "", i);
	}
	static const char none[] = "{\"models\":[],\"has_more\":true}";
	struct replay_exchange empty = {.status = 200,
			.content_type = "application/json",
			.body = none,
			.size = sizeof(none) - 1};
	struct replay_exchange exchanges[] = {exchange_of(&first, &page), empty, empty};
	struct replay_script script = {.base_url = "https://queue.fal.run",
			.exchanges = exchanges,
			.n_exchanges = 3};
	struct replay replay;
	replay_discover(&replay, load_provider("fal"), &script);
	assert_null(replay.broken);
	assert_true(replay.finished);
	assert_int_equal(replay.n_models, 120);
	assert_int_equal(replay.n_requests, 3);
	assert_true(ends_with(replay.requests[1].url, "&endpoint_id=acme/49"));
	assert_true(ends_with(replay.requests[2].url, "&endpoint_id=acme/99"));
	replay_finish(&replay);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_recorded_model_is_known_by_its_entry_and_schema),
			cmocka_unit_test(a_reply_that_is_cut_short_loses_no_model),
			cmocka_unit_test(schemas_are_asked_for_fifty_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
