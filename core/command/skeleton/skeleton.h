/* The files that `conduitfs provider new` writes. Each skeleton is a provider by itself, called
 * acme, whose service lies at SKELETON_URL; `new` puts other names in their place. */
#ifndef CORE_COMMAND_SKELETON_SKELETON_H
#define CORE_COMMAND_SKELETON_SKELETON_H

#define SKELETON_URL "https://api.acme.example/v1"

struct skeleton_file {
	const char *name; /* its path in the provider's directory; "gitignore" for .gitignore */
	const char *text;
};

/* Ended by a name of NULL. */
extern const struct skeleton_file skeleton_compiled[];
extern const struct skeleton_file skeleton_declared[];

#endif
