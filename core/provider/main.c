/* conduitfs-provider [--landlock-optional] OBJECT: one provider's process. The daemon starts it
 * with its socket at descriptor 3, stderr a pipe and no environment; it shuts itself in, loads the
 * object, says that it is ready (or why not) and serves until the socket is closed. */
#include "core/base/fail.h"
#include "core/base/text.h"
#include "core/provider/load.h"
#include "core/provider/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SOCKET_FD 3

static int refuse(struct channel *channel, const char *words) {
	char *cut cleanup_free = strndup(words, utf8_cut(words, strlen(words), WIRE_WORDS_MOST));
	struct wire_message message = {.type = WIRE_REFUSED, .words = {cut}};
	channel_put(channel, &message);
	channel_flush(channel);
	return EXIT_FAILURE;
}

static int serve(const struct conduit_provider *provider) {
	struct runner runner;
	runner_init(&runner, SOCKET_FD, provider);
	struct wire_message ready = {.type = WIRE_READY,
			.ready = {.abi = CONDUIT_ABI,
					.name = provider->name,
					.version = provider->version}};
	if (!channel_put(&runner.channel, &ready)) {
		return refuse(&runner.channel, "the provider's name or version is above 255 bytes");
	}
	channel_flush(&runner.channel);
	size_t size = 0;
	const uint8_t *packet;
	while ((packet = channel_receive(&runner.channel, &size)) != NULL) {
		if (!runner_packet(&runner, packet, size)) {
			fputs("a malformed packet from the daemon\n", stderr);
			return EXIT_FAILURE;
		}
	}
	runner_finish(&runner);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
	bool landlock_optional = argc == 3 && strcmp(argv[1], "--landlock-optional") == 0;
	struct stat about;
	if ((argc != 2 && !landlock_optional) || fstat(SOCKET_FD, &about) != 0 ||
			!S_ISSOCK(about.st_mode)) {
		fputs("usage: conduitfs-provider [--landlock-optional] OBJECT\n"
		      "It is started by conduitfs, with a socket at descriptor 3.\n",
				stderr);
		return 2;
	}
	close_range(SOCKET_FD + 1, ~0U, 0);
	setvbuf(stderr, NULL, _IOLBF, 0);
	struct fail fail cleanup_fail = {0};
	const struct conduit_provider *provider = load_shut_in(
			argv[argc - 1], landlock_optional, &fail);
	if (provider == NULL) {
		struct channel channel;
		channel_init(&channel, SOCKET_FD);
		int status = refuse(&channel, fail_words(&fail));
		channel_finish(&channel);
		return status;
	}
	return serve(provider);
}
