/* Memory for keys: see secret.h. */
#include "core/config/key/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void *secret_map(size_t size) {
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		return NULL;
	}
	/* Refused only by a kernel without it; key_protect_process turns dumps off altogether. */
	madvise(memory, size, MADV_DONTDUMP);
	return memory;
}

void secret_unmap(void *memory, size_t size) {
	if (memory != NULL) {
		explicit_bzero(memory, size);
		munmap(memory, size);
	}
}

void secret_free_string(char *text) {
	if (text != NULL) {
		explicit_bzero(text, strlen(text));
		free(text);
	}
}

void secret_finish_buf(struct buf *buf) {
	if (buf->data != NULL) {
		explicit_bzero(buf->data, buf->capacity);
	}
	buf_finish(buf);
}
