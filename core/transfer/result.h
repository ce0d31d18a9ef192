/* Why a transfer failed: libcurl's code as an errno for programs and words for people. */
#ifndef CORE_TRANSFER_RESULT_H
#define CORE_TRANSFER_RESULT_H

#include "core/base/fail.h"

#include <curl/curl.h>
#include <stdint.h>

struct result_facts {
	CURLcode code;
	long os_errno; /* CURLINFO_OS_ERRNO */
	const char *detail; /* CURLOPT_ERRORBUFFER, "" for none; holds no header of ours */
	const char *host;
	int port;
	int status; /* 0 while no head had come */
	uint64_t bytes_in; /* of the reply's body */
};

/* Sets `fail` for a code that isn't CURLE_OK. */
void result_explain(const struct result_facts *facts, struct fail *fail);

#endif
