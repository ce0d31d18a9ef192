/* Which hosts a request may be sent to: the URL as libcurl itself reads it, held against the
 * allow-list. What is compared is what will be connected to, so that no odd spelling of a URL
 * means one host here and another there. */
#ifndef CORE_TRANSFER_HOSTS_H
#define CORE_TRANSFER_HOSTS_H

#include "core/transfer/transfer.h"

#include <curl/curl.h>

struct target {
	char *scheme; /* "http" or "https" */
	char *host; /* lower case, an IPv6 address without brackets */
	int port;
	bool keyed; /* an entry of the list that matched says so */
	bool local;
};

void target_finish(struct target *target);

/* Parses an absolute URL; NULL with words when it isn't one, names no http(s) host, or holds
 * control bytes, blanks, bytes above ASCII or a user's name. Freed with curl_url_cleanup. */
CURLU *url_parse(const char *text, struct fail *fail);
/* Leads `url` on to a Location's value, relative or absolute, under the same rules. */
bool url_follow(CURLU *url, const char *location, struct fail *fail);
/* Fills `ret` when an entry matches; else EACCES with words. */
bool url_target(CURLU *url, const struct transfer_host *hosts, size_t n_hosts, struct target *ret,
		struct fail *fail);

#endif
