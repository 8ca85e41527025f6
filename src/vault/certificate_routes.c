/* The operations on certificates, against the specification line by line. */
#include "vault/api.h"

#include "vault/certificate_handlers.h"

#include <stddef.h>

enum { SMALL = 512 * 1024, LARGE = 12 * 1024 * 1024 };

#define READ   "certificates/read"
#define CREATE "certificates/create/action"
#define UPDATE "certificates/update/action"

const struct sr_vault_route sr_certificate_routes[] = {
    {"POST", "certificates/{name}/create", "CertificateCreate", "certificates/create", CREATE,
     sr_handle_certificate_create, 202, SMALL},
    {"POST", "certificates/{name}/import", "CertificateImport", "certificates/import", "certificates/import/action",
     sr_handle_certificate_import, 200, SMALL},
    {"GET", "certificates", "CertificateList", "certificates/list", READ, sr_handle_certificates_list, 200, 0},
    {"GET", "certificates/{name}/versions", "CertificateListVersions", "certificates/list", READ,
     sr_handle_certificate_versions_list, 200, 0},
    {"GET", "certificates/{name}", "CertificateGet", "certificates/get", READ, sr_handle_certificate_get, 200, 0},
    {"GET", "certificates/{name}/{version}", "CertificateGet", "certificates/get", READ, sr_handle_certificate_get, 200,
     0},
    {"PATCH", "certificates/{name}", "CertificateUpdate", "certificates/update", UPDATE, sr_handle_certificate_update,
     200, SMALL},
    {"PATCH", "certificates/{name}/{version}", "CertificateUpdate", "certificates/update", UPDATE,
     sr_handle_certificate_update, 200, SMALL},
    {"GET", "certificates/{name}/policy", "CertificatePolicyGet", "certificates/get", READ,
     sr_handle_certificate_policy_get, 200, 0},
    {"PATCH", "certificates/{name}/policy", "CertificatePolicyUpdate", "certificates/update", UPDATE,
     sr_handle_certificate_policy_update, 200, SMALL},
    {"GET", "certificates/{name}/pending", "CertificateOperationGet", "certificates/get", READ,
     sr_handle_certificate_operation_get, 200, 0},
    {"PATCH", "certificates/{name}/pending", "CertificateOperationUpdate", "certificates/update", UPDATE,
     sr_handle_certificate_operation_update, 200, SMALL},
    {"DELETE", "certificates/{name}/pending", "CertificateOperationDelete", "certificates/update", UPDATE,
     sr_handle_certificate_operation_delete, 200, 0},
    {"POST", "certificates/{name}/pending/merge", "CertificateMerge", "certificates/create", CREATE,
     sr_handle_certificate_merge, 201, SMALL},
    {"DELETE", "certificates/{name}", "CertificateDelete", "certificates/delete", "certificates/delete",
     sr_handle_certificate_delete, 200, 0},
    {"POST", "certificates/{name}/backup", "CertificateBackup", "certificates/backup", "certificates/backup/action",
     sr_handle_certificate_backup, 200, 0},
    {"POST", "certificates/restore", "CertificateRestore", "certificates/restore", "certificates/restore/action",
     sr_handle_certificate_restore, 200, LARGE},
    {"GET", "deletedcertificates", "CertificateListDeleted", "certificates/list", READ,
     sr_handle_deleted_certificates_list, 200, 0},
    {"GET", "deletedcertificates/{name}", "CertificateGetDeleted", "certificates/get", READ,
     sr_handle_deleted_certificate_get, 200, 0},
    {"POST", "deletedcertificates/{name}/recover", "CertificateRecover", "certificates/recover",
     "certificates/recover/action", sr_handle_deleted_certificate_recover, 200, 0},
    {"DELETE", "deletedcertificates/{name}", "CertificatePurge", "certificates/purge", "certificates/purge/action",
     sr_handle_deleted_certificate_purge, 204, 0},
    /* Azure knows one data action for contacts, which reading them takes too. */
    {"GET", "certificates/contacts", "CertificateContactsGet", "certificates/managecontacts",
     "certificatecontacts/write", sr_handle_contacts_get, 200, 0},
    {"PUT", "certificates/contacts", "CertificateContactsSet", "certificates/managecontacts",
     "certificatecontacts/write", sr_handle_contacts_set, 200, SMALL},
    {"DELETE", "certificates/contacts", "CertificateContactsDelete", "certificates/managecontacts",
     "certificatecontacts/write", sr_handle_contacts_delete, 200, 0},
    {"GET", "certificates/issuers", "IssuerList", "certificates/listissuers", "certificatecas/read",
     sr_handle_issuers_list, 200, 0},
    {"GET", "certificates/issuers/{name}", "IssuerGet", "certificates/getissuers", "certificatecas/read",
     sr_handle_issuer_get, 200, 0},
    {"PUT", "certificates/issuers/{name}", "IssuerSet", "certificates/setissuers", "certificatecas/write",
     sr_handle_issuer_set, 200, SMALL},
    {"PATCH", "certificates/issuers/{name}", "IssuerUpdate", "certificates/setissuers", "certificatecas/write",
     sr_handle_issuer_update, 200, SMALL},
    {"DELETE", "certificates/issuers/{name}", "IssuerDelete", "certificates/deleteissuers", "certificatecas/delete",
     sr_handle_issuer_delete, 200, 0},
    {0},
};
