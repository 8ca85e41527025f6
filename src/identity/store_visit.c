/* Entering the lease for one piece of database work. */
#include "identity/store_visit.h"

static struct sr_result visit(const struct sr_identity_request *request,
                              struct sr_result (*run)(struct sr_database *, sr_database_work, void *),
                              sr_database_work work, void *context)
{
	if (request->store) {
		return run(request->store->database, work, context);
	}
	SR_CLEANUP(sr_lease_use) struct sr_lease_use use = {0};
	struct sr_identity_store *store;
	SR_TRY(sr_identity_enter(request->identity, NULL, NULL, &use, &store));
	return run(store->database, work, context);
}

struct sr_result sr_visit_read(const struct sr_identity_request *request, sr_database_work work, void *context)
{
	return visit(request, sr_database_read, work, context);
}

struct sr_result sr_visit_write(const struct sr_identity_request *request, sr_database_work work, void *context)
{
	return visit(request, sr_database_write, work, context);
}
