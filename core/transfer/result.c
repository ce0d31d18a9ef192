/* libcurl's codes in our errnos and words: see result.h. */
#include "core/transfer/result.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Room for libcurl's own words, which may quote what a server sent. */
#define DETAIL_MOST 200

static void not_connected(const struct result_facts *facts, struct fail *fail) {
	switch (facts->os_errno) {
	case ECONNREFUSED:
		fail_set(fail, ECONNREFUSED,
				"%s:%d refused the connection: is the service running there?",
				facts->host, facts->port);
		break;
	case ETIMEDOUT:
		fail_set(fail, ETIMEDOUT, "%s:%d didn't answer: the network gave up connecting",
				facts->host, facts->port);
		break;
	case ECONNRESET:
		fail_set(fail, ECONNRESET, "%s:%d closed the connection at once", facts->host,
				facts->port);
		break;
	case 0:
		fail_set(fail, EHOSTUNREACH, "no connection to %s:%d: check the network",
				facts->host, facts->port);
		break;
	default:
		fail_set(fail, EHOSTUNREACH, "no connection to %s:%d: %s: check the network",
				facts->host, facts->port, strerror((int)facts->os_errno));
	}
}

/* The name could be the service's or a proxy's: libcurl's words tell. */
static void not_resolved(const struct result_facts *facts, const char *detail, struct fail *fail) {
	fail_set(fail, EHOSTUNREACH,
			"the name of %s was not found (%s): check the name and the network",
			facts->host, detail);
}

static void lost(const struct result_facts *facts, const char *detail, struct fail *fail) {
	if (facts->status == 0) {
		fail_set(fail, ECONNRESET, "%s:%d closed the connection before it replied (%s)",
				facts->host, facts->port, detail);
		return;
	}
	fail_set(fail, ECONNRESET,
			"the connection to %s:%d broke after %llu bytes of the reply (%s)",
			facts->host, facts->port, (unsigned long long)facts->bytes_in, detail);
}

static void no_tls(const struct result_facts *facts, const char *detail, struct fail *fail) {
	switch (facts->code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		fail_set(fail, EPROTO,
				"the certificate of %s:%d is not trusted (%s): check the address, "
				"the "
				"clock and the system's CA certificates",
				facts->host, facts->port, detail);
		break;
	case CURLE_SSL_CACERT_BADFILE:
		fail_set(fail, EPROTO,
				"no CA certificates to verify %s with (%s): install "
				"ca-certificates",
				facts->host, detail);
		break;
	default:
		fail_set(fail, EPROTO, "no TLS with %s:%d (%s): does it speak https?", facts->host,
				facts->port, detail);
	}
}

/* Printable and short; libcurl's general words when it had none for this case. */
static void printable(char *ret, size_t size, const struct result_facts *facts) {
	const char *from = facts->detail[0] != '\0' ? facts->detail
						    : curl_easy_strerror(facts->code);
	size_t n = 0;
	for (; from[n] != '\0' && n + 1 < size; n++) {
		ret[n] = isprint((unsigned char)from[n]) ? from[n] : '?';
	}
	ret[n] = '\0';
}

void result_explain(const struct result_facts *facts, struct fail *fail) {
	char detail[DETAIL_MOST];
	printable(detail, sizeof(detail), facts);
	unsigned long long bytes = facts->bytes_in;
	switch (facts->code) {
	case CURLE_COULDNT_CONNECT:
		not_connected(facts, fail);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		not_resolved(facts, detail, fail);
		break;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_FAIL_REWIND:
		lost(facts, detail, fail);
		break;
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		fail_set(fail, EPROTO, "the reply of %s:%d was cut short after %llu bytes (%s)",
				facts->host, facts->port, bytes, detail);
		break;
	case CURLE_BAD_CONTENT_ENCODING:
		fail_set(fail, EPROTO,
				"the reply of %s:%d could not be decompressed after %llu bytes "
				"(%s)",
				facts->host, facts->port, bytes, detail);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_USE_SSL_FAILED:
	case CURLE_SSL_CACERT_BADFILE:
		no_tls(facts, detail, fail);
		break;
	case CURLE_OPERATION_TIMEDOUT:
		fail_set(fail, ETIMEDOUT, "%s:%d timed out (%s)", facts->host, facts->port, detail);
		break;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
		fail_set(fail, EPROTO,
				"the reply of %s:%d is not HTTP (%s): check the address's port",
				facts->host, facts->port, detail);
		break;
	case CURLE_PROXY:
		fail_set(fail, EHOSTUNREACH, "the proxy leads nowhere (%s): check https_proxy",
				detail);
		break;
	case CURLE_OUT_OF_MEMORY:
		fail_set(fail, ENOMEM, "no memory for a transfer with %s:%d", facts->host,
				facts->port);
		break;
	default:
		fail_set(fail, EPROTO, "the transfer with %s:%d failed: %s", facts->host,
				facts->port, detail);
	}
}
