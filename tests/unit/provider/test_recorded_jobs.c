/* Recorded replies of the services with a queue: what each leads to, whichever way it is cut. fal's
 * results were recorded where they come at once (fal.run); its queue gives the same where a status
 * says that the result is (docs.fal.ai/model-endpoints/queue).
 *
 * The expected values were computed from the recordings by another program in another language. */
#include "tests/unit/provider/support.h"

#include "core/base/text.h"

#include <string.h>

#define STEPS_MOST 7

struct step {
	const char *path; /* of a recording; NULL: text */
	const char *text, *type;
	int status;
	bool done; /* the recorded prediction as it is when it has succeeded */
};

/* clang-format off */
#define REC(path, status) {path, NULL, (status) < 300 ? "application/json" : "application/problem+json", status, false}
#define DONE(path, status) {path, NULL, "application/json", status, true}
#define SAID(text, status) {NULL, text, "application/json", status, false}
#define EVENTS(text, status) {NULL, text, "text/event-stream", status, false}
#define PICTURE(text, status) {NULL, text, "image/png", status, false}
#define FAIL(kind, words) true, CONDUIT_FAIL_##kind, words
#define WELL false, CONDUIT_FAIL_OTHER, NULL

static const struct expected {
	const char *provider, *capability, *model, *resume;
	struct step steps[STEPS_MOST];
	const char *shown; /* requests; then progress; cancels; tokens to pick it up: a line each */
	size_t output;
	uint64_t hash;
	bool fails;
	enum conduit_kind kind;
	const char *words; /* among the failure's */
} jobs[] = {
		{"replicate", "text-to-image", "stability-ai/sdxl", NULL,
				{REC("replicate/model_get_sdxl.json", 200), REC("replicate/prediction_created_201.json", 201), REC("replicate/prediction_succeeded.json", 200), PICTURE("PNG!", 200)},
				"GET https://api.replicate.com/v1/models/stability-ai/sdxl\n"
				"POST https://api.replicate.com/v1/predictions {\"version\":\"39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b\",\"input\":{\"prompt\":\"Hello\"}}\n"
				"GET https://api.replicate.com/v1/predictions/vgcm4plb7tgzlyznry5d5jkgvu\n"
				"GET https://replicate.delivery/pbxt/9inf36wjsEWuQ6XTf84iezPftv9QZdePfGySnU5tUai3BOrWE/out-0.png\n"
				"doing starting\n" "cancel POST https://api.replicate.com/v1/predictions/vgcm4plb7tgzlyznry5d5jkgvu/cancel\n" "cancel -\n"
				"resumable https://api.replicate.com/v1/predictions/vgcm4plb7tgzlyznry5d5jkgvu POST https://api.replicate.com/v1/predictions/vgcm4plb7tgzlyznry5d5jkgvu/cancel\n",
				4, 0xa8b4c61910a54ea7, WELL},
		{"replicate", "text-to-image", "stability-ai/sdxl:39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b", "https://api.replicate.com/v1/predictions/azaq55dbukgxg6kubr4k6g3pby",
				{REC("replicate/prediction_get_starting.json", 200), REC("replicate/prediction_run_final.json", 200), PICTURE("PNG!", 200)},
				"GET https://api.replicate.com/v1/predictions/azaq55dbukgxg6kubr4k6g3pby\n"
				"GET https://api.replicate.com/v1/predictions/azaq55dbukgxg6kubr4k6g3pby\n"
				"GET https://replicate.delivery/pbxt/gDoc64M9pRaQNdZb0evCRgm57WZJ5BKi0T5kzV6qm2tGmd8IA/out-0.png\n"
				"doing starting\n" "cancel POST https://api.replicate.com/v1/predictions/azaq55dbukgxg6kubr4k6g3pby/cancel\n" "cancel -\n",
				4, 0xa8b4c61910a54ea7, WELL},
		{"replicate", "text-to-text", "acme/old:02e5", NULL,
				{SAID("{}", 200), REC("replicate/prediction_created_stream_url.json", 201), EVENTS("event: output\ndata: O camel\n\nevent: done\ndata: {}\n\n", 200), SAID("{\"status\": \"succeeded\", \"output\": [\"O camel\", \", hum\"]}", 200)},
				"GET https://api.replicate.com/v1/models/acme/old\n"
				"POST https://api.replicate.com/v1/predictions {\"version\":\"02e5\",\"input\":{\"prompt\":\"Hello\"}}\n"
				"GET https://streaming-api.svc.us.c.replicate.net/v1/predictions/4awn473bsrztjzlx2b6ufoxkkm\n"
				"GET https://api.replicate.com/v1/predictions/4awn473bsrztjzlx2b6ufoxkkm\n"
				"doing starting\n" "cancel POST https://api.replicate.com/v1/predictions/4awn473bsrztjzlx2b6ufoxkkm/cancel\n" "cancel -\n"
				"resumable https://api.replicate.com/v1/predictions/4awn473bsrztjzlx2b6ufoxkkm POST https://api.replicate.com/v1/predictions/4awn473bsrztjzlx2b6ufoxkkm/cancel\n",
				12, 0x38ea8bfd989f0c6a, WELL},
		{"replicate", "text-to-text", "meta/llama-2-70b-chat", NULL,
				{SAID("{}", 200), REC("replicate/official_model_prediction_201.json", 201), SAID("{\"status\": \"succeeded\", \"output\": [\"Hum\", \", llama\"]}", 200)},
				"GET https://api.replicate.com/v1/models/meta/llama-2-70b-chat\n"
				"POST https://api.replicate.com/v1/models/meta/llama-2-70b-chat/predictions {\"input\":{\"prompt\":\"Hello\"}}\n"
				"GET https://api.replicate.com/v1/predictions/heat2o3bzn3ahtr6bjfftvbaci\n"
				"doing starting\n" "cancel POST https://api.replicate.com/v1/predictions/heat2o3bzn3ahtr6bjfftvbaci/cancel\n" "cancel -\n"
				"resumable https://api.replicate.com/v1/predictions/heat2o3bzn3ahtr6bjfftvbaci POST https://api.replicate.com/v1/predictions/heat2o3bzn3ahtr6bjfftvbaci/cancel\n",
				10, 0x7a6039f0b2a933f6, WELL},
		{"replicate", "text-to-text", "meta/meta-llama-3-8b-instruct", NULL,
				{SAID("{}", 200), REC("replicate/prediction_prefer_wait_10_201.json", 201), EVENTS("gone", 404), DONE("replicate/prediction_prefer_wait_10_201.json", 200)},
				"GET https://api.replicate.com/v1/models/meta/meta-llama-3-8b-instruct\n"
				"POST https://api.replicate.com/v1/models/meta/meta-llama-3-8b-instruct/predictions {\"input\":{\"prompt\":\"Hello\"}}\n"
				"GET https://streaming-api.svc.rno2.c.replicate.net/v1/streams/xywaxc2hfosderaab2cbqucgfnlhm5u46ncmwsmqgr3bfhqllmxq\n"
				"GET https://api.replicate.com/v1/predictions/kr2d2jhqbsrj60cjb2vtmekgh4\n"
				"doing processing\n" "cancel POST https://api.replicate.com/v1/predictions/kr2d2jhqbsrj60cjb2vtmekgh4/cancel\n" "cancel -\n"
				"resumable https://api.replicate.com/v1/predictions/kr2d2jhqbsrj60cjb2vtmekgh4 POST https://api.replicate.com/v1/predictions/kr2d2jhqbsrj60cjb2vtmekgh4/cancel\n",
				104, 0x8b86a5a7ebbf5e87, WELL},
		{"replicate", "text-to-text", "meta/meta-llama-3-8b-instruct", NULL,
				{SAID("{}", 200), REC("replicate/prediction_prefer_wait_201.json", 201), EVENTS("event: output\ndata: \ndata: \ndata: Fuzzy\n\nevent: done\ndata: {}\n\n", 200), DONE("replicate/prediction_prefer_wait_201.json", 200)},
				"GET https://api.replicate.com/v1/models/meta/meta-llama-3-8b-instruct\n"
				"POST https://api.replicate.com/v1/models/meta/meta-llama-3-8b-instruct/predictions {\"input\":{\"prompt\":\"Hello\"}}\n"
				"GET https://streaming-api.svc.rno2.c.replicate.net/v1/streams/b4yonjrmynb65tnkucuqc4duawdekslfzexk5itczufef2u36b7a\n"
				"GET https://api.replicate.com/v1/predictions/jp9nrd1g2hrj20cjb2vrb55mkr\n"
				"doing processing\n" "cancel POST https://api.replicate.com/v1/predictions/jp9nrd1g2hrj20cjb2vrb55mkr/cancel\n" "cancel -\n"
				"resumable https://api.replicate.com/v1/predictions/jp9nrd1g2hrj20cjb2vrb55mkr POST https://api.replicate.com/v1/predictions/jp9nrd1g2hrj20cjb2vrb55mkr/cancel\n",
				70, 0x9b2d33161a81c230, WELL},
		{"replicate", "text-to-image", "black-forest-labs/flux-dev", NULL,
				{SAID("{}", 200), REC("replicate/official_model_flux_dev_201.json", 201), DONE("replicate/official_model_flux_dev_201.json", 200), PICTURE("PNG!", 200)},
				"GET https://api.replicate.com/v1/models/black-forest-labs/flux-dev\n"
				"POST https://api.replicate.com/v1/models/black-forest-labs/flux-dev/predictions {\"input\":{\"prompt\":\"Hello\"}}\n"
				"GET https://api.replicate.com/v1/predictions/j8e7v27bk9rma0cmjgb85grzgg\n"
				"GET https://replicate.delivery/xezq/fN4xfry7jrq1kUHlqXPgn5lpiqK26P6hbbaJ38OLWBD4ZCIUA/out-0.webp\n"
				"doing processing\n" "cancel POST https://api.replicate.com/v1/predictions/j8e7v27bk9rma0cmjgb85grzgg/cancel\n" "cancel -\n"
				"resumable https://api.replicate.com/v1/predictions/j8e7v27bk9rma0cmjgb85grzgg POST https://api.replicate.com/v1/predictions/j8e7v27bk9rma0cmjgb85grzgg/cancel\n",
				4, 0xa8b4c61910a54ea7, WELL},
		{"replicate", "text-to-image", "stability-ai/sdxl:39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b", "https://api.replicate.com/v1/predictions/hdwst0bb05rgp0cf0p29mzk2am",
				{REC("replicate/prediction_cancel.json", 200)},
				"GET https://api.replicate.com/v1/predictions/hdwst0bb05rgp0cf0p29mzk2am\n"
				"cancel -\n",
				0, 0xcbf29ce484222325, FAIL(UPSTREAM, "cancelled at Replicate")},
		{"replicate", "text-to-text", "acme/old:7300", NULL,
				{SAID("{}", 200), REC("replicate/error_401_problem_json.json", 401)},
				"GET https://api.replicate.com/v1/models/acme/old\n"
				"POST https://api.replicate.com/v1/predictions {\"version\":\"7300\",\"input\":{\"prompt\":\"Hello\"}}\n",
				0, 0xcbf29ce484222325, FAIL(BAD_KEY, "You did not pass a valid authentication token (HTTP 401)")},
		{"replicate", "text-to-image", "black-forest-labs/flux-schnell", NULL,
				{SAID("{}", 200), REC("replicate/error_422_problem_json.json", 422)},
				"GET https://api.replicate.com/v1/models/black-forest-labs/flux-schnell\n"
				"POST https://api.replicate.com/v1/models/black-forest-labs/flux-schnell/predictions {\"input\":{\"prompt\":\"Hello\"}}\n",
				0, 0xcbf29ce484222325, FAIL(INVALID, "Additional property provider is not allowed")},
		{"fal", "text-to-image", "fal-ai/flux/dev", NULL,
				{REC("fal/catalog_openapi_fal_ai_flux_dev.json", 200), REC("fal/documented/submit.json", 200), REC("fal/documented/status_in_queue_202.json", 202), REC("fal/documented/status_in_progress_202.json", 202), REC("fal/documented/status_completed_200.json", 200), REC("fal/sync_flux_schnell.json", 200), PICTURE("PNG!", 200)},
				"GET https://api.fal.ai/v1/models?expand=openapi-3.0&endpoint_id=fal-ai/flux/dev\n"
				"POST https://queue.fal.run/fal-ai/flux/dev {\"prompt\":\"Hello\"}\n"
				"GET https://queue.fal.run/fal-ai/flux/schnell/requests/764cabcf-b745-4b3e-ae38-1200304cf45b/status\n"
				"GET https://queue.fal.run/fal-ai/flux/schnell/requests/764cabcf-b745-4b3e-ae38-1200304cf45b/status\n"
				"GET https://queue.fal.run/fal-ai/flux/schnell/requests/764cabcf-b745-4b3e-ae38-1200304cf45b/status\n"
				"GET https://queue.fal.run/fal-ai/flux/requests/764cabcf-b745-4b3e-ae38-1200304cf45b\n"
				"GET https://fal.media/files/tiger/ui6Tm4N4mkKCK5vueFamW.png\n"
				"doing in fal's queue behind 0\n" "doing in fal's queue behind 2\n" "doing in progress\n" "cancel PUT https://queue.fal.run/fal-ai/flux/schnell/requests/764cabcf-b745-4b3e-ae38-1200304cf45b/cancel\n"
				"cancel -\n"
				"resumable https://queue.fal.run/fal-ai/flux/schnell/requests/764cabcf-b745-4b3e-ae38-1200304cf45b/status PUT https://queue.fal.run/fal-ai/flux/schnell/requests/764cabcf-b745-4b3e-ae38-1200304cf45b/cancel\n",
				4, 0xa8b4c61910a54ea7, WELL},
		{"fal", "text-to-video", "bytedance/seedance-2.0/text-to-video", NULL,
				{REC("fal/catalog_openapi_bytedance_seedance_2.0_text_to_video.json", 200), REC("fal/queue_submit_real_2026-05.json", 200), REC("fal/documented/status_completed_200.json", 200), REC("fal/sync_hunyuan_video.json", 200), PICTURE("PNG!", 200)},
				"GET https://api.fal.ai/v1/models?expand=openapi-3.0&endpoint_id=bytedance/seedance-2.0/text-to-video\n"
				"POST https://queue.fal.run/bytedance/seedance-2.0/text-to-video {\"prompt\":\"Hello\"}\n"
				"GET https://queue.fal.run/fal-ai/bytedance/requests/019e161b-386c-7d33-8106-f2de1a3ff595/status\n"
				"GET https://queue.fal.run/fal-ai/flux/requests/764cabcf-b745-4b3e-ae38-1200304cf45b\n"
				"GET https://v3.fal.media/files/rabbit/L6wJQvUds5HsTUGLZe9Bp_video-1738056610.mp4\n"
				"doing in fal's queue\n" "cancel PUT https://queue.fal.run/fal-ai/bytedance/requests/019e161b-386c-7d33-8106-f2de1a3ff595/cancel\n" "cancel -\n"
				"resumable https://queue.fal.run/fal-ai/bytedance/requests/019e161b-386c-7d33-8106-f2de1a3ff595/status PUT https://queue.fal.run/fal-ai/bytedance/requests/019e161b-386c-7d33-8106-f2de1a3ff595/cancel\n",
				4, 0xa8b4c61910a54ea7, WELL},
		{"fal", "image-to-image", "fal-ai/esrgan", NULL,
				{REC("fal/catalog_openapi_fal_ai_esrgan.json", 200), REC("fal/documented/submit.json", 200), REC("fal/documented/status_completed_200.json", 200), REC("fal/sync_fast_sdxl.json", 200), PICTURE("PNG!", 200)},
				"GET https://api.fal.ai/v1/models?expand=openapi-3.0&endpoint_id=fal-ai/esrgan\n"
				"POST https://queue.fal.run/fal-ai/esrgan {\"image_url\":\"data:image/png;base64,iVBORw==\"}\n"
				"GET https://queue.fal.run/fal-ai/flux/schnell/requests/764cabcf-b745-4b3e-ae38-1200304cf45b/status\n"
				"GET https://queue.fal.run/fal-ai/flux/requests/764cabcf-b745-4b3e-ae38-1200304cf45b\n"
				"GET https://fal.media/files/monkey/t28MYvYK21vq9nIypBm0P.jpeg\n"
				"doing in fal's queue behind 0\n" "cancel PUT https://queue.fal.run/fal-ai/flux/schnell/requests/764cabcf-b745-4b3e-ae38-1200304cf45b/cancel\n" "cancel -\n"
				"resumable https://queue.fal.run/fal-ai/flux/schnell/requests/764cabcf-b745-4b3e-ae38-1200304cf45b/status PUT https://queue.fal.run/fal-ai/flux/schnell/requests/764cabcf-b745-4b3e-ae38-1200304cf45b/cancel\n",
				4, 0xa8b4c61910a54ea7, WELL},
		{"fal", "audio-to-text", "fal-ai/wizper", NULL,
				{SAID("{\"models\":[]}", 200), REC("fal/queue_submit_vercel_fixture.json", 200), REC("fal/documented/status_completed_200.json", 200), REC("fal/queue_result_vercel_fixture.json", 200)},
				"GET https://api.fal.ai/v1/models?expand=openapi-3.0&endpoint_id=fal-ai/wizper\n"
				"POST https://queue.fal.run/fal-ai/wizper {\"audio_url\":\"data:audio/wav;base64,UklGRg==\"}\n"
				"GET https://queue.fal.run/fal-ai/wizper/requests/test-id\n"
				"GET https://queue.fal.run/fal-ai/flux/requests/764cabcf-b745-4b3e-ae38-1200304cf45b\n"
				"doing in fal's queue behind 4\n" "cancel PUT https://queue.fal.run/fal-ai/wizper/requests/test-id/cancel\n" "cancel -\n"
				"resumable https://queue.fal.run/fal-ai/wizper/requests/test-id PUT https://queue.fal.run/fal-ai/wizper/requests/test-id/cancel\n",
				28, 0x02b796ea4dde866b, WELL},
		{"fal", "audio-to-text", "fal-ai/whisper", "https://queue.fal.run/fal-ai/flux/requests/764c/status",
				{REC("fal/documented/status_completed_200.json", 200), REC("fal/sync_whisper.json", 200)},
				"GET https://queue.fal.run/fal-ai/flux/requests/764c/status\n"
				"GET https://queue.fal.run/fal-ai/flux/requests/764cabcf-b745-4b3e-ae38-1200304cf45b\n"
				"cancel -\n",
				134, 0x02c82809130cfb2d, WELL},
		{"fal", "audio-to-text", "fal-ai/whisper", "https://queue.fal.run/fal-ai/flux/requests/764c/status",
				{REC("fal/documented/status_completed_200.json", 200), REC("fal/sync_wizper.json", 200)},
				"GET https://queue.fal.run/fal-ai/flux/requests/764c/status\n"
				"GET https://queue.fal.run/fal-ai/flux/requests/764cabcf-b745-4b3e-ae38-1200304cf45b\n"
				"cancel -\n",
				135, 0x14312204b0e50d11, WELL},
		{"fal", "text-to-image", "fal-ai/flux/dev", "https://queue.fal.run/fal-ai/flux/requests/764c/status",
				{REC("fal/documented/status_completed_failed_200.json", 200)},
				"GET https://queue.fal.run/fal-ai/flux/requests/764c/status\n"
				"cancel -\n",
				0, 0xcbf29ce484222325, FAIL(TIMED_OUT, "Request timed out")},
		{"fal", "text-to-image", "fal-ai/flux/dev", "https://queue.fal.run/fal-ai/flux/requests/764c/status",
				{REC("fal/documented/status_completed_200.json", 200), REC("fal/sync_400.json", 400)},
				"GET https://queue.fal.run/fal-ai/flux/requests/764c/status\n"
				"GET https://queue.fal.run/fal-ai/flux/requests/764cabcf-b745-4b3e-ae38-1200304cf45b\n"
				"cancel -\n",
				0, 0xcbf29ce484222325, FAIL(INVALID, "Unsupported data URL (HTTP 400)")},
		{"fal", "text-to-image", "fal-ai/flux/dev", NULL,
				{SAID("{\"models\":[]}", 200), REC("fal/sync_400.json", 400)},
				"GET https://api.fal.ai/v1/models?expand=openapi-3.0&endpoint_id=fal-ai/flux/dev\n"
				"POST https://queue.fal.run/fal-ai/flux/dev {\"prompt\":\"Hello\"}\n",
				0, 0xcbf29ce484222325, FAIL(INVALID, "Unsupported data URL (HTTP 400)")},
		{"fal", "text-to-image", "fal-ai/flux/dev", "https://queue.fal.run/fal-ai/flux/requests/764c/status",
				{REC("fal/documented/status_completed_200.json", 200), REC("fal/sync_422_detail_list.json", 422)},
				"GET https://queue.fal.run/fal-ai/flux/requests/764c/status\n"
				"GET https://queue.fal.run/fal-ai/flux/requests/764cabcf-b745-4b3e-ae38-1200304cf45b\n"
				"cancel -\n",
				0, 0xcbf29ce484222325, FAIL(INVALID, "str type expected")},
		{"fal", "text-to-image", "fal-ai/flux/dev", NULL,
				{SAID("{\"models\":[]}", 200), REC("fal/sync_422_detail_list.json", 422)},
				"GET https://api.fal.ai/v1/models?expand=openapi-3.0&endpoint_id=fal-ai/flux/dev\n"
				"POST https://queue.fal.run/fal-ai/flux/dev {\"prompt\":\"Hello\"}\n",
				0, 0xcbf29ce484222325, FAIL(INVALID, "str type expected")},
		{"fal", "text-to-image", "fal-ai/flux/dev", "https://queue.fal.run/fal-ai/flux/requests/764c/status",
				{REC("fal/documented/status_completed_200.json", 200), REC("fal/sync_422_detail_string.json", 422)},
				"GET https://queue.fal.run/fal-ai/flux/requests/764c/status\n"
				"GET https://queue.fal.run/fal-ai/flux/requests/764cabcf-b745-4b3e-ae38-1200304cf45b\n"
				"cancel -\n",
				0, 0xcbf29ce484222325, FAIL(INVALID, "StableDiffusionXLControlNetPipeline")},
		{"fal", "text-to-image", "fal-ai/flux/dev", NULL,
				{SAID("{\"models\":[]}", 200), REC("fal/sync_422_detail_string.json", 422)},
				"GET https://api.fal.ai/v1/models?expand=openapi-3.0&endpoint_id=fal-ai/flux/dev\n"
				"POST https://queue.fal.run/fal-ai/flux/dev {\"prompt\":\"Hello\"}\n",
				0, 0xcbf29ce484222325, FAIL(INVALID, "StableDiffusionXLControlNetPipeline")},
};
/* clang-format on */

