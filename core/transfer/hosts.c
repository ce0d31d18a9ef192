/* The allow-list of hosts: see hosts.h. */
#include "core/transfer/hosts.h"

#include "core/base/text.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* libcurl takes URLs of 8 MB; no service wants a hundredth of it. */
#define URL_MOST ((size_t)64 << 10)

static void cleanup_curl_string(char **string) {
	curl_free(*string);
}

#define cleanup_curl cleanup(cleanup_curl_string)

void target_finish(struct target *target) {
	free(target->scheme);
	free(target->host);
	*target = (struct target){0};
}

static bool url_bytes_fine(const char *text, bool ascii, struct fail *fail) {
	size_t size = strlen(text);
	if (size > URL_MOST) {
		return fail_set(fail, EINVAL, "the URL is %zu bytes long: at most %zu are sent",
				size, URL_MOST);
	}
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];
		if (byte <= ' ' || byte == 0x7f || (ascii && byte > 0x7f)) {
			return fail_set(fail, EINVAL,
					"the URL holds byte 0x%02x at offset %zu: percent-encode "
					"it",
					byte, i);
		}
	}
	return true;
}

/* What holds for any URL that is sent to, wherever it came from. */
static bool url_fine(CURLU *url, struct fail *fail) {
	static const CURLUPart forbidden[] = {
			CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS};
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++) {
		cleanup_curl char *part = NULL;
		if (curl_url_get(url, forbidden[i], &part, 0) != CURLUE_NO_USER && part != NULL) {
			return fail_set(fail, EINVAL,
					"the URL holds a user's name or password: take it out and "
					"set a key");
		}
	}
	cleanup_curl char *scheme = NULL;
	cleanup_curl char *host = NULL;
	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
			strcasecmp(scheme, "https") != 0 && strcasecmp(scheme, "http") != 0) {
		return fail_set(fail, EINVAL,
				"the URL's scheme is '%s': only https and http are sent to",
				scheme);
	}
	if (scheme == NULL || curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
			host[0] == '\0') {
		return fail_set(fail, EINVAL, "the URL names no host: write https://host/path");
	}
	for (const char *c = host; *c != '\0'; c++) {
		if (!isgraph((unsigned char)*c) || *c == '%') {
			return fail_set(fail, EINVAL,
					"the URL's host holds byte 0x%02x: write it in ASCII "
					"(xn--…)",
					(unsigned char)*c);
		}
	}
	return true;
}

CURLU *url_parse(const char *text, struct fail *fail) {
	if (!url_bytes_fine(text, true, fail)) {
		return NULL;
	}
	CURLU *url = curl_url();
	if (url == NULL) {
		fail_set(fail, ENOMEM, "no memory for a URL");
		return NULL;
	}
	CURLUcode code = curl_url_set(url, CURLUPART_URL, text, 0);
	if (code == CURLUE_OK && url_fine(url, fail)) {
		return url;
	}
	if (code != CURLUE_OK) {
		fail_set(fail, EINVAL, "not a URL that can be sent to: %s",
				curl_url_strerror(code));
	}
	curl_url_cleanup(url);
	return NULL;
}

bool url_follow(CURLU *url, const char *location, struct fail *fail) {
	struct fail why = {0};
	bool fine = url_bytes_fine(location, false, &why);
	if (fine) {
		CURLUcode code = curl_url_set(url, CURLUPART_URL, location, CURLU_URLENCODE);
		fine = code == CURLUE_OK ? url_fine(url, &why)
					 : fail_set(&why, EINVAL, "%s", curl_url_strerror(code));
	}
	if (!fine) {
		fail_set(fail, EPROTO,
				"the service redirects to an address that can't be followed: %s",
				fail_words(&why));
	}
	fail_finish(&why);
	return fine;
}

static bool host_matches(const char *pattern, const char *host) {
	if (starts_with(pattern, "*.")) {
		size_t tail = strlen(pattern) - 1, length = strlen(host);
		return length > tail && strcasecmp(host + length - tail, pattern + 1) == 0;
	}
	size_t length = strlen(pattern);
	if (length > 2 && pattern[0] == '[' && pattern[length - 1] == ']') {
		return strlen(host) == length - 2 &&
		       strncasecmp(pattern + 1, host, length - 2) == 0;
	}
	return strcasecmp(pattern, host) == 0;
}

static int default_port(const char *scheme) {
	return strcasecmp(scheme, "https") == 0 ? 443 : 80;
}

static bool entry_matches(const struct transfer_host *entry, const struct target *target) {
	int port = entry->port != 0 ? entry->port : default_port(entry->scheme);
	return strcasecmp(entry->scheme, target->scheme) == 0 && port == target->port &&
	       host_matches(entry->host, target->host);
}

static char *lower_copy(const char *text, size_t size) {
	char *copy = strndup(text, size);
	for (char *c = copy; c != NULL && *c != '\0'; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
	return copy;
}

static bool target_read(struct target *target, CURLU *url) {
	cleanup_curl char *scheme = NULL;
	cleanup_curl char *host = NULL;
	cleanup_curl char *port = NULL;
	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
			curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
			curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK) {
		return false;
	}
	size_t length = strlen(host);
	bool brackets = length > 2 && host[0] == '[' && host[length - 1] == ']';
	target->scheme = lower_copy(scheme, strlen(scheme));
	target->host = brackets ? lower_copy(host + 1, length - 2) : lower_copy(host, length);
	int64_t number = 0;
	bool counted = parse_int64(port, &number);
	target->port = (int)number;
	return counted && target->scheme != NULL && target->host != NULL;
}

/* As a person names it in config.yml. */
static void host_entry(const struct target *target, size_t size, char ret[static size]) {
	bool https = strcmp(target->scheme, "https") == 0;
	bool usual = target->port == default_port(target->scheme);
	bool brackets = strchr(target->host, ':') != NULL;
	char port[16] = "";
	if (!usual) {
		snprintf(port, sizeof(port), ":%d", target->port);
	}
	snprintf(ret, size, "%s%s%s%s%s", https ? "" : "http://", brackets ? "[" : "", target->host,
			brackets ? "]" : "", port);
}

bool url_target(CURLU *url, const struct transfer_host *hosts, size_t n_hosts, struct target *ret,
		struct fail *fail) {
	struct target target = {0};
	if (!target_read(&target, url)) {
		target_finish(&target);
		return fail_set(fail, ENOMEM, "no memory for a URL");
	}
	bool allowed = false;
	for (size_t i = 0; i < n_hosts; i++) {
		if (entry_matches(&hosts[i], &target)) {
			allowed = true;
			target.keyed |= hosts[i].keyed;
			target.local |= hosts[i].local;
		}
	}
	if (!allowed) {
		char entry[300];
		host_entry(&target, sizeof(entry), entry);
		fail_set(fail, EACCES,
				"%s://%s:%d is not among the hosts granted to this provider: if it "
				"is to be spoken to, without the key, say hosts: [\"%s\"] for this "
				"provider in config.yml",
				target.scheme, target.host, target.port, entry);
		target_finish(&target);
		return false;
	}
	*ret = target;
	return true;
}

bool transfer_allowed(const char *url, const struct transfer_host *hosts, size_t n_hosts,
		struct fail *fail) {
	CURLU *parsed = url_parse(url, fail);
	if (parsed == NULL) {
		return false;
	}
	struct target target = {0};
	bool allowed = url_target(parsed, hosts, n_hosts, &target, fail);
	target_finish(&target);
	curl_url_cleanup(parsed);
	return allowed;
}
