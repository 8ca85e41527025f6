/*
 * The one error idiom: a fallible function returns struct sr_result by value and
 * gives its results through out-parameters named ret_…, last in the list and
 * untouched on failure. Mapping of codes to a protocol's errors lives in each service.
 */
#ifndef SR_BASE_RESULT_H
#define SR_BASE_RESULT_H

#include <stdbool.h>

/* What kind of failure it was; a caller decides by this. */
enum sr_code {
	SR_OK = 0,
	SR_NOT_FOUND,       /* the thing named does not exist */
	SR_EXISTS,          /* the thing to be made is there already */
	SR_INVALID,         /* the input is malformed or out of its domain */
	SR_UNAUTHENTICATED, /* nobody knows who is asking */
	SR_DENIED,          /* it is known who is asking, and they may not */
	SR_CONFLICT,        /* the state of the thing forbids it now */
	SR_PRECONDITION,    /* a condition that the caller set does not hold */
	SR_RANGE,           /* the range asked for lies outside the data */
	SR_TOO_LARGE,       /* past a limit on size or number */
	SR_CORRUPT,         /* bytes at rest do not open: flipped, cut, swapped or replayed */
	SR_WRONG_KEY,       /* bytes at rest are whole but sealed under another key */
	SR_REVOKED,         /* the key may not be used now: disabled, expired, removed, or its lease ran out */
	SR_TIMEOUT,         /* a deadline passed */
	SR_CLOSED,          /* the peer ended the connection */
	SR_UNAVAILABLE,     /* a service that is needed cannot be reached now */
	SR_NO_MEMORY,       /* memory ran out for a size that a caller chose */
	SR_NO_SPACE,        /* the disk or a quota is full */
	SR_IO,              /* the operating system failed to read or write */
	SR_CRYPTO,          /* the cryptographic library refused */
	SR_PROTOCOL,        /* a peer broke the protocol */
	SR_INTERNAL         /* a defect of ours */
};

struct sr_error; /* opaque; owned by the result that carries it */

/* Success is {NULL}. One member, so that it cannot pass for a bool or a number. */
struct sr_result {
	struct sr_error *error;
};

#define SR_MUST                        __attribute__((warn_unused_result))
#define SR_NONNULL                     __attribute__((returns_nonnull))
#define SR_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))

/* Runs sr_TYPE_cleanup on a local when it leaves scope: `SR_CLEANUP(sr_buf) struct sr_buf b;` */
#define SR_CLEANUP(type) __attribute__((cleanup(type##_cleanup)))

/* Takes the value out of a pointer variable and leaves NULL: a visible transfer of ownership. */
#define SR_TAKE(pointer)                                \
	({                                                  \
		__typeof__(pointer) *sr_take_from = &(pointer); \
		__typeof__(pointer) sr_taken = *sr_take_from;   \
		*sr_take_from = NULL;                           \
		sr_taken;                                       \
	})

/* Passes an error on to the caller. The only macro of this family. */
#define SR_TRY(expression)                                  \
	do {                                                    \
		struct sr_error *sr_try_error = (expression).error; \
		if (sr_try_error) {                                 \
			return (struct sr_result){sr_try_error};        \
		}                                                   \
	} while (0)

/* Takes a result out of a variable that cleans up and leaves success there. */
static inline struct sr_result sr_result_take(struct sr_result *from)
{
	struct sr_result taken = *from;
	from->error = 0;
	return taken;
}

/* The success value. */
static inline struct sr_result sr_ok(void)
{
	return (struct sr_result){0};
}

static inline bool sr_is_ok(struct sr_result result)
{
	return !result.error;
}

/* The result that carries this error, which it owns. */
SR_MUST static inline struct sr_result sr_failure(struct sr_error *error)
{
#ifdef __clang__
	__builtin_assume(error != 0); /* so that its analyser never takes a failure for a success */
#endif
	return (struct sr_result){error};
}

/*
 * Makes an error that says what was being done and to what, for people; no secret and no
 * customer's name goes into it unless it only travels back to that customer.
 * Never fails: out of memory it yields a fixed SR_NO_MEMORY error.
 */
#define sr_fail(code, ...) sr_failure(sr_error_new((code), NULL, __VA_ARGS__))
/* The same with a protocol's own symbol for the reason ("BlobNotFound"); `reason` must be a string literal. */
#define sr_fail_as(code, reason, ...) sr_failure(sr_error_new((code), (reason), __VA_ARGS__))
/* The same for a failed system call: the code and text follow from `error_number` (an errno value). */
#define sr_fail_errno(error_number, ...) sr_failure(sr_error_of_errno((error_number), __VA_ARGS__))

/* What these macros stand on. */
SR_PRINTF(3, 4)
struct sr_error *sr_error_new(enum sr_code code, const char *reason, const char *format, ...) SR_NONNULL;
SR_PRINTF(2, 3)
struct sr_error *sr_error_of_errno(int error_number, const char *format, ...) SR_NONNULL;

/* What it was; SR_OK for success. */
enum sr_code sr_result_code(struct sr_result result);
/* The protocol's symbol, or NULL if none was given. Borrowed, static. */
const char *sr_result_reason(struct sr_result result);
/* The text for people; "" for success. Borrowed from the result. */
const char *sr_result_message(struct sr_result result);

/* Ends an error that was handled; harmless on success. A result is freed once, or passed on. */
void sr_result_free(struct sr_result result);
/* For SR_CLEANUP(sr_result). */
void sr_result_cleanup(struct sr_result *result);

/* Ends an error that may be ignored, and says at the call that it is: `sr_ignore(f())`. */
static inline void sr_ignore(struct sr_result result)
{
	sr_result_free(result);
}

/* Runs `next` even where `first` failed and keeps the first error. */
SR_MUST struct sr_result sr_first_error(struct sr_result first, struct sr_result next);

#endif
