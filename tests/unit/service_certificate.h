/* A service's certificate, as the vault's CA makes it at a service's start. */
#ifndef SR_TESTS_SERVICE_CERTIFICATE_H
#define SR_TESTS_SERVICE_CERTIFICATE_H

#include "check.h"

#include "seal/certificate.h"

/* For `service` at 127.0.0.1; the caller owns it. */
static inline struct sr_certificate *service_certificate(const struct sr_certificate *ca, const char *service)
{
	struct sr_certificate_request *request;
	expect_ok(sr_certificate_request_new(service, &request));
	const struct sr_certificate_profile profile = {
	    .common_name = service, .service = service, .addresses = (const char *const[]){"127.0.0.1", NULL}, .days = 2};
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(65536);
	SR_CLEANUP(sr_buf) struct sr_buf ca_der = SR_BUF(65536);
	expect_ok(sr_certificate_sign(ca, sr_certificate_request_der(request), &profile, &der));
	expect_ok(sr_certificate_der(ca, &ca_der));
	struct sr_certificate *own;
	expect_ok(sr_certificate_join(request, sr_buf_bytes(&der), sr_buf_bytes(&ca_der), &own));
	sr_certificate_request_free(request);
	return own;
}

#endif
