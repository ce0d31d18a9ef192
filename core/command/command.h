/* `conduitfs provider …`: what a person does with providers without a mount. */
#ifndef CORE_COMMAND_COMMAND_H
#define CORE_COMMAND_COMMAND_H

/* Exit codes of every subcommand. */
enum {
	COMMAND_DONE = 0,
	COMMAND_FAILED = 1, /* the check, or what was to be done; words are on stderr */
	COMMAND_USAGE = 2, /* the call was wrong */
};

/* argv[0] is "provider", then the subcommand and its arguments. Returns the exit code. */
int provider_command(int argc, char **argv);

#endif
