/* Repositories on other machines: see remote.h. */
#include "core/fetch/worker/remote.h"

#include "core/base/plain.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* A shallow fetch has what is built and nothing else, but only newer libraries do it. */
#define HAS_DEPTH (LIBGIT2_VER_MAJOR > 1 || (LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR >= 7))

/* ---- what libgit2 asks ---- */

static int refuse(struct remote *remote, int code, const char *format, ...)
		__attribute__((format(printf, 3, 4)));
static int refuse(struct remote *remote, int code, const char *format, ...) {
	va_list args;
	va_start(args, format);
	fail_vset(&remote->why, code, format, args);
	va_end(args);
	return GIT_EUSER;
}

static bool same_host(const char *host, const char *expected) {
	size_t length = strlen(host);
	if (host[0] == '[' && host[length - 1] == ']') {
		host++;
		length -= 2;
	}
	return strlen(expected) == length && strncasecmp(host, expected, length) == 0;
}

/* Asked of every encrypted connection before anything is sent on it, so that a redirect to another
 * host ends here. */
static int check_certificate(git_cert *certificate, int valid, const char *host, void *data) {
	struct remote *remote = data;
	(void)certificate;
	if (!same_host(host, remote->url.host)) {
		return refuse(remote, EXDEV,
				"%s sends to another host, %s, which isn't followed: load the "
				"address there if that is meant",
				remote->url.host, host);
	}
	if (valid) {
		return 0;
	}
	if (remote->url.scheme == GIT_SSH) {
		return refuse(remote, EPROTO,
				"the host key of %s isn't the one in ~/.ssh/known_hosts, or none "
				"is there: connect once with ssh and compare its fingerprint",
				host);
	}
	char *words cleanup_free = git_failure();
	return refuse(remote, EPROTO,
			"the certificate of %s isn't trusted (%s): a private CA is set with "
			"ca_file",
			host, words != NULL ? words : "no memory");
}

static int give_ssh_key(git_credential **ret, struct remote *remote, unsigned allowed) {
	if (remote->url.user[0] == '\0') {
		return refuse(remote, EACCES,
				"ssh needs a user: write one in front of the host, as in git@%s",
				remote->url.host);
	}
	if (getenv("SSH_AUTH_SOCK") == NULL || remote->asked > 1 ||
			!(allowed & GIT_CREDENTIAL_SSH_KEY)) {
		return refuse(remote, EACCES,
				"%s accepts no key of ssh-agent: start it and add the key with "
				"`ssh-add` (key files aren't read)",
				remote->url.host);
	}
	return git_credential_ssh_key_from_agent(ret, remote->url.user);
}

static int give_password(git_credential **ret, struct remote *remote, unsigned allowed) {
	struct message answer cleanup_message = {0};
	if (remote->asked > 1 || !(allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT)) {
		return refuse(remote, EACCES,
				"%s refuses the user and password that git's credential helpers "
				"gave",
				remote->url.host);
	}
	if (!report_ask(remote->report, &answer, &remote->why)) {
		return GIT_EUSER;
	}
	return git_credential_userpass_plaintext_new(ret, answer.user, answer.password);
}

static int give_credentials(git_credential **ret, const char *url, const char *user,
		unsigned allowed, void *data) {
	struct remote *remote = data;
	(void)url;
	(void)user;
	remote->asked++;
	return remote->url.scheme == GIT_SSH ? give_ssh_key(ret, remote, allowed)
					     : give_password(ret, remote, allowed);
}

static int tell_progress(const git_indexer_progress *progress, void *data) {
	struct remote *remote = data;
	if (progress->received_bytes > REMOTE_BYTES_MOST ||
			progress->total_objects > REMOTE_OBJECTS_MOST) {
		return refuse(remote, EFBIG,
				"the repository is too large: at most 64 MiB and %d objects are "
				"fetched; give the provider a repository of its own",
				REMOTE_OBJECTS_MOST);
	}
	report_progress(remote->report, FETCH_RECEIVING, progress->received_objects,
			progress->total_objects, progress->received_bytes,
			"receiving objects: %u of %u, %zu KiB", progress->received_objects,
			progress->total_objects, progress->received_bytes / 1024);
	return 0;
}

/* "Counting objects: 5 of 80" and the like: a sign of life. */
static int tell_sideband(const char *text, int size, void *data) {
	struct remote *remote = data;
	char *words cleanup_free = plain_text(text, size > 0 ? (size_t)size : 0, 200, false);
	report_progress(remote->report, FETCH_CONNECTING, 0, 0, 0, "the server says: %s",
			words != NULL ? words : "");
	return 0;
}

