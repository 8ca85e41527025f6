/*
 * CRC-64 with the polynomial 0xAD93D23594C93659, reflected, all ones in and out. Folds 64 bytes a
 * step by carry-less multiplication where the processor can ("Fast CRC Computation for Generic Polynomials Using
 * PCLMULQDQ", Intel 2009), else eight bytes a step by tables. All constants are computed from the polynomial.
 */
#include "seal/crc64.h"

#include <pthread.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { SLICE_COUNT = 8, FOLD_LEN = 16, LANE_COUNT = 4, STEP_LEN = FOLD_LEN * LANE_COUNT };
static const uint64_t polynomial = 0x9A6C9329AC4BC9B5; /* bit 0 is the coefficient of x^63 */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t slices[SLICE_COUNT][256];
static struct {
	uint64_t low, high;
} fold_step, fold_lane; /* multiply the first and second half of 16 bytes to move them on by STEP_LEN, FOLD_LEN */
static bool can_fold;

static uint64_t times_x(uint64_t value)
{
	return value >> 1 ^ (polynomial & -(value & 1));
}

static uint64_t x_to_the(unsigned power)
{
	uint64_t value = 1ULL << 63;
	while (power--) {
		value = times_x(value);
	}
	return value;
}

static void prepare(void)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		uint64_t crc = byte;
		for (int bit = 0; bit < 8; bit++) {
			crc = times_x(crc);
		}
		slices[0][byte] = crc;
	}
	for (unsigned slice = 1; slice < SLICE_COUNT; slice++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			uint64_t crc = slices[slice - 1][byte];
			slices[slice][byte] = crc >> 8 ^ slices[0][crc & 0xFF];
		}
	}
	/* A reflected carry-less product comes out multiplied by x, hence one power less. */
	fold_step.low = x_to_the(8 * STEP_LEN + 63);
	fold_step.high = x_to_the(8 * STEP_LEN - 1);
	fold_lane.low = x_to_the(8 * FOLD_LEN + 63);
	fold_lane.high = x_to_the(8 * FOLD_LEN - 1);
#if defined(__x86_64__)
	can_fold = __builtin_cpu_supports("pclmul");
#endif
}

static uint64_t by_tables(uint64_t crc, struct sr_bytes bytes)
{
	const uint8_t *at = bytes.data;
	size_t left = bytes.len;
	for (; left >= 8; at += 8, left -= 8) {
		for (int i = 0; i < 8; i++) {
			crc ^= (uint64_t)at[i] << 8 * i;
		}
		uint64_t next = 0;
		for (int i = 0; i < 8; i++) {
			next ^= slices[7 - i][crc >> 8 * i & 0xFF];
		}
		crc = next;
	}
	for (; left; at++, left--) {
		crc = crc >> 8 ^ slices[0][(crc ^ *at) & 0xFF];
	}
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("pclmul"))) static inline __m128i fold(__m128i value, __m128i constants, __m128i next)
{
	__m128i first = _mm_clmulepi64_si128(value, constants, 0x00);
	__m128i second = _mm_clmulepi64_si128(value, constants, 0x11);
	return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

/* At least STEP_LEN bytes. */
__attribute__((target("pclmul"))) static uint64_t by_folding(uint64_t crc, struct sr_bytes bytes)
{
	const __m128i step = _mm_set_epi64x((long long)fold_step.high, (long long)fold_step.low);
	const __m128i lane = _mm_set_epi64x((long long)fold_lane.high, (long long)fold_lane.low);
	const __m128i *at = (const __m128i *)(const void *)bytes.data;
	__m128i lanes[LANE_COUNT];
	for (int i = 0; i < LANE_COUNT; i++) {
		lanes[i] = _mm_loadu_si128(at++);
	}
	lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128((long long)crc));
	size_t left = bytes.len - STEP_LEN;
	for (; left >= STEP_LEN; left -= STEP_LEN) {
		for (int i = 0; i < LANE_COUNT; i++) {
			lanes[i] = fold(lanes[i], step, _mm_loadu_si128(at++));
		}
	}
	__m128i all = lanes[0];
	for (int i = 1; i < LANE_COUNT; i++) {
		all = fold(all, lane, lanes[i]);
	}
	uint8_t folded[FOLD_LEN];
	_mm_storeu_si128((__m128i *)(void *)folded, all);
	crc = by_tables(0, sr_bytes_of(folded, sizeof folded));
	return by_tables(crc, sr_bytes_of(at, left));
}
#else
static uint64_t by_folding(uint64_t crc, struct sr_bytes bytes)
{
	return by_tables(crc, bytes);
}
#endif

uint64_t sr_crc64(uint64_t crc, struct sr_bytes bytes)
{
	pthread_once(&once, prepare);
	return ~(can_fold && bytes.len >= STEP_LEN ? by_folding(~crc, bytes) : by_tables(~crc, bytes));
}
