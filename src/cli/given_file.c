/* Reads files of the caller's. */
#include "cli/given_file.h"

#include "seal/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct sr_result sr_cli_read_given(const char *path, struct sr_buf *buf)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return sr_fail_errno(errno, "open %s", path);
	}
	uint8_t part[4096];
	ssize_t got;
	while ((got = read(fd, part, sizeof part)) > 0) {
		sr_buf_append(buf, sr_bytes_of(part, (size_t)got));
	}
	int error_number = errno;
	close(fd);
	sr_wipe(part, sizeof part);
	SR_TRY(sr_buf_result(buf));
	return got < 0 ? sr_fail_errno(error_number, "read %s", path) : sr_ok();
}
