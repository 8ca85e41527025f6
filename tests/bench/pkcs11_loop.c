/*
 * The peer of the benchmark `unwrap-pkcs11`: threads that do nothing but raw RSA-2048 decryptions in a token, on a key
 * like the vault's (kept in the token, sensitive, not extractable), made for it and destroyed after.
 * usage: pkcs11_loop MODULE LABEL PIN SECONDS THREADS      prints operations per second
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MODULUS_LEN = 256, THREADS_MAX = 64, SLOTS_MAX = 64 };

static CK_FUNCTION_LIST *call;
static CK_SLOT_ID slot;
static CK_OBJECT_HANDLE key;
static atomic_bool is_over;

static void must(CK_RV value, const char *what)
{
	if (value != CKR_OK) {
		fprintf(stderr, "%s: PKCS#11 error 0x%lx\n", what, value);
		exit(1);
	}
}

static CK_SESSION_HANDLE open_session(void)
{
	CK_SESSION_HANDLE session;
	must(call->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), "open a session");
	return session;
}

static void *work(void *context)
{
	unsigned long *count = context;
	CK_SESSION_HANDLE session = open_session();
	CK_BYTE input[MODULUS_LEN] = {0, 1, 2, 3}, output[MODULUS_LEN];
	while (!is_over) {
		CK_MECHANISM mechanism = {CKM_RSA_X_509, NULL, 0};
		CK_ULONG len = sizeof output;
		input[MODULUS_LEN - 1]++;
		must(call->C_DecryptInit(session, &mechanism, key), "begin a decryption");
		must(call->C_Decrypt(session, input, sizeof input, output, &len), "decrypt");
		++*count;
	}
	return NULL;
}

static void find_token(const char *label)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	must(call->C_GetSlotList(CK_TRUE, slots, &count), "list the slots");
	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO info;
		must(call->C_GetTokenInfo(slots[i], &info), "look at a token");
		if (memcmp(info.label, label, strlen(label)) == 0) {
			slot = slots[i];
			return;
		}
	}
	fprintf(stderr, "there is no token '%s'\n", label);
	exit(1);
}

static void make_key(CK_SESSION_HANDLE session)
{
	CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ULONG bits = 8 * MODULUS_LEN;
	CK_BYTE exponent[] = {1, 0, 1};
	CK_ATTRIBUTE open[] = {
	    {CKA_TOKEN, &no, 1}, {CKA_MODULUS_BITS, &bits, sizeof bits}, {CKA_PUBLIC_EXPONENT, exponent, sizeof exponent}};
	CK_ATTRIBUTE secret[] = {{CKA_TOKEN, &yes, 1},      {CKA_PRIVATE, &yes, 1}, {CKA_SENSITIVE, &yes, 1},
	                         {CKA_EXTRACTABLE, &no, 1}, {CKA_DECRYPT, &yes, 1}, {CKA_SIGN, &yes, 1}};
	CK_OBJECT_HANDLE public_key;
	must(call->C_GenerateKeyPair(session, &mechanism, open, 3, secret, 6, &public_key, &key), "make a key");
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: pkcs11_loop MODULE LABEL PIN SECONDS THREADS\n");
		return 2;
	}
	void *library = dlopen(argv[1], RTLD_NOW);
	CK_C_GetFunctionList get = NULL;
	void *symbol = library ? dlsym(library, "C_GetFunctionList") : NULL;
	memcpy(&get, &symbol, sizeof get);
	if (!get || get(&call) != CKR_OK) {
		fprintf(stderr, "%s is no PKCS#11 module\n", argv[1]);
		return 1;
	}
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	must(call->C_Initialize(&args), "initialise");
	find_token(argv[2]);
	CK_SESSION_HANDLE session = open_session();
	must(call->C_Login(session, CKU_USER, (CK_UTF8CHAR *)argv[3], strlen(argv[3])), "log in");
	make_key(session);

	unsigned long counts[THREADS_MAX] = {0}, total = 0;
	pthread_t threads[THREADS_MAX];
	int thread_count = (int)strtol(argv[5], NULL, 10);
	thread_count = thread_count < 1 || thread_count > THREADS_MAX ? 1 : thread_count;
	const double begin = now();
	for (int i = 0; i < thread_count; i++) {
		pthread_create(&threads[i], NULL, work, &counts[i]);
	}
	const struct timespec nap = {.tv_sec = strtol(argv[4], NULL, 10)};
	nanosleep(&nap, NULL);
	is_over = true;
	for (int i = 0; i < thread_count; i++) {
		pthread_join(threads[i], NULL);
		total += counts[i];
	}
	printf("%.1f\n", (double)total / (now() - begin));
	must(call->C_DestroyObject(session, key), "destroy the key");
	must(call->C_Finalize(NULL), "finalise");
	return 0;
}
