"""Drives every operation of Key Vault's three collections by Azure's SDK for Python, unmodified. Prints the name of each step that held."""
import hashlib
import json
import os
import sys
import time
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.keyvault.certificates import (AdministratorContact, CertificateClient, CertificateContact, CertificateContentType,
                                         CertificatePolicy, WellKnownIssuerNames)
from azure.keyvault.keys import ApiVersion, JsonWebKey, KeyClient, KeyRotationLifetimeAction, KeyRotationPolicy, KeyRotationPolicyAction
from azure.keyvault.keys.crypto import EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm
from azure.keyvault.secrets import SecretClient

told = json.loads(os.environ["STRONGROOM_TEST"])["client"]
end = sys.argv[1]
folder = sys.argv[2]


class Credential:
    """Debian's azure.identity asks a cloud of its own about authorities that it does not know."""

    def get_token(self, *scopes, **_options):
        form = {"grant_type": "client_credentials", "client_id": told["clientId"], "client_secret": told["clientSecret"], "scope": scopes[0]}
        url = f"{told['authority']}/{told['tenant']}/oauth2/v2.0/token"
        answer = json.load(urllib.request.urlopen(url, urllib.parse.urlencode(form).encode()))
        return AccessToken(answer["access_token"], int(time.time()) + answer["expires_in"])


def client(kind, **options):
    return kind(told["vaultUrl"], Credential(), verify_challenge_resource=False, retry_total=0, **options)


keys, secrets, certificates = client(KeyClient), client(SecretClient), client(CertificateClient)
later = (datetime.now(timezone.utc) + timedelta(days=300)).replace(microsecond=0)


def refused(kind, call, *arguments, status=None):
    try:
        call(*arguments)
    except kind as error:
        assert status is None or error.status_code == status, error
        return error
    raise SystemExit(f"{call.__name__}{arguments} was not refused")


def step(work):
    work()
    print(work.__name__, flush=True)


def names(items):
    return [item.name for item in items]


def keys_life():
    name = f"py-key-{end}"
    first = keys.create_rsa_key(name, size=2048, tags={"a": "b"}, expires_on=later, key_operations=["sign", "verify", "wrapKey", "unwrapKey"])
    assert first.key_type == "RSA" and first.properties.tags == {"a": "b"} and first.properties.expires_on == later
    second = keys.rotate_key(name)
    assert keys.get_key(name).properties.version == second.properties.version != first.properties.version
    assert keys.get_key(name, first.properties.version).id == first.id
    assert len(list(keys.list_properties_of_key_versions(name))) == 2 and name in names(keys.list_properties_of_keys())
    updated = keys.update_key_properties(name, enabled=False, tags={"c": "d"})
    assert updated.properties.enabled is False and updated.properties.tags == {"c": "d"}
    keys.update_key_properties(name, enabled=True)
    policy = KeyRotationPolicy(lifetime_actions=[KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_after_create="P90D")], expires_in="P2Y")
    assert keys.update_key_rotation_policy(name, policy).expires_in == "P2Y"
    assert any(action.action == "Rotate" and action.time_after_create == "P90D" for action in keys.get_key_rotation_policy(name).lifetime_actions)
    backup = keys.backup_key(name)
    refused(ResourceExistsError, keys.restore_key_backup, backup)
    deleted = keys.begin_delete_key(name).result()
    assert deleted.recovery_id and deleted.scheduled_purge_date
    refused(ResourceNotFoundError, keys.get_key, name)
    keys.begin_recover_deleted_key(name).wait()
    keys.begin_delete_key(name).wait()
    assert keys.get_deleted_key(name).name == name and name in names(keys.list_deleted_keys())
    keys.purge_deleted_key(name)
    refused(ResourceNotFoundError, keys.get_deleted_key, name)
    assert keys.restore_key_backup(backup).properties.version == second.properties.version
    assert len(keys.get_random_bytes(32)) == 32
    refused(HttpResponseError, keys.release_key, name, "x.y.z", status=403)


