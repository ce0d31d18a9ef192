/* Cowsay: puts the prompt into a speech balloon over an animal, as cowsay(1) does. Pure
 * computation, so that the tree can be tried, and tested, without a key and a network. */
#include <conduit/kit/failure.h>
#include <conduit/kit/local.h>
#include <conduit/kit/turn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is beyond is cut, with an ellipsis: nobody reads a balloon of 1,600 lines. */
#define TEXT_LIMIT ((size_t)64 << 10)
#define WIDTH "40"
#define WIDTH_LIMIT 1000

static const struct figure {
	const char *id;
	const char *name;
	const char *drawing;
} figures[] = {
		{"cow", "Cow",
				"     \\\n"
				"      \\   (__)\n"
				"       \\  (oo)_________\n"
				"          (__)         )\\\n"
				"              | |---| |  *\n"
				"              |_|   |_|\n"},
		{"tux", "Tux, a penguin",
				"     \\\n"
				"      \\     .--.\n"
				"       \\   ( oo )\n"
				"           ( \\/ )\n"
				"          / '--' \\\n"
				"         /| |  | |\\\n"
				"          | |__| |\n"
				"          (_/  \\_)\n"},
		{"cat", "Cat",
				"     \\\n"
				"      \\   /\\_/\\\n"
				"       \\ ( o.o )\n"
				"          > ^ <   ,\n"
				"         /     \\ //\n"
				"        (_|_|___)/\n"},
		{"whale", "Whale",
				"     \\       .\n"
				"      \\     \":\"\n"
				"       \\  ____|___      |\\/|\n"
				"         /        '.    \\  /\n"
				"        |  O        \\___/ |\n"
				"        |_________________/\n"},
};

#define N_FIGURES (sizeof(figures) / sizeof(figures[0]))

/* One line of the balloon. */
struct line {
	size_t start; /* in the text */
	size_t size;
	size_t columns;
};

struct cow {
	const struct figure *figure;
	size_t width;
	char text[TEXT_LIMIT + 8]; /* and an ellipsis */
	size_t size;
	bool cut;
	struct line *lines;
	size_t n_lines;
};

/* ---- the text ---- */

static bool starts_character(char byte) {
	return ((unsigned char)byte & 0xc0) != 0x80;
}

static size_t columns_of(const char *text, size_t size) {
	size_t columns = 0;
	for (size_t i = 0; i < size; i++) {
		columns += starts_character(text[i]) ? 1 : 0;
	}
	return columns;
}

/* How many bytes the first `columns` characters take. */
static size_t bytes_of(const char *text, size_t size, size_t columns) {
	size_t i = 0;
	while (i < size && (columns != 0 || !starts_character(text[i]))) {
		columns -= starts_character(text[i]) ? 1 : 0;
		i++;
	}
	return i;
}

static bool is_blank(char byte) {
	return (unsigned char)byte <= ' ' || byte == 0x7f;
}

/* A character that the limit cut in its middle is dropped. */
static void mark_cut(struct cow *cow) {
	while (cow->size != 0 && !starts_character(cow->text[cow->size - 1])) {
		cow->size--;
	}
	cow->size -= cow->size != 0 ? 1 : 0;
	memcpy(cow->text + cow->size, "…", strlen("…"));
	cow->size += strlen("…");
}

static struct line *add_line(struct cow *cow, size_t start, size_t size) {
	struct line *lines = realloc(cow->lines, (cow->n_lines + 1) * sizeof(*lines));
	if (lines == NULL) {
		return NULL;
	}
	cow->lines = lines;
	struct line *line = &lines[cow->n_lines++];
	*line = (struct line){start, size, columns_of(cow->text + start, size)};
	return line;
}

/* Makes every run of blanks and control bytes (an escape sequence would reach a terminal) one
 * blank. */
static void squeeze(struct cow *cow) {
	size_t to = 0;
	for (size_t i = 0; i < cow->size; i++) {
		if (!is_blank(cow->text[i])) {
			cow->text[to++] = cow->text[i];
		} else if (to != 0 && cow->text[to - 1] != ' ') {
			cow->text[to++] = ' ';
		}
	}
	cow->size = to != 0 && cow->text[to - 1] == ' ' ? to - 1 : to;
}

/* Breaks the text into lines at blanks, and a word that is longer than a line where it must. */
static bool wrap(struct cow *cow) {
	size_t at = 0;
	do {
		size_t most = bytes_of(cow->text + at, cow->size - at, cow->width);
		size_t size = most;
		if (at + most < cow->size && cow->text[at + most] != ' ') {
			while (size != 0 && cow->text[at + size] != ' ') {
				size--;
			}
			size = size != 0 ? size : most;
		}
		if (add_line(cow, at, size) == NULL) {
			return false;
		}
		at += size;
		at += at < cow->size && cow->text[at] == ' ' ? 1 : 0;
	} while (at < cow->size);
	return true;
}