/* Replies as they were recorded, of one job. */
struct replies {
	struct replay_exchange exchanges[STEPS_MOST];
	struct buf bodies[STEPS_MOST];
	size_t n, longest;
};

static struct buf body_of(const struct step *step) {
	static const char before[] = "\"status\":\"processing\"",
			  after[] = "\"status\":\"succeeded\"";
	struct buf body = {0};
	if (step->path == NULL) {
		assert_true(buf_add_string(&body, step->text));
		return body;
	}
	struct buf recorded = recording(step->path);
	const char *status = step->done ? strstr(buf_string(&recorded), before) : NULL;
	assert_int_equal(step->done, status != NULL);
	if (starts_with(step->path, "fal/catalog")) {
		/* One entry was kept of the reply that lists it. */
		buf_add_format(&body, "{\"models\":[%s],\"next_cursor\":null,\"has_more\":false}",
				buf_string(&recorded));
	} else if (step->done) {
		buf_add(&body, recorded.data, (size_t)(status - recorded.data));
		buf_add_format(&body, "%s%s", after, status + strlen(before));
	} else {
		buf_add(&body, recorded.data, recorded.size);
	}
	assert_false(body.failed);
	buf_finish(&recorded);
	return body;
}

static struct replies replies_of(const struct expected *expected) {
	struct replies replies = {0};
	for (; replies.n < STEPS_MOST && expected->steps[replies.n].status != 0; replies.n++) {
		const struct step *step = &expected->steps[replies.n];
		struct buf *body = &replies.bodies[replies.n];
		*body = body_of(step);
		replies.longest = body->size > replies.longest ? body->size : replies.longest;
		replies.exchanges[replies.n] = (struct replay_exchange){.status = step->status,
				.content_type = step->type,
				.body = body->data,
				.size = body->size};
	}
	return replies;
}

