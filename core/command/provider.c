/* `conduitfs provider`: finds the subcommand and shows help. See command.h. */
#include "core/command/command.h"

#include "core/base/text.h"
#include "core/command/subcommand.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

static const struct subcommand *const subcommands[] = {
		&subcommand_new,
		&subcommand_check,
		&subcommand_exchange,
		&subcommand_add,
		&subcommand_list,
		&subcommand_update,
		&subcommand_rollback,
		&subcommand_remove,
		&subcommand_prune,
};

#define N_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static int say(const struct subcommand *subcommand, const char *words) {
	fprintf(stderr, "conduitfs provider %s: %s; see conduitfs provider %s --help\n",
			subcommand->name, words, subcommand->name);
	return COMMAND_USAGE;
}

int usage_error(const struct subcommand *subcommand, const char *format, ...) {
	cleanup_buf struct buf words = {0};
	va_list args;
	va_start(args, format);
	buf_add_vformat(&words, format, args);
	va_end(args);
	return say(subcommand, buf_string(&words));
}

int option_error(const struct subcommand *subcommand, int flag, char **argv) {
	/* A long option stands in argv whole, of short ones only the letter is known. */
	const char *option = argv[optind - 1];
	return usage_error(subcommand, flag == ':' ? "%s needs a value" : "unknown option '%s'",
			option);
}

int takes_nothing(const struct subcommand *subcommand, int argc, char **argv) {
	static const struct option longs[] = {{0}};
	int flag = getopt_long(argc, argv, ":", longs, NULL);
	if (flag != -1) {
		return option_error(subcommand, flag, argv);
	}
	return argc == optind ? COMMAND_DONE : usage_error(subcommand, "takes nothing");
}

int failure(const struct fail *fail) {
	const char *words = fail_words(fail);
	while (*words != '\0') {
		size_t size = strcspn(words, "\n");
		fprintf(stderr, "conduitfs: %.*s\n", (int)size, words);
		words += size + (words[size] == '\n' ? 1 : 0);
	}
	return COMMAND_FAILED;
}

static int print_help(void) {
	puts("Usage: conduitfs provider SUBCOMMAND …\n"
	     "Providers of models: writing, checking, loading and pinning them.\n");
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		printf("  %-10s %s\n", subcommands[i]->name, subcommands[i]->summary);
	}
	puts("\nEach has --help. The manual: man conduitfs-provider.");
	return COMMAND_DONE;
}

static int print_subcommand_help(const struct subcommand *subcommand) {
	printf("Usage: conduitfs provider %s %s\n%s.\n\n%s", subcommand->name,
			subcommand->arguments, subcommand->summary, subcommand->help);
	return COMMAND_DONE;
}

static bool is_help(const char *argument) {
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static bool asks_for_help(int argc, char **argv) {
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (is_help(argv[i])) {
			return true;
		}
	}
	return false;
}

static int unknown(const char *name) {
	const char *names[N_SUBCOMMANDS];
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		names[i] = subcommands[i]->name;
	}
	const char *nearest = nearest_name(name, names, N_SUBCOMMANDS);
	fprintf(stderr, "conduitfs provider: unknown subcommand '%s'", name);
	if (nearest != NULL) {
		fprintf(stderr, ", did you mean '%s'?", nearest);
	}
	fprintf(stderr, "; see conduitfs provider --help\n");
	return COMMAND_USAGE;
}

int provider_command(int argc, char **argv) {
	if (argc < 2) {
		fprintf(stderr, "conduitfs provider: which subcommand? see conduitfs provider "
				"--help\n");
		return COMMAND_USAGE;
	}
	if (is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
		return print_help();
	}
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		if (strcmp(argv[1], subcommands[i]->name) == 0) {
			opterr = 0;
			return asks_for_help(argc - 1, argv + 1)
					       ? print_subcommand_help(subcommands[i])
					       : subcommands[i]->run(subcommands[i], argc - 1,
								 argv + 1);
		}
	}
	return unknown(argv[1]);
}
