/* The check of a service's address: see base_url.h. libcurl takes it apart, as it does when it
 * sends, so that both agree on the host. */
#include "core/config/base_url.h"

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/transfer/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#define URL_MOST 2048

static void free_url(CURLU **url) {
	curl_url_cleanup(*url);
}

static void free_part(char **part) {
	curl_free(*part);
}

bool host_is_loopback(const char *host) {
	struct in_addr address;
	if (inet_pton(AF_INET, host, &address) == 1) {
		return ntohl(address.s_addr) >> 24 == 127;
	}
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

#define HOST_MOST 253

/* Names end in a label that isn't a number: what ends in one is an address, and no spelling of
 * one but the common one is taken (127.1 and 0x7f000001 are 127.0.0.1 to a resolver). */
static bool is_host_name(const char *name) {
	size_t length = strlen(name);
	const char *dot = strrchr(name, '.');
	const char *last = dot != NULL ? dot + 1 : name;
	return length > 0 && length <= HOST_MOST && strstr(name, "..") == NULL &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == length &&
	       isalnum((unsigned char)name[0]) && isalnum((unsigned char)name[length - 1]) &&
	       last[strspn(last, "0123456789")] != '\0' && !starts_with(last, "0x");
}

bool host_valid(const char *text) {
	uint8_t address[sizeof(struct in6_addr)];
	if (starts_with(text, "*.")) {
		return strchr(text + 2, '.') != NULL && is_host_name(text + 2);
	}
	return is_host_name(text) || inet_pton(AF_INET, text, address) == 1 ||
	       (inet_pton(AF_INET6, text, address) == 1 && strpbrk(text, "ABCDEF") == NULL);
}

bool host_is_local(const char *host) {
	uint8_t address[sizeof(struct in6_addr)];
	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
		return address_text_kind(host) != NULL;
	}
	return strcmp(host, "localhost") == 0 || ends_with(host, ".localhost");
}

static bool is_plain_text(const char *text) {
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f) {
			return false;
		}
	}
	return true;
}

/* What may hold a secret is refused first, by words without the text. */
static bool check_shape(const char *text, struct fail *fail) {
	size_t length = strlen(text);
	if (length == 0 || length > URL_MOST) {
		return fail_set(fail, EINVAL, "has %zu bytes, 1 to %d are accepted", length,
				URL_MOST);
	}
	if (!is_plain_text(text)) {
		return fail_set(fail, EINVAL,
				"holds a blank, a control byte or one that isn't ASCII");
	}
	if (strchr(text, '@') != NULL) {
		return fail_set(fail, EINVAL,
				"holds a user name or password ('@'): give the key by key_file or "
				"key_env");
	}
	if (strpbrk(text, "?#") != NULL) {
		return fail_set(fail, EINVAL,
				"holds a query or fragment ('?' or '#'): end it before");
	}
	size_t scheme = strncasecmp(text, "https://", 8) == 0  ? 8
			: strncasecmp(text, "http://", 7) == 0 ? 7
							       : 0;
	/* libcurl would skip a third slash and take what follows for the host. */
	if (scheme == 0 || text[scheme] == '/') {
		return fail_set(fail, EINVAL, "'%s' must begin with https:// or http:// and a host",
				text);
	}
	return true;
}

char *base_url_check(const char *text, bool insecure, struct fail *fail) {
	if (!check_shape(text, fail)) {
		return NULL;
	}
	cleanup(free_url) CURLU *url = curl_url();
	cleanup(free_part) char *host = NULL;
	CURLUcode code = curl_url_set(url, CURLUPART_URL, text, 0);
	if (code == CURLUE_OK) {
		code = curl_url_get(url, CURLUPART_HOST, &host, 0);
	}
	if (code != CURLUE_OK) {
		fail_set(fail, EINVAL, "'%s' is not an address: %s", text, curl_url_strerror(code));
		return NULL;
	}
	if (text[4] == ':' && !insecure && !host_is_loopback(host)) {
		fail_set(fail, EACCES,
				"'%s' is plain http: whoever is on the way can read the key and "
				"the "
				"prompts; use https, or set `insecure: true` in config.yml",
				text);
		return NULL;
	}
	size_t length = strlen(text);
	while (text[length - 1] == '/') {
		length--;
	}
	char *result = strndup(text, length);
	if (result == NULL) {
		fail_set(fail, ENOMEM, "no memory for an address");
	}
	return result;
}

/* How much of "HOST:PORT" is the host; an IPv6 address may lack its brackets. */
static size_t host_size(const char *text, size_t size) {
	const char *bracket = memchr(text, ']', size);
	const char *colon = memrchr(text, ':', size);
	if (text[0] == '[' && bracket != NULL) {
		return (size_t)(bracket - text) + 1;
	}
	bool one = colon != NULL && memchr(text, ':', size) == colon;
	return one ? (size_t)(colon - text) : size;
}

/* Where a server listens, as where it is reached. */
static char *reached_host(const char *text, size_t size) {
	cleanup_free char *host = strndup(text, size);
	if (host == NULL) {
		return NULL;
	}
	if (host[0] == '\0' || strcmp(host, "0.0.0.0") == 0) {
		return strdup("127.0.0.1");
	}
	if (strcmp(host, "[::]") == 0 || strcmp(host, "::") == 0) {
		return strdup("[::1]");
	}
	char *bare = NULL;
	if (host[0] != '[' && strchr(host, ':') != NULL) {
		return asprintf(&bare, "[%s]", host) < 0 ? NULL : bare;
	}
	return take(host);
}

char *base_url_of_host(const char *text, const char *standard) {
	const char *scheme = strstr(text, "://");
	const char *authority = scheme != NULL ? scheme + 3 : text;
	size_t host_length = host_size(authority, strcspn(authority, "/"));
	cleanup_free char *host = reached_host(authority, host_length);
	cleanup_buf struct buf url = {0};
	if (host == NULL || !buf_add(&url, text, (size_t)(authority - text)) ||
			!buf_add_string(&url, scheme != NULL ? "" : "http://") ||
			!buf_add_string(&url, host)) {
		return NULL;
	}
	const char *port = strrchr(standard, ':');
	bool stated = scheme != NULL || authority[host_length] == ':';
	if (!buf_add_string(&url, stated || port == NULL ? "" : port) ||
			!buf_add_string(&url, authority + host_length)) {
		return NULL;
	}
	return strdup(buf_string(&url));
}

/* The host of an address that base_url_check accepted: lower case, without brackets. */
static char *host_of(const char *text) {
	cleanup(free_url) CURLU *url = curl_url();
	cleanup(free_part) char *host = NULL;
	if (url == NULL || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
			curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
		return NULL;
	}
	size_t length = strlen(host);
	bool brackets = length > 2 && host[0] == '[' && host[length - 1] == ']';
	char *copy = brackets ? strndup(host + 1, length - 2) : strdup(host);
	for (char *at = copy; at != NULL && *at != '\0'; at++) {
		*at = (char)tolower((unsigned char)*at);
	}
	return copy;
}

bool base_url_is_plain(const char *url) {
	cleanup_free char *host = host_of(url);
	return host != NULL && host_valid(host);
}

bool base_url_is_local(const char *url) {
	cleanup_free char *host = host_of(url);
	return host != NULL && host_is_local(host);
}
