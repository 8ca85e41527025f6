/*
 * The time of comparing secrets tells nothing of them: Welch's t-test over two classes of inputs, taken in random
 * order, as dudect has it (Reparaz, Balasch, Verbauwhede 2017). A comparison that leaks is planted, and the same
 * harness finds it. On a busy machine single samples are off by far: each is the least of several, the slowest part of
 * all is cut away, and a leak counts only if it is seen in every one of three rounds.
 */
#include "fixture.h"

#include "base/clock.h"
#include "base/random.h"

#include <math.h>

enum { SAMPLES = 4000, INNER = 3, REPEATS = 4, ROUNDS = 3, SECRET_LEN = 43, KEPT_PERCENT = 60 };
/* dudect: with t over 10 it is as good as sure that there is a leak. The squares are compared. */
static const double leak_t2 = 10 * 10;

/* One comparison with an input of class 0 or 1. */
typedef void (*work)(unsigned class, void *context);

static int ascending(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;
	return left < right ? -1 : left > right;
}

static double measure_once(work compare, unsigned class, void *context)
{
	double least = INFINITY;
	for (int i = 0; i < INNER; i++) {
		uint64_t from = sr_boottime_ns();
		for (int repeat = 0; repeat < REPEATS; repeat++) {
			compare(class, context);
		}
		double took = (double)(sr_boottime_ns() - from);
		least = took < least ? took : least;
	}
	return least;
}

static void mean_and_variance(const double *samples, size_t count, double *ret_mean, double *ret_variance)
{
	double sum = 0;
	double squares = 0;
	for (size_t i = 0; i < count; i++) {
		sum += samples[i];
	}
	*ret_mean = sum / (double)count;
	for (size_t i = 0; i < count; i++) {
		squares += (samples[i] - *ret_mean) * (samples[i] - *ret_mean);
	}
	*ret_variance = squares / (double)(count - 1);
}

/* t squared of the samples of both classes that lie below a common limit. */
static double welch(double *samples[2], const size_t *counts)
{
	static double all[SAMPLES];
	size_t kept[2] = {0};
	double mean[2];
	double variance[2];
	memcpy(all, samples[0], counts[0] * sizeof *all);
	memcpy(all + counts[0], samples[1], counts[1] * sizeof *all);
	qsort(all, counts[0] + counts[1], sizeof *all, ascending);
	double limit = all[(counts[0] + counts[1]) * KEPT_PERCENT / 100];
	for (int class = 0; class < 2; class ++) {
		for (size_t i = 0; i < counts[class]; i++) {
			if (samples[class][i] <= limit) {
				samples[class][kept[class]++] = samples[class][i];
			}
		}
		if (kept[class] < 10) {
			return INFINITY; /* one class is slower altogether */
		}
		mean_and_variance(samples[class], kept[class], &mean[class], &variance[class]);
	}
	double apart = mean[0] - mean[1];
	double spread = variance[0] / (double)kept[0] + variance[1] / (double)kept[1];
	if (spread > 0) {
		return apart * apart / spread;
	}
	return mean[0] == mean[1] ? 0 : INFINITY; /* a clock of coarse steps may give no spread at all */
}

static double round_of(work compare, void *context)
{
	static double space[2][SAMPLES];
	double *samples[2] = {space[0], space[1]};
	size_t counts[2] = {0};
	static uint8_t order[SAMPLES];
	sr_random(order, sizeof order);
	for (int i = 0; i < SAMPLES; i++) {
		unsigned class = order[i] & 1;
		samples[class][counts[class]++] = measure_once(compare, class, context);
	}
	return welch(samples, counts);
}

/* The least of the rounds: what the machine does besides differs from one to the next, a leak does not. */
static double least_t2(work compare, void *context)
{
	double least = INFINITY;
	for (int i = 0; i < ROUNDS && least > leak_t2; i++) {
		double t = round_of(compare, context);
		least = t < least ? t : least;
	}
	return least;
}

struct inputs {
	struct sr_client_secrets secrets[2];
	struct sr_bytes presented[2];
	struct sr_bytes secret;
};

static void judge(unsigned class, void *context)
{
	const struct inputs *inputs = context;
	size_t which;
	volatile enum sr_secret_verdict verdict =
	    sr_client_secrets_judge(&inputs->secrets[class], inputs->presented[class], NOW_S, &which);
	(void)verdict;
}