static void replies_finish(struct replies *replies) {
	for (size_t i = 0; i < replies->n; i++) {
		buf_finish(&replies->bodies[i]);
	}
}

static struct replay run(const struct expected *expected, const struct replies *replies,
		enum replay_cut cut, size_t at) {
	static const struct replay_file files[] = {{"Hello", 5}, {"RIFF", 4}, {"\x89PNG", 4}};
	static const struct conduit_part parts[] = {{0, "text/plain", "", 5},
			{1, "audio/wav", "a.wav", 4}, {2, "image/png", "a.png", 4}};
	size_t part = starts_with(expected->capability, "audio")   ? 1
		      : starts_with(expected->capability, "image") ? 2
								   : 0;
	const struct conduit_message message = {CONDUIT_USER, &parts[part], 1};
	const char *resume = expected->resume != NULL ? expected->resume : "";
	const struct conduit_setting setting = {"resume", resume, strlen(resume)};
	const struct conduit_turn turn = {.model = expected->model,
			.capability = expected->capability,
			.messages = &message,
			.n_messages = 1,
			.settings = &setting,
			.n_settings = expected->resume != NULL};
	bool fal = strcmp(expected->provider, "fal") == 0;
	const struct replay_script script = {
			.base_url = fal ? "https://queue.fal.run" : "https://api.replicate.com/v1",
			.exchanges = replies->exchanges,
			.n_exchanges = replies->n,
			.files = files,
			.n_files = 3,
			.cut = cut,
			.at = at};
	struct replay replay;
	replay_transform(&replay, load_provider(expected->provider), &script, &turn);
	assert_null(replay.broken);
	return replay;
}

