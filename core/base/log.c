/* Logging: see log.h. */
#include "core/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

static enum log_level threshold = LOG_LEVEL_WARNING;
static bool to_syslog;

void log_open(enum log_level level, bool use_syslog) {
	threshold = level;
	to_syslog = use_syslog;
	if (use_syslog) {
		openlog("conduitfs", LOG_PID, LOG_DAEMON);
	}
}

void log_write(enum log_level level, const char *format, ...) {
	static const int priorities[] = {
			[LOG_LEVEL_ERROR] = LOG_ERR,
			[LOG_LEVEL_WARNING] = LOG_WARNING,
			[LOG_LEVEL_INFO] = LOG_INFO,
			[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};
	if (level > threshold) {
		return;
	}
	va_list args;
	va_start(args, format);
	if (to_syslog) {
		vsyslog(priorities[level], format, args);
	} else {
		fputs("conduitfs: ", stderr);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
	}
	va_end(args);
}
