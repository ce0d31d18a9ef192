/* One subcommand of `conduitfs provider`, a file each. Private to core/command. */
#ifndef CORE_COMMAND_SUBCOMMAND_H
#define CORE_COMMAND_SUBCOMMAND_H

#include "core/base/fail.h"
#include "core/command/command.h"

struct subcommand {
	const char *name;
	const char *arguments; /* "NAME [--declared URL]" */
	const char *summary; /* one line */
	const char *help; /* the rest of --help, lines ended by newlines */
	/* argv[0] is the subcommand's name; --help was dealt with. Returns an exit code. */
	int (*run)(const struct subcommand *subcommand, int argc, char **argv);
};

extern const struct subcommand subcommand_new;
extern const struct subcommand subcommand_check;
extern const struct subcommand subcommand_exchange;
extern const struct subcommand subcommand_add;
extern const struct subcommand subcommand_list;
extern const struct subcommand subcommand_update;
extern const struct subcommand subcommand_rollback;
extern const struct subcommand subcommand_remove;
extern const struct subcommand subcommand_prune;

/* Complains about the call and returns COMMAND_USAGE. */
int usage_error(const struct subcommand *subcommand, const char *format, ...)
		__attribute__((format(printf, 2, 3)));
/* After getopt_long returned '?' or ':' (with opterr 0 and a leading ':'). */
int option_error(const struct subcommand *subcommand, int flag, char **argv);
/* Of a subcommand without options and arguments: COMMAND_DONE, or a complaint's code. */
int takes_nothing(const struct subcommand *subcommand, int argc, char **argv);
/* Says what failed, a line each, and returns COMMAND_FAILED. */
int failure(const struct fail *fail);

#endif