static void add_lines(struct buf *out, const char *word, const char *lines) {
	for (size_t length; *lines != '\0'; lines += length) {
		length = strcspn(lines, "\n") + 1;
		buf_add_format(out, "%s %.*s", word, (int)length, lines);
	}
}

static struct buf shown(const struct replay *replay) {
	struct buf shown = {0};
	for (size_t i = 0; i < replay->n_requests; i++) {
		const struct replay_request *request = &replay->requests[i];
		buf_add_format(&shown, "%s %s%s%s\n", request->method, request->url,
				request->size != 0 ? " " : "",
				request->size != 0 ? request->body : "");
		assert_int_equal(request->submits, strcmp(request->method, "POST") == 0);
	}
	/* None of these says how far it is. */
	for (char *at = replay->progress.data; at != NULL && (at = strstr(at, "nan ")) != NULL;) {
		memmove(at, at + 4, strlen(at + 4) + 1);
	}
	add_lines(&shown, "doing", buf_string(&replay->progress));
	add_lines(&shown, "cancel", buf_string(&replay->on_cancel));
	add_lines(&shown, "resumable", buf_string(&replay->resumable));
	return shown;
}

static void assert_expected(const struct expected *expected, const struct replay *replay) {
	struct buf lines = shown(replay);
	assert_string_equal(buf_string(&lines), expected->shown);
	buf_finish(&lines);
	assert_int_equal(replay->output.size, expected->output);
	assert_int_equal(fnv1a(buf_string(&replay->output), replay->output.size), expected->hash);
	assert_int_equal(replay->failed, expected->fails);
	assert_int_equal(replay->finished, !expected->fails);
	if (expected->fails) {
		assert_int_equal(replay->kind, expected->kind);
		assert_non_null(strstr(replay->words, expected->words));
	}
}

