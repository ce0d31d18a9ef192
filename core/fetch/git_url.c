/* Addresses of git repositories: see git_url.h. */
#include "core/fetch/git_url.h"

#include "core/base/buf.h"
#include "core/base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define HOST_MOST 253
#define REF_MOST 255

static const struct scheme {
	const char *prefix;
	int port;
} schemes[] = {
		[GIT_HTTPS] = {"https://", 443},
		[GIT_SSH] = {"ssh://", 22},
		[GIT_GIT] = {"git://", 9418},
		[GIT_FILE] = {"file://", 0},
};
#define N_SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

void git_url_finish(struct git_url *url) {
	free(url->user);
	free(url->host);
	free(url->path);
	*url = (struct git_url){0};
}

static bool invalid(struct fail *fail, const char *format, ...)
		__attribute__((format(printf, 2, 3)));
static bool invalid(struct fail *fail, const char *format, ...) {
	va_list args;
	va_start(args, format);
	fail_vset(fail, EINVAL, format, args);
	va_end(args);
	return false;
}

static bool copy(char **ret, const char *text, size_t size, struct fail *fail) {
	*ret = strndup(text, size);
	return *ret != NULL || fail_set(fail, ENOMEM, "no memory");
}

/* ---- refs and paths ---- */

/* The bytes that neither a ref nor a path below a repository may hold; `bad` are more of them. */
static bool bytes_check(const char *what, const char *text, const char *bad, struct fail *fail) {
	if (!utf8_valid(text, strlen(text))) {
		return invalid(fail, "%s isn't UTF-8", what);
	}
	for (const char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f) {
			return invalid(fail, "%s holds a blank or a control byte", what);
		}
		if (strchr(bad, *c) != NULL) {
			return invalid(fail, "%s '%s' holds '%c'", what, text, *c);
		}
	}
	return text[0] != '-' || invalid(fail, "%s '%s' begins with '-'", what, text);
}

bool git_ref_check(const char *ref, struct fail *fail) {
	size_t length = strlen(ref);
	if (length == 0 || length > REF_MOST) {
		return invalid(fail, "the ref after '@' is %s", length == 0 ? "empty" : "too long");
	}
	if (!bytes_check("the ref", ref, "~^:?*[\\#", fail)) {
		return false;
	}
	bool bad = ref[0] == '/' || ref[length - 1] == '/' || ref[length - 1] == '.' ||
		   strcmp(ref, "@") == 0 || strstr(ref, "..") != NULL ||
		   strstr(ref, "//") != NULL || strstr(ref, "@{") != NULL || ref[0] == '.' ||
		   strstr(ref, "/.") != NULL || strstr(ref, ".lock/") != NULL ||
		   ends_with(ref, ".lock");
	return !bad || invalid(fail, "'%s' can't be the name of a tag, branch or commit", ref);
}

/* Each component, from `path` without a leading '/'. */
static bool components_check(const char *what, const char *path, struct fail *fail) {
	for (const char *part = path;; part++) {
		size_t length = strcspn(part, "/");
		if (length == 0 || strncmp(part, ".", length) == 0 ||
				(length == 2 && strncmp(part, "..", 2) == 0)) {
			return invalid(fail, "%s '%s' has an empty part, '.' or '..' in it", what,
					path);
		}
		part += length;
		if (*part == '\0') {
			return true;
		}
	}
}

bool git_path_check(const char *path, struct fail *fail) {
	if (!bytes_check("the path after '#'", path, "\\", fail) ||
			!components_check("the path after '#'", path, fail)) {
		return false;
	}
	for (const char *part = path; part != NULL; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncasecmp(part, ".git", 4) == 0 && (part[4] == '\0' || part[4] == '/')) {
			return invalid(fail, "the path '%s' leads into .git", path);
		}
	}
	return true;
}

/* ---- the address ---- */