def keys_sign_wrap_and_encrypt():
    word = os.urandom(32)
    rsa = keys.create_rsa_key(f"py-rsa-{end}", size=2048)
    service = keys.get_cryptography_client(rsa.name)  # what has the public part is done by the SDK itself: the other implementation
    for alg, hash_ in (("RS256", "sha256"), ("RS384", "sha384"), ("RS512", "sha512"), ("PS256", "sha256"), ("PS384", "sha384"), ("PS512", "sha512")):
        digest = hashlib.new(hash_, b"data").digest()
        signature = service.sign(SignatureAlgorithm(alg), digest).signature
        assert service.verify(SignatureAlgorithm(alg), digest, signature).is_valid, alg
        assert not service.verify(SignatureAlgorithm(alg), hashlib.new(hash_, b"other").digest(), signature).is_valid, alg
    for alg in ("RSA-OAEP", "RSA-OAEP-256", "RSA1_5"):
        assert service.unwrap_key(KeyWrapAlgorithm(alg), service.wrap_key(KeyWrapAlgorithm(alg), word).encrypted_key).key == word, alg
        assert service.decrypt(EncryptionAlgorithm(alg), service.encrypt(EncryptionAlgorithm(alg), word).ciphertext).plaintext == word, alg
    for curve, alg, hash_ in (("P-256", "ES256", "sha256"), ("P-384", "ES384", "sha384"), ("P-521", "ES512", "sha512"), ("P-256K", "ES256K", "sha256")):
        service = keys.get_cryptography_client(keys.create_ec_key(f"py-ec-{alg}-{end}".lower(), curve=curve).name)
        digest = hashlib.new(hash_, b"data").digest()
        assert service.verify(SignatureAlgorithm(alg), digest, service.sign(SignatureAlgorithm(alg), digest).signature).is_valid, alg
    for bits in (128, 192, 256):
        name = f"py-oct-{bits}-{end}"
        keys.import_key(name, JsonWebKey(kty="oct", k=os.urandom(bits // 8), key_ops=["encrypt", "decrypt", "wrapKey", "unwrapKey"]))
        service = keys.get_cryptography_client(name)
        alg = KeyWrapAlgorithm(f"A{bits}KW")
        assert service.unwrap_key(alg, service.wrap_key(alg, word).encrypted_key).key == word, alg
        for alg in (EncryptionAlgorithm(f"A{bits}GCM"), EncryptionAlgorithm(f"A{bits}CBC"), EncryptionAlgorithm(f"A{bits}CBCPAD")):
            is_gcm = alg.value.endswith("GCM")
            more = {"additional_authenticated_data": b"beside"} if is_gcm else {"iv": os.urandom(16)}
            sealed = service.encrypt(alg, word, **more)
            parts = {"iv": sealed.iv, "authentication_tag": sealed.tag, **more} if is_gcm else more
            assert service.decrypt(alg, sealed.ciphertext, **parts).plaintext == word, alg


def older_api_versions():
    name = f"py-old-{end}"
    for version in (ApiVersion.V7_0, ApiVersion.V7_1, ApiVersion.V7_2, ApiVersion.V7_3):
        old = client(KeyClient, api_version=version)
        assert old.create_ec_key(name, curve="P-256").name == name and old.get_key(name).key.crv == "P-256", version


def secrets_life():
    name = f"py-secret-{end}"
    first = secrets.set_secret(name, "välue", content_type="text/plain", tags={"a": "b"}, expires_on=later)
    second = secrets.set_secret(name, "two")
    assert secrets.get_secret(name).value == "two"
    old = secrets.get_secret(name, first.properties.version)
    assert old.value == "välue" and old.properties.content_type == "text/plain" and old.properties.expires_on == later
    assert len(list(secrets.list_properties_of_secret_versions(name))) == 2 and name in names(secrets.list_properties_of_secrets())
    assert secrets.update_secret_properties(name, second.properties.version, enabled=False).enabled is False
    refused(HttpResponseError, secrets.get_secret, name, status=403)
    secrets.update_secret_properties(name, second.properties.version, enabled=True)
    backup = secrets.backup_secret(name)
    refused(ResourceExistsError, secrets.restore_secret_backup, backup)
    secrets.begin_delete_secret(name).wait()
    refused(ResourceExistsError, secrets.set_secret, name, "three")
    secrets.begin_recover_deleted_secret(name).wait()
    secrets.begin_delete_secret(name).wait()
    assert secrets.get_deleted_secret(name).name == name and name in names(secrets.list_deleted_secrets())
    secrets.purge_deleted_secret(name)
    refused(ResourceNotFoundError, secrets.get_deleted_secret, name)
    assert secrets.restore_secret_backup(backup).version == second.properties.version


def policy_of(issuer, **more):
    return CertificatePolicy(issuer_name=issuer, subject="CN=python", san_dns_names=["python.example"], validity_in_months=12, **more)


def certificates_life():
    name = f"py-certificate-{end}"
    first = certificates.begin_create_certificate(name, policy_of(WellKnownIssuerNames.self), tags={"a": "b"}).result()
    assert first.policy.subject == "CN=python" and first.properties.tags == {"a": "b"} and first.cer
    second = certificates.begin_create_certificate(name, policy_of(WellKnownIssuerNames.self)).result()
    assert certificates.get_certificate(name).properties.version == second.properties.version
    assert certificates.get_certificate_version(name, first.properties.version).id == first.id
    assert len(list(certificates.list_properties_of_certificate_versions(name))) == 2
    assert name in names(certificates.list_properties_of_certificates())
    assert certificates.update_certificate_properties(name, tags={"c": "d"}).properties.tags == {"c": "d"}
    policy = certificates.get_certificate_policy(name)
    assert certificates.update_certificate_policy(name, CertificatePolicy(issuer_name=policy.issuer_name, subject="CN=other")).subject == "CN=other"
    assert certificates.get_certificate_operation(name).status == "completed"
    certificates.delete_certificate_operation(name)
    assert secrets.get_secret(name).properties.content_type == "application/x-pkcs12" and keys.get_key(name).properties.managed
    backup = certificates.backup_certificate(name)
    refused(ResourceExistsError, certificates.restore_certificate_backup, backup)
    certificates.begin_delete_certificate(name).wait()
    certificates.begin_recover_deleted_certificate(name).wait()
    certificates.begin_delete_certificate(name).wait()
    assert certificates.get_deleted_certificate(name).name == name and name in names(certificates.list_deleted_certificates())
    certificates.purge_deleted_certificate(name)
    refused(ResourceNotFoundError, certificates.get_deleted_certificate, name)
    assert certificates.restore_certificate_backup(backup).properties.version == second.properties.version


def certificates_from_outside():
    with open(f"{folder}/outside.pem", "rb") as file:
        pem = file.read()
    name = f"py-import-{end}"
    assert certificates.import_certificate(name, pem, policy=CertificatePolicy(issuer_name="Unknown", content_type=CertificateContentType.pem)).cer
    with open(f"{folder}/outside.pfx", "rb") as file:
        assert certificates.import_certificate(f"py-pfx-{end}", file.read(), password="word").cer
    name = f"py-merge-{end}"
    certificates.begin_create_certificate(name, policy_of(WellKnownIssuerNames.unknown))
    with open(f"{folder}/request.der", "wb") as file:
        file.write(certificates.get_certificate_operation(name).csr)
    assert os.system(f"cd '{folder}' && openssl x509 -req -inform der -in request.der -CA outside.crt -CAkey outside.key -CAcreateserial -days 9 -outform der -out signed.der 2>/dev/null") == 0
    with open(f"{folder}/signed.der", "rb") as file:
        signed = file.read()
    assert certificates.merge_certificate(name, [signed]).cer == signed
    name = f"py-cancel-{end}"
    certificates.begin_create_certificate(name, policy_of(WellKnownIssuerNames.unknown))
    assert certificates.cancel_certificate_operation(name).cancellation_requested
    certificates.delete_certificate_operation(name)


def issuers_and_contacts():
    name = f"pyissuer{end}"
    made = certificates.create_issuer(name, "Strongroom", account_id="a", password="b", admin_contacts=[AdministratorContact(first_name="A", email="a@example.org")])
    assert made.provider == "Strongroom" and certificates.get_issuer(name).admin_contacts[0].email == "a@example.org"
    assert name in names(certificates.list_properties_of_issuers())
    assert certificates.update_issuer(name, enabled=False).enabled is False
    certificates.delete_issuer(name)
    refused(ResourceNotFoundError, certificates.get_issuer, name)
    certificates.set_contacts([CertificateContact(email="a@example.org", name="A", phone="1")])
    assert [contact.email for contact in certificates.get_contacts()] == ["a@example.org"]
    certificates.delete_contacts()
    refused(ResourceNotFoundError, certificates.get_contacts)


for work in (keys_life, keys_sign_wrap_and_encrypt, older_api_versions, secrets_life, certificates_life, certificates_from_outside, issuers_and_contacts):
    step(work)
