/* The log. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char process_name[24] = "strongroom";
static enum sr_log_level least_urgent = SR_LOG_INFO;
static bool under_systemd;

void sr_log_setup(const char *process, enum sr_log_level level)
{
	snprintf(process_name, sizeof process_name, "%s", process);
	least_urgent = level;
	under_systemd = getenv("JOURNAL_STREAM") != NULL;
}

static const char *level_name(enum sr_log_level level)
{
	switch (level) {
	case SR_LOG_ERROR:
		return "error";
	case SR_LOG_WARNING:
		return "warning";
	case SR_LOG_NOTICE:
		return "notice";
	case SR_LOG_INFO:
		return "info";
	case SR_LOG_DEBUG:
		return "debug";
	}
	return "?";
}

void sr_log(enum sr_log_level level, const char *format, ...)
{
	if (level > least_urgent) {
		return;
	}
	char text[768];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			*c = ' ';
		}
	}
	char line[1024];
	int len;
	if (under_systemd) {
		len = snprintf(line, sizeof line, "<%d>%s: %s\n", (int)level, process_name, text);
	} else {
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		struct tm utc;
		gmtime_r(&now.tv_sec, &utc);
		char when[32];
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
		len = snprintf(line, sizeof line, "%s.%03ldZ %-7s %s: %s\n", when, now.tv_nsec / 1000000, level_name(level),
		               process_name, text);
	}
	if (len > 0) {
		ssize_t written = write(STDERR_FILENO, line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
		(void)written; /* where the log cannot be written there is nobody to tell */
	}
}
