/* packet_corpus DIR: writes the first corpus of fuzz_packet, one file for each message of the
 * samples and one for all of a provider's. */
#include "tests/unit/process/samples.h"

#include <stdio.h>
#include <sys/stat.h>

static bool write_case(const char *dir, const char *name, char first, const struct buf *packet) {
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file cleanup_fclose = fopen(path, "wbe");
	if (file == NULL) {
		perror(path);
		return false;
	}
	fputc(first, file);
	fputc((int)(packet->size & 0xff), file);
	fputc((int)(packet->size >> 8 & 0xff), file);
	return fwrite(packet->data, 1, packet->size, file) == packet->size;
}

int main(int argc, char **argv) {
	struct buf all cleanup_buf = {0};
	if (argc != 2) {
		fputs("usage: packet_corpus DIR\n", stderr);
		return 2;
	}
	mkdir(argv[1], 0755);
	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct buf packet cleanup_buf = {0};
		char name[32];
		bool before_ready = samples[i].type == WIRE_READY ||
				    samples[i].type == WIRE_REFUSED;
		snprintf(name, sizeof(name), "message-%02zu", i);
		if (!wire_encode(&packet, &samples[i]) ||
				!write_case(argv[1], name, before_ready ? 0 : 1, &packet)) {
			return EXIT_FAILURE;
		}
		if (!before_ready && samples[i].type > WIRE_REFUSED) {
			wire_encode(&all, &samples[i]);
		}
	}
	return write_case(argv[1], "all", 1, &all) ? EXIT_SUCCESS : EXIT_FAILURE;
}