static bool read_port(const char *text, int *ret, struct fail *fail) {
	int64_t port = 0;
	if (strspn(text, DIGITS) != strlen(text) || !parse_int64(text, &port) || port < 1 ||
			port > 65535) {
		return invalid(fail, "the port isn't a number from 1 to 65535");
	}
	*ret = (int)port;
	return true;
}

static bool is_ipv6(const char *text) {
	struct in6_addr address;
	return inet_pton(AF_INET6, text, &address) == 1;
}

static bool read_host(struct git_url *url, char *text, struct fail *fail) {
	char *port = strchr(text, ':');
	char *host = text;
	if (text[0] == '[') {
		char *end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':')) {
			return invalid(fail, "'%s' isn't an IPv6 address in brackets", text);
		}
		*end = '\0';
		host = text + 1;
		port = end[1] == ':' ? end + 1 : NULL;
		if (!is_ipv6(host)) {
			return invalid(fail, "'[%s]' isn't an IPv6 address", host);
		}
	}
	if (port != NULL) {
		*port = '\0';
		if (!read_port(port + 1, &url->port, fail)) {
			return false;
		}
		url->port = url->port == schemes[url->scheme].port ? 0 : url->port;
	}
	for (char *c = host; *c != '\0'; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
	size_t length = strlen(host);
	if (length == 0) {
		return invalid(fail, "there is no host after %s", schemes[url->scheme].prefix);
	}
	if (text[0] != '[' && (length > HOST_MOST || host[0] == '-' || host[0] == '.' ||
					      strspn(host, LETTERS DIGITS ".-") != length)) {
		return invalid(fail, "'%s' isn't the name of a host", host);
	}
	return copy(&url->host, host, length, fail);
}

/* [USER@]HOST[:PORT] */
static bool read_authority(struct git_url *url, const char *text, size_t size, struct fail *fail) {
	char *whole cleanup_free = NULL;
	if (!copy(&whole, text, size, fail)) {
		return false;
	}
	char *at = strrchr(whole, '@');
	char *host = at != NULL ? at + 1 : whole;
	size_t user = at != NULL ? (size_t)(at - whole) : 0;
	if (at != NULL && url->scheme != GIT_SSH) {
		return invalid(fail,
				"%s…@%s names a user or a password, which logs and "
				"providers.lock would show: leave it out, git's credential helpers "
				"are asked when the server wants one",
				schemes[url->scheme].prefix, host);
	}
	if (memchr(whole, ':', user) != NULL) {
		return invalid(fail,
				"ssh://…@%s holds a password, which logs and providers.lock would "
				"show: leave it out, the key comes from ssh-agent",
				host);
	}
	if (at != NULL && (user == 0 || whole[0] == '-' || whole[0] == '.' ||
					  strspn(whole, LETTERS DIGITS "._-") != user)) {
		return invalid(fail, "what stands before @%s isn't the name of a user", host);
	}
	return copy(&url->user, whole, user, fail) && read_host(url, host, fail);
}

static bool read_path(struct git_url *url, const char *path, struct fail *fail) {
	/* In an address over ssh the path becomes part of a command line at the other end, and a
	 * file's is opened as it is: no quotes, no escapes. */
	const char *extra = url->scheme == GIT_HTTPS || url->scheme == GIT_GIT ? "%" : "";
	for (const char *c = path; *c != '\0'; c++) {
		bool good = isalnum((unsigned char)*c) || strchr("/._~+@=,-", *c) != NULL ||
			    (unsigned char)*c >= 0x80 || strchr(extra, *c) != NULL;
		if (!good && (*c == '?' || isgraph((unsigned char)*c))) {
			return invalid(fail, "the path '%s' holds '%c'", path, *c);
		}
		if (!good) {
			return invalid(fail, "the path holds a blank or a control byte");
		}
	}
	size_t length = strlen(path);
	while (length > 1 && path[length - 1] == '/') {
		length--;
	}
	if (!utf8_valid(path, length)) {
		return invalid(fail, "the path isn't UTF-8");
	}
	if (length < 2 || path[1] == '-') {
		return invalid(fail, "the path '%s' %s", path,
				length < 2 ? "names no repository" : "begins with '-'");
	}
	return copy(&url->path, path, length, fail) &&
	       components_check("the path", url->path + 1, fail);
}