static void each_recorded_job_comes_to_the_same_however_it_is_cut(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		struct replies replies = replies_of(&jobs[i]);
		/* Each byte, of what is below 16 KiB. */
		size_t stride = cut_stride(replies.longest / 8);
		struct replay bytes = run(&jobs[i], &replies, REPLAY_BYTES, 0);
		assert_expected(&jobs[i], &bytes);
		replay_finish(&bytes);
		for (size_t at = 1; at <= replies.longest; at += stride) {
			struct replay cut = run(&jobs[i], &replies, REPLAY_AT, at);
			assert_expected(&jobs[i], &cut);
			replay_finish(&cut);
		}
		replies_finish(&replies);
	}
}

/* A reply that ends early never passes for a whole one; what was known before stays so. */
static void assert_cut_short(const struct expected *expected, struct replies *replies, size_t n) {
	struct replay_exchange *exchange = &replies->exchanges[n];
	size_t whole = exchange->size;
	while (whole > 0 && strchr(" \r\n", exchange->body[whole - 1]) != NULL) {
		whole--;
	}
	size_t stride = cut_stride(whole / 8);
	for (exchange->size = 0; exchange->size < whole; exchange->size += stride) {
		struct replay replay = run(expected, replies, REPLAY_WHOLE, 0);
		assert_true(replay.failed);
		assert_int_equal(replay.output.size, 0);
		assert_int_equal(replay.kind,
				exchange->status < 300 ? CONDUIT_FAIL_MALFORMED : expected->kind);
		assert_int_equal(replay.n_requests, n + 1);
		replay_finish(&replay);
	}
	exchange->size = replies->bodies[n].size;
}

static void a_recorded_reply_that_ends_early_fails_the_job(void **state) {
	(void)state;
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		struct replies replies = replies_of(&jobs[i]);
		for (size_t n = 0; n < replies.n; n++) {
			if (jobs[i].steps[n].path != NULL && !jobs[i].steps[n].done) {
				assert_cut_short(&jobs[i], &replies, n);
			}
		}
		replies_finish(&replies);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(each_recorded_job_comes_to_the_same_however_it_is_cut),
			cmocka_unit_test(a_recorded_reply_that_ends_early_fails_the_job),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