static void fill_secrets(struct sr_client_secrets *secrets, size_t count, struct sr_bytes last)
{
	*secrets = (struct sr_client_secrets){.count = count};
	for (size_t i = 0; i < count; i++) {
		char other[SECRET_LEN + 1];
		snprintf(other, sizeof other, "%043zu", i);
		expect_ok(sr_secret_hash(i + 1 == count ? last : sr_bytes_str(other), secrets->items[i].hash));
		secrets->items[i].expires_s = INT64_MAX;
	}
}

static const char right[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";
static const char wrong_at_once[] = "_bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";
static const char wrong_at_last[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP_";

static void how_much_of_a_secret_is_right_does_not_show(void **state)
{
	(void)state;
	static struct inputs inputs;
	fill_secrets(&inputs.secrets[0], 1, sr_bytes_str(right));
	inputs.secrets[1] = inputs.secrets[0];
	inputs.presented[0] = sr_bytes_str(wrong_at_once);
	inputs.presented[1] = sr_bytes_str(wrong_at_last);
	assert_true(least_t2(judge, &inputs) < leak_t2);
}

static void which_secret_it_is_or_none_does_not_show(void **state)
{
	(void)state;
	static struct inputs inputs;
	fill_secrets(&inputs.secrets[0], SR_PRINCIPAL_SECRETS_MAX, sr_bytes_str(right));
	inputs.secrets[1] = inputs.secrets[0];
	inputs.presented[0] = sr_bytes_str(right);
	inputs.presented[1] = sr_bytes_str(wrong_at_last);
	assert_true(least_t2(judge, &inputs) < leak_t2);
}

static void whether_the_principal_exists_does_not_show(void **state)
{
	(void)state;
	static struct inputs inputs;
	fill_secrets(&inputs.secrets[0], SR_PRINCIPAL_SECRETS_MAX, sr_bytes_str(right));
	fill_secrets(&inputs.secrets[1], 0, (struct sr_bytes){0});
	inputs.presented[0] = sr_bytes_str(wrong_at_last);
	inputs.presented[1] = sr_bytes_str(wrong_at_last);
	assert_true(least_t2(judge, &inputs) < leak_t2);
}

/* As memcmp and strcmp are written: ends at the first difference. */
static __attribute__((noinline)) bool ends_early(struct sr_bytes presented, struct sr_bytes secret)
{
	for (size_t i = 0; i < secret.len; i++) {
		if (presented.data[i] != secret.data[i]) {
			return false;
		}
	}
	return true;
}

static void compare_leaking(unsigned class, void *context)
{
	const struct inputs *inputs = context;
	volatile bool is_right = ends_early(inputs->presented[class], inputs->secret);
	(void)is_right;
}

/* Hashes as the true one does, but stops at the secret that fits. */
static void judge_leaking(unsigned class, void *context)
{
	const struct inputs *inputs = context;
	const struct sr_client_secrets *secrets = &inputs->secrets[class];
	size_t i = 0;
	while (i < secrets->count && !sr_secret_hash_matches(inputs->presented[class], secrets->items[i].hash)) {
		i++;
	}
}

static void planted_leaks_are_found(void **state)
{
	(void)state;
	static struct inputs inputs;
	fill_secrets(&inputs.secrets[0], SR_PRINCIPAL_SECRETS_MAX, sr_bytes_str(right));
	inputs.secrets[1] = inputs.secrets[0];
	inputs.secret = sr_bytes_str(right);
	inputs.presented[0] = sr_bytes_str(wrong_at_once);
	inputs.presented[1] = sr_bytes_str(wrong_at_last);
	assert_true(least_t2(compare_leaking, &inputs) > leak_t2);
	inputs.presented[0] = SR_LITERAL("0000000000000000000000000000000000000000000");
	assert_true(least_t2(judge_leaking, &inputs) > leak_t2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(how_much_of_a_secret_is_right_does_not_show),
	    cmocka_unit_test(which_secret_it_is_or_none_does_not_show),
	    cmocka_unit_test(whether_the_principal_exists_does_not_show),
	    cmocka_unit_test(planted_leaks_are_found),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
