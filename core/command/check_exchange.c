/* One recorded exchange under check: see check.h. */
#include "core/base/strings.h"
#include "core/base/text.h"
#include "core/command/check.h"
#include "core/command/replaying.h"
#include "core/transfer/hosts.h"

#include <errno.h>
#include <string.h>

static bool take_host(const char *url, struct target *ret) {
	CURLU *parsed = url[0] != '\0' ? url_parse(url, NULL) : NULL;
	char *host = NULL;
	bool taken = parsed != NULL &&
		     curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
		     (ret->host = strdup(host)) != NULL;
	curl_free(host);
	curl_url_cleanup(parsed);
	return taken;
}

/* "*.acme.dev" has api.acme.dev in it. */
static bool endpoint_has(const char *endpoint, const char *host) {
	if (!starts_with(endpoint, "*.")) {
		return strcmp(endpoint, host) == 0;
	}
	return ends_with(host, endpoint + 1) && strlen(host) > strlen(endpoint + 1);
}

static bool same_host(const char *url, const char *host) {
	struct target target cleanup(target_finish) = {0};
	return url != NULL && take_host(url, &target) && strcmp(target.host, host) == 0;
}

/* A request that the daemon would refuse to send. */
static void check_host(
		struct check *check, const char *exchange, const char *url, const char *base_url) {
	const struct manifest *manifest = &check->manifest;
	struct target target cleanup(target_finish) = {0};
	if (!take_host(url, &target)) {
		check_fault(check, "%s: a request goes to %s, which is no http or https address",
				exchange, url);
		return;
	}
	bool granted = same_host(base_url, target.host) ||
		       same_host(manifest->base_url, target.host);
	for (size_t i = 0; i < manifest->n_endpoints; i++) {
		granted = granted || endpoint_has(manifest->endpoints[i].host, target.host);
	}
	if (!granted) {
		check_fault(check,
				"%s: a request goes to %s, and conduitfs sends only to base_url's "
				"host and to the manifest's endpoints: name it there",
				exchange, target.host);
	}
}

/* A program that the daemon would refuse to run. */
static void check_program(struct check *check, const char *exchange, const char *line) {
	char **programs = check->manifest.programs;
	cleanup_free char *name = strndup(line, strcspn(line, " "));
	if (name != NULL && (programs == NULL || !strings_contain(programs, name))) {
		check_fault(check,
				"%s: it runs %s, and conduitfs runs only the manifest's programs: "
				"name it there",
				exchange, name);
	}
}

static void check_requests(
		struct check *check, const char *exchange, const struct replaying *replaying) {
	const char *at = buf_string(&replaying->requests);
	while (*at != '\0') {
		size_t size = strcspn(at, "\n");
		cleanup_free char *line = strndup(at, size);
		const char *url = line != NULL ? strchr(line, ' ') : NULL;
		if (line != NULL && starts_with(line, "RUN ")) {
			check_program(check, exchange, url + 1);
		} else if (url != NULL) {
			check_host(check, exchange, url + 1, replaying->base_url);
		}
		at += size + (at[size] == '\n' ? 1 : 0);
	}
}

static void show(const struct buf *view) {
	const char *at = buf_string(view);
	while (*at != '\0') {
		size_t size = strcspn(at, "\n");
		printf("    %.*s\n", (int)size, at);
		at += size + (at[size] == '\n' ? 1 : 0);
	}
}

void check_exchange(struct check *check, const char *exchange) {
	struct replaying replaying cleanup(replaying_finish) = {0};
	cleanup_fail struct fail fail = {0};
	struct replaying_options options = {
			.program = check->parts.replayer,
			.object = check->object,
			.directory = check->directory,
			.exchange = exchange,
			.base_url = check->manifest.base_url != NULL ? check->manifest.base_url
								     : "",
			.long_view = check->verbose,
			.seconds = check->seconds,
			.signals = check->signals,
	};
	printf("%s\n", exchange);
	fflush(stdout);
	check->exchanges++;
	if (!replaying_run(&options, &replaying, &fail)) {
		check->interrupted = fail.code == EINTR;
		check_fault(check, "%s", fail_words(&fail));
		return;
	}
	show(&replaying.view);
	check_requests(check, exchange, &replaying);
	check_each(check, buf_string(&replaying.faults), check_fault);
	check_each(check, buf_string(&replaying.notes), check_note);
	check->replays += replaying.replays;
	check->discovers = check->discovers || replaying.is_discovery;
	if (replaying.capability != NULL &&
			!strings_contain(check->capabilities, replaying.capability)) {
		strings_add(&check->capabilities, replaying.capability);
	}
}
