/* What the providers' tests share: see support.h. */
#include "tests/unit/provider/support.h"

#include "core/base/cleanup.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>

static bool is_there(const char *path) {
	struct stat status;
	return stat(path, &status) == 0;
}

struct buf recording(const char *path) {
	struct buf content = {0};
	const char *set = getenv("CONDUIT_SHARED");
	const char *folder = set != NULL ? set : SOURCE_ROOT "/../shared";
	char name[4096];
	snprintf(name, sizeof(name), "%s/data/%s", folder, path);
	if (!is_there(folder)) {
		print_message("skipped: the recordings aren't there (%s, CONDUIT_SHARED)\n",
				folder);
		skip();
	}
	cleanup_fclose FILE *file = fopen(name, "re");
	if (file == NULL) {
		fail_msg("%s can't be read", name);
		return content;
	}
	char chunk[65536];
	size_t size;
	while ((size = fread(chunk, 1, sizeof(chunk), file)) != 0) {
		assert_true(buf_add(&content, chunk, size));
	}
	return content;
}

const struct conduit_provider *load_provider(const char *name) {
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s.so", PROVIDERS, name);
	/* Never closed: it lives as long as the test. */
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (object == NULL) {
		fail_msg("%s: %s", path, dlerror());
	}
	const struct conduit_provider *provider = dlsym(object, "conduit_provider_entry");
	assert_non_null(provider);
	assert_int_equal(provider->abi, CONDUIT_ABI);
	assert_int_equal(provider->size, sizeof(*provider));
	return provider;
}

uint64_t fnv1a(const void *bytes, size_t size) {
	uint64_t hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < size; i++) {
		hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
	}
	return hash;
}

void simple_turn_init(struct simple_turn *simple, const char *model, const char *prompt) {
	*simple = (struct simple_turn){
			.part = {.type = "text/plain", .name = "", .bytes = strlen(prompt)},
			.message = {.role = CONDUIT_USER, .n_parts = 1},
			.turn = {.model = model, .capability = "text-to-text", .n_messages = 1},
			.file = {.bytes = prompt, .size = strlen(prompt)},
	};
	simple->message.parts = &simple->part;
	simple->turn.messages = &simple->message;
}

struct replay replay_chat(const struct conduit_provider *provider,
		const struct replay_exchange *exchange, enum replay_cut cut, size_t at) {
	struct simple_turn simple;
	simple_turn_init(&simple, "acme/model", "Hello");
	struct replay_script script = {.base_url = "https://acme.example/v1",
			.exchanges = exchange,
			.n_exchanges = 1,
			.files = &simple.file,
			.n_files = 1,
			.cut = cut,
			.at = at};
	struct replay replay;
	replay_transform(&replay, provider, &script, &simple.turn);
	return replay;
}

struct replay replay_models(const struct conduit_provider *provider,
		const struct replay_exchange *exchange, enum replay_cut cut, size_t at) {
	struct replay_script script = {.base_url = "https://acme.example/v1",
			.exchanges = exchange,
			.n_exchanges = 1,
			.cut = cut,
			.at = at};
	struct replay replay;
	replay_discover(&replay, provider, &script);
	return replay;
}

static void assert_same_string(const char *one, const char *other) {
	assert_string_equal(one != NULL ? one : "(none)", other != NULL ? other : "(none)");
}

static void assert_same_bytes(const struct buf *one, const struct buf *other) {
	assert_int_equal(one->size, other->size);
	assert_memory_equal(buf_string(one), buf_string(other), one->size);
}

void assert_same_replay(const struct replay *one, const struct replay *other) {
	assert_same_string(one->broken, other->broken);
	assert_same_bytes(&one->output, &other->output);
	assert_same_bytes(&one->reasoning, &other->reasoning);
	assert_int_equal(one->has_usage, other->has_usage);
	/* By their bits: an unknown cost is NAN, which equals nothing. */
	assert_memory_equal(&one->usage, &other->usage, sizeof(one->usage));
	assert_int_equal(one->finished, other->finished);
	assert_same_string(one->finish, other->finish);
	assert_same_string(one->model, other->model);
	assert_int_equal(one->failed, other->failed);
	assert_int_equal(one->kind, other->kind);
	assert_int_equal(one->status, other->status);
	assert_int_equal(one->retry, other->retry);
	assert_same_string(one->words, other->words);
	assert_int_equal(one->n_models, other->n_models);
}

/* Every cut of a long stream takes minutes where each instruction is watched. */
static bool is_watched(void) {
#ifdef __SANITIZE_ADDRESS__
	return true;
#else
	const char *preloaded = getenv("LD_PRELOAD");
	return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
#endif
}

size_t cut_stride(size_t size) {
	if (getenv("CONDUIT_EVERY_BYTE") != NULL) {
		return 1;
	}
	/* Odd, so that it meets each byte of a pattern that repeats. */
	return is_watched() ? 1 + size / 50 : (size / 2048) | 1;
}

void assert_cuts_make_no_difference(
		const struct conduit_provider *provider, const struct replay_exchange *exchange) {
	struct replay whole = replay_chat(provider, exchange, REPLAY_WHOLE, 0);
	struct replay bytes = replay_chat(provider, exchange, REPLAY_BYTES, 0);
	assert_same_replay(&whole, &bytes);
	replay_finish(&bytes);
	bool lines_only = exchange->size > 65536;
	bool all = exchange->size <= 16384 && !is_watched();
	size_t stride = all ? 1 : cut_stride(exchange->size);
	for (size_t at = 1; at < exchange->size; at += stride) {
		if (lines_only && exchange->body[at] != '\n' && exchange->body[at - 1] != '\n') {
			continue;
		}
		struct replay cut = replay_chat(provider, exchange, REPLAY_AT, at);
		assert_same_replay(&whole, &cut);
		replay_finish(&cut);
	}
	replay_finish(&whole);
}
