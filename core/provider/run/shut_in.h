/* The limits within which conduitfs-run runs a program. */
#ifndef CORE_PROVIDER_RUN_SHUT_IN_H
#define CORE_PROVIDER_RUN_SHUT_IN_H

#include "core/base/fail.h"

#include <stdbool.h>
#include <sys/resource.h>

/* The descriptors that conduitfs-run is started with, after the usual three: the directory that the
 * program writes, where there is one, and the files that it reads. The program keeps them. */
#define SHUT_IN_DIRECTORY 3
#define SHUT_IN_INPUTS 4

struct shut_in {
	rlim_t seconds; /* of processor time, over all of its threads */
	rlim_t memory; /* bytes of address space */
	rlim_t file; /* bytes of one file */
	int inputs; /* how many */
	bool directory; /* whether SHUT_IN_DIRECTORY is one */
	bool without_landlock; /* go on where the kernel has none */
};

/* For the process that becomes the program: it reads the system's programs and data and its inputs,
 * writes its directory, and reaches nothing else. False with words. */
bool shut_in(const struct shut_in *shut_in, struct fail *fail);

#endif
