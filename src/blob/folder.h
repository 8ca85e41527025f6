/* An account's folder: made durably, removed whole. Files in it are written by seal alone. */
#ifndef SR_BLOB_FOLDER_H
#define SR_BLOB_FOLDER_H

#include "base/result.h"

/* Makes `path` (mode 0700) where it is missing and fsyncs the folder that holds it. */
SR_MUST struct sr_result sr_blob_folder_make(const char *path);
/* Removes `path` and everything below it; missing is fine. */
SR_MUST struct sr_result sr_blob_folder_remove(const char *path);

#endif
