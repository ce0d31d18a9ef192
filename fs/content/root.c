/* What the files of the root show. */
#include "core/base/text.h"
#include "core/base/usd.h"
#include "core/store/annex.h"
#include "fs/content/show.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

bool show_line(struct buf *out, const char *key, const char *value) {
	return buf_add_format(out, "%s %s\n", key, value[0] != '\0' ? value : "-");
}

bool show_count(struct buf *out, const char *key, int64_t value) {
	return value < 0 ? buf_add_format(out, "%s unknown\n", key)
			 : buf_add_format(out, "%s %" PRId64 "\n", key, value);
}

bool show_usd(struct buf *out, const char *key, int64_t pico) {
	if (pico < 0) {
		return buf_add_format(out, "%s unknown\n", key);
	}
	return buf_add_format(out, "%s ", key) && usd_add(out, pico) && buf_add_byte(out, '\n');
}

bool show_time(struct buf *out, const char *key, int64_t us) {
	char text[32] = "-";
	time_t seconds = (time_t)(us / 1000000);
	struct tm parts;
	if (us > 0 && gmtime_r(&seconds, &parts) != NULL) {
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	}
	return buf_add_format(out, "%s %s\n", key, text);
}

SHOW(show_readme) {
	(void)tree, (void)node, (void)tid;
	return buf_add_string(out,
			"conduitfs: AI models as files.\n"
			"\n"
			"Ask by writing, read the answer:\n"
			"\n"
			"    echo 'hello' > default/input\n"
			"    cat default/output\n"
			"\n"
			"default answers with a model of this machine, or one that costs nothing:\n"
			"never with one that you pay for, unless you name it in default/route.\n"
			"That file says who would be asked now, and why others wouldn't; when\n"
			"nobody can, `cat default/error` says what to set up first. At once and\n"
			"without anything answers providers/cowsay/models/cow.\n"
			"\n"
			"    cat status                                what works now, what is "
			"missing\n"
			"    echo KEY > providers/openrouter/key       kept in a file only you can "
			"read\n"
			"    ls providers/openrouter/free/*            models that cost nothing\n"
			"    echo load https://HOST/REPOSITORY > ctl   a provider from outside\n"
			"    ln -s providers/openrouter/models/... mine      a short name of your "
			"own\n"
			"    ln -sfn providers/openrouter/models/... default    always that one\n"
			"\n"
			"Every provider is a directory below providers/, every model it offers a\n"
			"directory below its models/. capabilities/ has one for each thing that "
			"can\n"
			"be done, with the same files, which any model that can do it answers.\n"
			"\n"
			"In a model's directory:\n"
			"    input     write a prompt; the last close sends it. > begins a\n"
			"              conversation, >> continues your last one\n"
			"    output    the answer to your own newest prompt, as it comes; reading "
			"waits\n"
			"              for the end. prompt, usage and error belong to it too\n"
			"    status    what the model does, and your newest turn\n"
			"    ctl       cancel, retry, submit\n"
			"    config/   settings, a file each; those of the provider and the root "
			"are\n"
			"              inherited; an empty write restores that\n"
			"    info/     facts, a file each\n"
			"    turns/    every turn, by number\n"
			"    sessions/ conversations of their own: mkdir sessions/NAME begins "
			"one,\n"
			"              rm -r ends it; inside, every prompt continues it\n"
			"\n"
			"What it cost is in `usage`; `echo 2 > budget/day` spends no more than "
			"that "
			"a day.\n"
			"\n"
			"When something fails, cat ends with an error and `error` says why in "
			"words.\n"
			"Looking never costs anything: only closing input or writing to ctl starts "
			"work.\n"
			"The manual: man 5 conduitfs.\n");
}

/* Usable ones first: those that answer now, then those that lack something. */
static int usefulness(struct provider *provider) {
	if (!provider_has_key(provider)) {
		return 1;
	}
	return provider->state == PROVIDER_FAILED ? 2 : provider->version == NULL ? 1 : 0;
}

static bool provider_line(struct provider *provider, struct buf *out) {
	struct version *version = provider->version;
	cleanup_free char *key = version != NULL ? key_words(version->key) : NULL;
	bool keyless = !provider_has_key(provider);
	const char *why = provider->why[0] != '\0' ? provider->why
			  : keyless && key != NULL ? key
						   : "-";
	buf_add_format(out, "provider %s %s %zu %zu %s", provider->name,
			provider_state_name(keyless ? PROVIDER_NEEDS_KEY : provider->state),
			provider->place->n_models, provider->place->n_free, why);
	if (keyless && version != NULL && version->manifest.key_url != NULL) {
		buf_add_format(out, "; get a key at %s", version->manifest.key_url);
	}
	return buf_add_byte(out, '\n');
}

/* What the link `default` leads to unless it is another: who would answer now. */
static bool default_line(struct tree *tree, struct buf *out) {
	struct place *route = annex_find(
			catalogue_root(tree->engine->catalogue), PLACE_ROUTE, "text-to-text");
	return route == NULL || show_next(tree, "default", route, out);
}

SHOW(show_root_status) {
	(void)node, (void)tid;
	struct engine *engine = tree->engine;
	struct provider *provider;
	size_t running = 0, queued = 0;
	list_for_each(provider, &engine->providers, link) {
		running += provider->n_running;
		queued += provider->n_queued;
	}
	show_line(out, "version", CONDUITFS_VERSION);
	show_count(out, "uptime", (now_us() - engine->started) / 1000000);
	show_count(out, "running", (int64_t)running);
	show_count(out, "queued", (int64_t)queued);
	show_count(out, "turns_done", (int64_t)engine->turns_done);
	show_count(out, "turns_failed", (int64_t)engine->turns_failed);
	show_line(out, "history", engine->config.history ? "on" : "off");
	if (store_notice(engine->store) != NULL) {
		show_line(out, "notice", store_notice(engine->store));
	}
	default_line(tree, out);
	for (int rank = 0; rank <= 2; rank++) {
		list_for_each(provider, &engine->providers, link) {
			if (usefulness(provider) == rank && !provider_line(provider, out)) {
				return false;
			}
		}
	}
	return !out->failed;
}

SHOW(show_root_ctl) {
	(void)tree, (void)node, (void)tid;
	return buf_add_string(out,
			"# refresh         ask every provider for its models now\n"
			"# reload          read config.yml and providers.lock again (as "
			"SIGHUP does)\n"
			"# load SOURCE [as NAME]   a provider from https://HOST/PATH, "
			"git, a directory: SOURCE@TAG, #PATH\n"
			"# unload NAME     ends its turns and forgets it; the file "
			"keys/NAME stays (a bundled one\n"
			"#                 is hidden until the mount ends; one whose source "
			"or driver config.yml\n"
			"#                 names is EINVAL: take it out there, then reload)"
			"\n"
			"# allow NAME      grant what it asks for: see its error\n"
			"# revoke NAME     take all of that back\n");
}

SHOW(show_root_error) {
	(void)node, (void)tid;
	const char *words = tree->engine->last_error;
	return words[0] == '\0' || buf_add_format(out, "%s\n", words);
}
