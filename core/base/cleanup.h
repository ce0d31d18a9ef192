/* Cleanup attributes: what a scope owns is released when the scope is left, by whichever way. */
#ifndef CORE_BASE_CLEANUP_H
#define CORE_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup(function) __attribute__((cleanup(function)))

static inline void cleanup_free_pointer(void *pointer_to_pointer) {
	free(*(void **)pointer_to_pointer);
}

static inline void cleanup_close_descriptor(int *fd) {
	if (*fd >= 0) {
		close(*fd);
	}
}

static inline void cleanup_fclose_stream(FILE **stream) {
	if (*stream != NULL) {
		fclose(*stream);
	}
}

static inline void cleanup_closedir_stream(DIR **stream) {
	if (*stream != NULL) {
		closedir(*stream);
	}
}

#define cleanup_free cleanup(cleanup_free_pointer)
#define cleanup_close cleanup(cleanup_close_descriptor)
#define cleanup_fclose cleanup(cleanup_fclose_stream)
#define cleanup_closedir cleanup(cleanup_closedir_stream)

/* Hands ownership of a pointer out of a cleanup_free scope. */
#define take(pointer)                                                                              \
	({                                                                                         \
		__typeof__(pointer) taken_ = (pointer);                                            \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

/* The same for a descriptor. */
static inline int take_fd(int *fd) {
	int taken = *fd;
	*fd = -1;
	return taken;
}

#endif
