/* Asking a person for what a provider asks for: see locked.h. */
#include "core/command/locked.h"

#include <glob.h>
#include <string.h>

static void show_lines(const char *lines) {
	while (*lines != '\0') {
		size_t size = strcspn(lines, "\n");
		fprintf(stderr, "    %.*s\n", (int)size, lines);
		lines += size + (lines[size] == '\n' ? 1 : 0);
	}
}

/* A key that another provider lives of is asked for with a reason, or with malice. */
static void warn_of_key(const struct parts *parts, const char *key) {
	cleanup_buf struct buf pattern = {0};
	glob_t found = {0};
	buf_add_format(&pattern, "%s/*.yml", parts->providers);
	if (key != NULL && glob(buf_string(&pattern), 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			struct manifest manifest cleanup(manifest_finish) = {0};
			if (manifest_read(&manifest, found.gl_pathv[i], NULL) &&
					manifest.key_env != NULL &&
					strcmp(manifest.key_env, key) == 0) {
				fprintf(stderr, "$%s is the key of %s, which is bundled.\n", key,
						manifest.name);
			}
		}
	}
	globfree(&found);
}

static enum answer ask(void) {
	cleanup_free char *line = NULL;
	size_t room = 0;
	if (isatty(STDIN_FILENO) != 1) {
		return ANSWER_NOBODY;
	}
	fprintf(stderr, "Grant all of this? [y/N] ");
	fflush(stderr);
	if (getline(&line, &room, stdin) < 0) {
		fputc('\n', stderr);
		return ANSWER_NO;
	}
	line[strcspn(line, "\n")] = '\0';
	return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0 ? ANSWER_YES : ANSWER_NO;
}

enum answer ask_grant(const struct locked *locked, const char *name, const struct arrived *arrived,
		const struct consent *granted, bool yes) {
	static const struct consent nothing = {0};
	cleanup_buf struct buf lines = {0};
	char commit[SHORT_COMMIT];
	if (arrived->stand_in != NULL || consent_covers(granted != NULL ? granted : &nothing,
							 &arrived->asked, NULL)) {
		return ANSWER_YES;
	}
	consent_describe(&arrived->asked, &lines);
	fprintf(stderr, "%s %s, commit %s, asks for\n", name, arrived->manifest.version,
			short_commit(arrived->fetched.commit, commit));
	show_lines(buf_string(&lines));
	warn_of_key(&locked->parts, arrived->asked.key);
	return yes ? ANSWER_YES : ask();
}
