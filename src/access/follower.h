/* Follows identity's directory on a thread of its own: asks for what changed, hands over each new snapshot. Private to
 * the room. */
#ifndef SR_ACCESS_FOLLOWER_H
#define SR_ACCESS_FOLLOWER_H

#include "access/access.h"
#include "access/directory.h"

struct sr_follower;

/* `publish` takes each new snapshot, on the follower's thread. What `options` points to is borrowed until the stop. */
SR_MUST struct sr_result sr_follower_start(const struct sr_access_options *options,
                                           void (*publish)(void *context, struct sr_directory *directory),
                                           void *context, struct sr_follower **ret_follower);
/* Ends an exchange that waits and the thread; no snapshot is published after it. NULL is allowed. */
void sr_follower_stop(struct sr_follower *follower);

#endif