static git_fetch_options options_of(struct remote *remote) {
	git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
	options.callbacks.payload = remote;
	options.callbacks.certificate_check = check_certificate;
	options.callbacks.credentials = give_credentials;
	options.callbacks.transfer_progress = tell_progress;
	options.callbacks.sideband_progress = tell_sideband;
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0;
	options.follow_redirects = GIT_REMOTE_REDIRECT_INITIAL;
	options.proxy_opts.type = GIT_PROXY_AUTO;
	return options;
}

/* ---- failures ---- */

static const struct known {
	const char *words;
	int code;
	const char *remedy;
} known[] = {
		{"status code: 404", ENOENT,
				"there is no such repository, or it is shown to those with "
				"credentials only"},
		{"status code: 403", EACCES, "the server doesn't allow it"},
		{"status code: 5", EREMOTEIO, "the server failed: try again later"},
		{"unexpected redirect", EPROTO, "it redirects where it may not"},
		{"cannot redirect", EXDEV, "load the address there if that is meant"},
		{"not appear to be a git", ENOENT, "there is no such repository"},
		{"repository not exported", ENOENT,
				"there is no such repository, or it isn't shared"},
		{"resolve address", EHOSTUNREACH, "is the name right, is there a network?"},
		{"failed to resolve", EHOSTUNREACH, "is the name right, is there a network?"},
		{"refused", ECONNREFUSED, "nothing listens there"},
		{"No space left", ENOSPC,
				"make room, or free some with `conduitfs provider prune`"},
		{"early EOF", ECONNRESET, "the connection was cut: try again"},
		{"unexpected EOF", ECONNRESET, "the connection was cut: try again"},
		{"invalid content-type", EPROTO, "what answers there is no git server"},
};

static bool failed(struct remote *remote, const char *doing, struct fail *fail) {
	if (remote->why.code != 0) {
		return fail_set(fail, remote->why.code, "can't be %s: %s", doing,
				fail_words(&remote->why));
	}
	char *words cleanup_free = git_failure();
	for (size_t i = 0; words != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcasestr(words, known[i].words) != NULL) {
			return fail_set(fail, known[i].code, "can't be %s: %s (%s)", doing,
					known[i].remedy, words);
		}
	}
	return fail_set(fail, EIO, "can't be %s: %s", doing, words != NULL ? words : "no memory");
}

/* ---- its life ---- */

bool remote_connect(struct remote *ret, struct repository *into, const char *text,
		struct report *report, struct fail *fail) {
	*ret = (struct remote){.report = report};
	if (!git_url_parse(&ret->url, text, fail)) {
		return false;
	}
	report_progress(report, FETCH_CONNECTING, 0, 0, 0, "connecting to %s",
			ret->url.host[0] != '\0' ? ret->url.host : ret->url.path);
	git_fetch_options fetch = options_of(ret);
	git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;
	options.callbacks = fetch.callbacks;
	options.proxy_opts = fetch.proxy_opts;
	options.follow_redirects = fetch.follow_redirects;
	int error = into != NULL ? git_remote_create_anonymous(&ret->git, into->git, text)
				 : git_remote_create_detached(&ret->git, text);
	if (error != 0 || git_remote_connect_ext(ret->git, GIT_DIRECTION_FETCH, &options) != 0 ||
			git_remote_ls(&ret->heads.head, &ret->heads.n, ret->git) != 0) {
		return failed(ret, "reached", fail);
	}
	return true;
}

/* What is built and nothing else, where library and server both can. */
static bool fetch_shallow(struct remote *remote, const git_strarray *wanted) {
#if HAS_DEPTH
	git_fetch_options options = options_of(remote);
	options.depth = 1;
	if (git_remote_download(remote->git, wanted, &options) == 0) {
		return true;
	}
	const git_error *error = git_error_last();
	if (error == NULL || strstr(error->message, "support shallow") == NULL) {
		return false;
	}
#endif
	git_fetch_options whole = options_of(remote);
	return git_remote_download(remote->git, wanted, &whole) == 0;
}

static bool fetch_whole(struct remote *remote, const git_strarray *wanted) {
	git_fetch_options options = options_of(remote);
#if HAS_DEPTH
	if (git_repository_is_shallow(git_remote_owner(remote->git))) {
		options.depth = GIT_FETCH_DEPTH_UNSHALLOW;
	}
#endif
	return git_remote_download(remote->git, wanted, &options) == 0;
}

bool remote_fetch(struct remote *remote, char *const *refspecs, size_t n, bool all,
		struct fail *fail) {
	const git_strarray wanted = {(char **)refspecs, n};
	return (all ? fetch_whole(remote, &wanted) : fetch_shallow(remote, &wanted)) ||
	       failed(remote, "fetched", fail);
}

void remote_finish(struct remote *remote) {
	git_remote_free(remote->git);
	git_url_finish(&remote->url);
	fail_finish(&remote->why);
	*remote = (struct remote){0};
}
