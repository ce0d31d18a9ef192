/* `conduitfs provider list`: what is pinned, and what of it is there. */
#include "core/command/locked.h"
#include "core/command/subcommand.h"

#include <getopt.h>
#include <string.h>

enum { COLUMNS = 6 };

struct row {
	char *cells[COLUMNS];
};

static const char *const heads[COLUMNS] = {"NAME", "SOURCE", "REF", "COMMIT", "CONSENT", "CACHED"};

/* What the cached manifest asks for, held against what was granted. */
static const char *consent_of(const struct lock_entry *entry, const struct fetch_result *cached) {
	static const struct consent nothing = {0};
	struct manifest manifest cleanup(manifest_finish) = {0};
	cleanup_consent struct consent asked = {0};
	cleanup_buf struct buf path = {0};
	const struct consent *granted = entry->has_allow ? &entry->allow : &nothing;
	if (cached == NULL) {
		return entry->has_allow ? "granted" : "unknown";
	}
	buf_add_format(&path, "%s/MediaConduit.provider.yml", cached->files);
	if (!manifest_read(&manifest, buf_string(&path), NULL) ||
			!consent_of_manifest(&asked, &manifest)) {
		return "unknown";
	}
	if (consent_is_empty(&asked) || manifest.kind == MANIFEST_ELSEWHERE) {
		return "not-needed";
	}
	return consent_covers(granted, &asked, NULL) ? "granted" : "needed";
}

static void fill(const struct locked *locked, const struct lock_entry *entry, struct row *ret) {
	const struct fetch_options options = {.program = locked->parts.fetcher,
			.cache = locked->cache,
			.include = locked->parts.include};
	struct source source cleanup_source = {0};
	struct fetch_result cached = {0};
	char commit[SHORT_COMMIT];
	bool known = source_parse(&source, entry->source, NULL);
	bool is_cached = known && entry->commit[0] != '\0' &&
			 fetch_cached(&options, &source, entry->commit, &cached);
	cleanup_buf struct buf place = {0};
	buf_add_format(&place, "%s%s%s", known ? source.url : entry->source,
			known && source.path[0] != '\0' ? "#" : "", known ? source.path : "");
	*ret = (struct row){{strdup(entry->name), strdup(buf_string(&place)),
			strdup(known && source.ref[0] != '\0' ? source.ref : "-"),
			strdup(short_commit(entry->commit, commit)),
			strdup(consent_of(entry, is_cached ? &cached : NULL)),
			strdup(is_cached ? "yes" : "no")}};
	if (is_cached) {
		fetch_result_finish(&cached);
	}
}

static void print(const struct row *rows, size_t n) {
	size_t widths[COLUMNS];
	for (int i = 0; i < COLUMNS; i++) {
		widths[i] = strlen(heads[i]);
		for (size_t j = 0; j < n; j++) {
			size_t width = rows[j].cells[i] != NULL ? strlen(rows[j].cells[i]) : 0;
			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
	for (size_t j = 0; j <= n; j++) {
		for (int i = 0; i < COLUMNS; i++) {
			const char *cell = j == 0 ? heads[i] : rows[j - 1].cells[i];
			bool last = i == COLUMNS - 1;
			printf("%-*s%s", last ? 0 : (int)widths[i], cell != NULL ? cell : "",
					last ? "\n" : "  ");
		}
	}
}

static int list(const struct locked *locked) {
	cleanup_fail struct fail fail = {0};
	size_t n = locked->lock.n_entries;
	if (n == 0) {
		locked_tell_none();
		return COMMAND_DONE;
	}
	struct row *rows = calloc(n, sizeof(*rows));
	if (rows == NULL) {
		fail_set(&fail, 0, "no memory");
		return failure(&fail);
	}
	for (size_t i = 0; i < n; i++) {
		fill(locked, &locked->lock.entries[i], &rows[i]);
	}
	print(rows, n);
	for (size_t i = 0; i < n * COLUMNS; i++) {
		free(rows[i / COLUMNS].cells[i % COLUMNS]);
	}
	free(rows);
	return COMMAND_DONE;
}

static int run(const struct subcommand *subcommand, int argc, char **argv) {
	struct locked locked cleanup(locked_finish) = {0};
	cleanup_fail struct fail fail = {0};
	int wrong = takes_nothing(subcommand, argc, argv);
	if (wrong != COMMAND_DONE) {
		return wrong;
	}
	return locked_open(&locked, &fail) ? list(&locked) : failure(&fail);
}

const struct subcommand subcommand_list = {
		.name = "list",
		.arguments = "",
		.summary = "Shows the providers that are pinned",
		.help = "A line for each: its name, source and ref, the commit it is pinned to,\n"
			"whether what it asks for is granted (granted, needed, not-needed, "
			"unknown),\n"
			"and whether it is in the cache, so that it loads without a network.\n",
		.run = run,
};