/* ---- the balloon ---- */

static void repeat(FILE *out, char byte, size_t count) {
	while (count-- != 0) {
		fputc(byte, out);
	}
}

static void print_rule(FILE *out, char byte, size_t width) {
	fputc(' ', out);
	repeat(out, byte, width + 2);
	fputc('\n', out);
}

static void print_balloon(FILE *out, const struct cow *cow) {
	size_t width = 0;
	for (size_t i = 0; i < cow->n_lines; i++) {
		width = cow->lines[i].columns > width ? cow->lines[i].columns : width;
	}
	print_rule(out, '_', width);
	for (size_t i = 0; i < cow->n_lines; i++) {
		const struct line *line = &cow->lines[i];
		const char *sides = cow->n_lines == 1	    ? "<>"
				    : i == 0		    ? "/\\"
				    : i + 1 == cow->n_lines ? "\\/"
							    : "||";
		fprintf(out, "%c ", sides[0]);
		fwrite(cow->text + line->start, 1, line->size, out);
		repeat(out, ' ', width - line->columns);
		fprintf(out, " %c\n", sides[1]);
	}
	print_rule(out, '-', width);
	fputs(cow->figure->drawing, out);
}

/* ---- the provider ---- */

static const struct conduit_limit limits[] = {{.name = "width",
		.least = 10,
		.most = 200,
		.standard = WIDTH,
		.help = "Columns of a line before it is broken."}};

static void discover(struct conduit_job *job) {
	for (size_t i = 0; i < N_FIGURES; i++) {
		conduit_local_model(job, &(struct conduit_model){
							 .id = figures[i].id,
							 .name = figures[i].name,
							 .description = "Says what it was told.",
							 .input_modalities = "text",
							 .output_modalities = "text",
							 .limits = limits,
							 .n_limits = 1,
					 });
	}
	conduit_finish(job, NULL, NULL);
}

static const struct figure *find_figure(const char *id) {
	for (size_t i = 0; i < N_FIGURES; i++) {
		if (strcmp(figures[i].id, id) == 0) {
			return &figures[i];
		}
	}
	return NULL;
}

static void transform(struct conduit_job *job, const struct conduit_turn *turn) {
	const struct figure *figure = find_figure(turn->model);
	const struct conduit_part *prompt = conduit_turn_part(turn, "text/");
	if (figure == NULL) {
		conduit_fail_with(job, CONDUIT_FAIL_GONE, "there is no such animal: see models/");
		return;
	}
	if (prompt == NULL) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID, "animals say text only: write some");
		return;
	}
	long width = strtol(conduit_setting_or(turn, "width", WIDTH), NULL, 10);
	if (width < 1 || width > WIDTH_LIMIT) {
		conduit_fail_with(job, CONDUIT_FAIL_INVALID,
				"the setting width takes 1 to 1000: correct config/width");
		return;
	}
	struct cow *cow = calloc(1, sizeof(*cow));
	if (cow == NULL) {
		conduit_fail_memory(job);
		return;
	}
	cow->figure = figure;
	cow->width = (size_t)width;
	conduit_set_state(job, cow);
	conduit_read(job, prompt->file);
}

static void data(struct conduit_job *job, const void *bytes, size_t size) {
	struct cow *cow = conduit_state(job);
	size_t room = TEXT_LIMIT - cow->size;
	cow->cut = cow->cut || size > room;
	size = size < room ? size : room;
	memcpy(cow->text + cow->size, bytes, size);
	cow->size += size;
}

static void end(struct conduit_job *job) {
	struct cow *cow = conduit_state(job);
	if (cow->cut) {
		mark_cut(cow);
	}
	squeeze(cow);
	char *answer = NULL;
	size_t size = 0;
	FILE *out = wrap(cow) ? open_memstream(&answer, &size) : NULL;
	if (out != NULL) {
		print_balloon(out, cow);
	}
	if (out == NULL || fclose(out) != 0) {
		free(answer);
		conduit_fail_memory(job);
		return;
	}
	conduit_output(job, answer, size);
	free(answer);
	conduit_local_finish(job, "stop");
}

static void release(struct conduit_job *job) {
	struct cow *cow = conduit_state(job);
	if (cow != NULL) {
		free(cow->lines);
		free(cow);
	}
}

CONDUIT_PROVIDER(.name = "cowsay", .version = "1.0.0", .discover = discover, .transform = transform,
		.data = data, .end = end, .release = release)
