/* The built-in role definitions. Private to the room: role.h finds them. */
#ifndef SR_ACCESS_ROLE_TABLE_H
#define SR_ACCESS_ROLE_TABLE_H

#include "access/role.h"

extern const struct sr_role sr_role_table[];
extern const size_t sr_role_table_count;

#endif