/* "file:///path" and "file://localhost/path" */
static bool read_file(struct git_url *url, const char *rest, struct fail *fail) {
	if (starts_with(rest, "localhost/")) {
		rest += strlen("localhost");
	}
	if (rest[0] != '/') {
		return invalid(fail, "file:// takes an absolute path, as in file:///srv/acme.git");
	}
	return copy(&url->user, "", 0, fail) && copy(&url->host, "", 0, fail) &&
	       read_path(url, rest, fail);
}

bool git_url_is_scp_like(const char *text) {
	size_t host = strcspn(text, ":/#");
	return text[host] == ':' && memchr(text, '@', host) != NULL;
}

/* USER@HOST:PATH, which ssh alone takes. */
static bool read_scp_like(struct git_url *url, const char *text, struct fail *fail) {
	size_t authority = strcspn(text, ":");
	const char *path = text + authority + 1;
	char *absolute cleanup_free = NULL;
	url->scheme = GIT_SSH;
	url->below_home = path[0] != '/';
	if (asprintf(&absolute, "%s%s", url->below_home ? "/" : "", path) < 0) {
		absolute = NULL;
		return fail_set(fail, ENOMEM, "no memory");
	}
	return read_authority(url, text, authority, fail) && read_path(url, absolute, fail);
}

static bool read_url(struct git_url *url, const char *text, struct fail *fail) {
	if (git_url_is_scp_like(text)) {
		return read_scp_like(url, text, fail);
	}
	for (unsigned i = 0; i < N_SCHEMES; i++) {
		if (strncasecmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) != 0) {
			continue;
		}
		const char *rest = text + strlen(schemes[i].prefix);
		url->scheme = (enum git_scheme)i;
		if (i == GIT_FILE) {
			return read_file(url, rest, fail);
		}
		size_t authority = strcspn(rest, "/");
		return read_authority(url, rest, authority, fail) &&
		       (rest[authority] == '/' ? read_path(url, rest + authority, fail)
					       : invalid(fail, "no path follows the host"));
	}
	if (strncasecmp(text, "http://", 7) == 0) {
		return invalid(fail, "http:// can be changed by anybody on the way: use https://");
	}
	return invalid(fail, "'%.*s' isn't one of https, ssh, git and file",
			(int)strcspn(text, ":"), text);
}

bool git_url_parse(struct git_url *ret, const char *text, struct fail *fail) {
	struct git_url url cleanup_git_url = {0};
	if (!read_url(&url, text, fail)) {
		return false;
	}
	*ret = url;
	url = (struct git_url){0};
	return true;
}

char *git_url_text(const struct git_url *url) {
	struct buf text cleanup_buf = {0};
	if (url->below_home) {
		buf_add_format(&text, "%s@%s:%s", url->user, url->host, url->path + 1);
		return buf_take(&text);
	}
	buf_add_string(&text, schemes[url->scheme].prefix);
	if (url->user[0] != '\0') {
		buf_add_format(&text, "%s@", url->user);
	}
	buf_add_format(&text, strchr(url->host, ':') != NULL ? "[%s]" : "%s", url->host);
	if (url->port != 0) {
		buf_add_format(&text, ":%d", url->port);
	}
	buf_add_string(&text, url->path);
	return buf_take(&text);
}

const char *git_url_end(const char *text) {
	const char *authority = strstr(text, "://");
	const char *path = git_url_is_scp_like(text) ? strchr(text, ':')
			   : authority != NULL	     ? strchr(authority + 3, '/')
						     : NULL;
	const char *at = path != NULL ? strchr(path, '@') : NULL;
	if (at != NULL && at == path + 1) {
		at = strchr(at + 1, '@');
	}
	return at != NULL ? at : text + strlen(text);
}
