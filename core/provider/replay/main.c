/* conduitfs-replay [--long] OBJECT EXCHANGE BASE_URL: replays one recorded exchange against a
 * provider, for `conduitfs provider check`. What it needs is read first; then it shuts itself in as
 * conduitfs-provider does, and only then the provider's code is there. The report goes to stdout, a
 * line each: `base_url`, `capability` (or `discovery`), `view`, `request`, `note`, `fault` and a
 * text; last `end` and how often it was replayed. A report without it is of a provider that ended
 * the process. */
#include "core/provider/load.h"
#include "core/provider/replay/exchange.h"

#include <stdio.h>
#include <string.h>

static void print_lines(const char *key, const struct buf *text) {
	const char *at = buf_string(text);
	const char *end = at + text->size;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t size = newline != NULL ? (size_t)(newline - at) : (size_t)(end - at);
		fputs(key, stdout);
		fputc(' ', stdout);
		fwrite(at, 1, size, stdout);
		fputc('\n', stdout);
		at += size + 1;
	}
}

/* Said before the provider can end the process. */
static void print_head(const struct exchange *exchange) {
	const char *capability = exchange_capability(exchange);
	printf("base_url %s\n", exchange_base_url(exchange));
	printf("%s %s\n", capability != NULL ? "capability" : "discovery",
			capability != NULL ? capability : "");
	fflush(stdout);
}

static void print_fault(const struct fail *fail) {
	printf("fault %s\nend 0\n", fail_words(fail));
}

int main(int argc, char **argv) {
	bool long_view = argc == 5 && strcmp(argv[1], "--long") == 0;
	if (argc != 4 && !long_view) {
		fputs("usage: conduitfs-replay [--long] OBJECT EXCHANGE BASE_URL\n"
		      "It is started by conduitfs provider check.\n",
				stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOFBF, 65536);
	setvbuf(stderr, NULL, _IOLBF, 0);
	struct fail fail cleanup_fail = {0};
	struct exchange *exchange = exchange_read(argv[argc - 2], argv[argc - 1], &fail);
	if (exchange != NULL) {
		print_head(exchange);
	}
	const struct conduit_provider *provider = exchange != NULL ? load_shut_in(argv[argc - 3],
										     false, &fail)
								   : NULL;
	if (provider == NULL) {
		print_fault(&fail);
		exchange_destroy(exchange);
		return EXIT_FAILURE;
	}
	struct exchange_report report = {0};
	bool good = exchange_replay(exchange, provider, long_view, &report);
	print_lines("view", &report.view);
	print_lines("request", &report.requests);
	print_lines("note", &report.notes);
	print_lines("fault", &report.faults);
	printf("end %zu\n", report.replays);
	exchange_report_finish(&report);
	exchange_destroy(exchange);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
