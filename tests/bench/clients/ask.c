/* One turn, asked through files and by libcurl: see ask.h. */
#include "ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* No question waits longer than this. */
#define PATIENCE_S 30

int64_t clock_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool complain(const char *what) {
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	return false;
}

static bool write_prompt(const char *prompt) {
	int fd = open("input", O_WRONLY | O_TRUNC | O_CLOEXEC);
	size_t size = strlen(prompt);
	if (fd < 0) {
		return complain("input can't be opened");
	}
	bool written = write(fd, prompt, size) == (ssize_t)size;
	bool closed = close(fd) == 0;
	return (written && closed) || complain("input can't be written");
}

bool ask_files(const char *prompt, struct asked *ret) {
	char piece[65536];
	ssize_t size;
	int64_t began = clock_us();
	*ret = (struct asked){0};
	if (!write_prompt(prompt)) {
		return false;
	}
	int fd = open("output", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return complain("output can't be opened");
	}
	while ((size = read(fd, piece, sizeof(piece))) > 0) {
		ret->first_us = ret->bytes == 0 ? clock_us() - began : ret->first_us;
		ret->bytes += (uint64_t)size;
	}
	ret->whole_us = clock_us() - began;
	int code = errno;
	close(fd);
	errno = code;
	return size == 0 || complain("output can't be read");
}

struct arrival {
	struct asked *asked;
	int64_t began;
};

static size_t on_bytes(char *bytes, size_t size, size_t n, void *data) {
	struct arrival *arrival = data;
	(void)bytes;
	if (arrival->asked->bytes == 0) {
		arrival->asked->first_us = clock_us() - arrival->began;
	}
	arrival->asked->bytes += size * n;
	return size * n;
}

CURL *direct_open(const char *url, const char *ca) {
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Accept: text/event-stream");
	if (curl == NULL || headers == NULL) {
		fprintf(stderr, "bench: no memory for a connection\n");
		exit(1);
	}
	curl_easy_setopt(curl, CURLOPT_PRIVATE, headers);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)PATIENCE_S);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	if (ca != NULL) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
	}
	return curl;
}

bool ask_direct(CURL *curl, const char *prompt, struct asked *ret) {
	char body[4096];
	*ret = (struct asked){0};
	struct arrival arrival = {.asked = ret, .began = clock_us()};
	snprintf(body, sizeof(body),
			"{\"model\":\"bench/fixed:free\",\"messages\":[{\"role\":\"user\","
			"\"content\":\"%s\"}],\"stream\":true,\"max_tokens\":16384}",
			prompt);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &arrival);
	CURLcode code = curl_easy_perform(curl);
	ret->whole_us = clock_us() - arrival.began;
	if (code != CURLE_OK) {
		fprintf(stderr, "bench: libcurl: %s\n", curl_easy_strerror(code));
	}
	return code == CURLE_OK;
}

void direct_close(CURL *curl) {
	struct curl_slist *headers = NULL;
	curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&headers);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
}

int number_or_exit(const char *word, int most) {
	char *end;
	long number = strtol(word, &end, 10);
	if (*end != '\0' || number < 1 || number > most) {
		fprintf(stderr, "bench: '%s' isn't a number from 1 to %d\n", word, most);
		exit(2);
	}
	return (int)number;
}
