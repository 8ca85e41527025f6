/*
 * Dates as HTTP and Azure write them, to and from Unix time, in the proleptic Gregorian calendar.
 * Written out rather than left to the C library, whose functions follow the locale and take a lock.
 */
#include "wire/time.h"

#include <stdio.h>
#include <string.h>

enum { DAY_S = 86400, US_PER_S = 1000000, ERA_DAYS = 146097 };

static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char weekdays[][10] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

/* A moment in its parts; month and day count from 1, weekday from Sunday = 0. */
struct moment {
	unsigned year, month, day, hour, minute, second, weekday;
};

/* Days since 1970-01-01. Years run from March here, so that the leap day is the last; an era is 400 years. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
	int64_t from_march = (int64_t)year - (month <= 2);
	int64_t era = (from_march >= 0 ? from_march : from_march - 399) / 400;
	int64_t year_of_era = from_march - era * 400;
	int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * ERA_DAYS + day_of_era - 719468;
}

/* The largest and smallest second that four digits of year can say. */
static int64_t within_four_digits(int64_t unix_s)
{
	const int64_t first = -62167219200; /* 0000-01-01T00:00:00Z */
	const int64_t last = 253402300799;  /* 9999-12-31T23:59:59Z */
	return unix_s < first ? first : unix_s > last ? last : unix_s;
}

static struct moment moment_of(int64_t unix_s)
{
	unix_s = within_four_digits(unix_s);
	int64_t days = unix_s / DAY_S - (unix_s % DAY_S < 0);
	unsigned second_of_day = (unsigned)(unix_s - days * DAY_S);
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t day_of_era = shifted - era * ERA_DAYS;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (ERA_DAYS - 1)) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * day_of_year + 2) / 153;
	unsigned month = (unsigned)(month_from_march + (month_from_march < 10 ? 3 : -9));
	return (struct moment){
	    .year = (unsigned)(year_of_era + era * 400 + (month <= 2)),
	    .month = month,
	    .day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
	    .hour = second_of_day / 3600,
	    .minute = second_of_day / 60 % 60,
	    .second = second_of_day % 60,
	    .weekday = (unsigned)(((days + 4) % 7 + 7) % 7),
	};
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && is_leap ? 1U : 0U);
}

/* False if the parts are no moment; the leap second 60 counts as the next minute's first. */
static bool unix_of(const struct moment *moment, int64_t *ret_unix_s)
{
	if (moment->month < 1 || moment->month > 12 || moment->day < 1 ||
	    moment->day > days_in_month(moment->year, moment->month) || moment->hour > 23 || moment->minute > 59 ||
	    moment->second > 60) {
		return false;
	}
	*ret_unix_s = days_of(moment->year, moment->month, moment->day) * DAY_S + (int64_t)moment->hour * 3600 +
	              (int64_t)moment->minute * 60 + (int64_t)moment->second;
	return true;
}

void sr_http_date(int64_t unix_s, char ret_text[static SR_HTTP_DATE_LEN])
{
	struct moment at = moment_of(unix_s);
	snprintf(ret_text, SR_HTTP_DATE_LEN, "%.3s, %02u %s %04u %02u:%02u:%02u GMT", weekdays[at.weekday], at.day % 100,
	         months[at.month - 1], at.year % 10000, at.hour % 100, at.minute % 100, at.second % 100);
}

void sr_iso_time(int64_t unix_s, char ret_text[static SR_ISO_TIME_LEN])
{
	struct moment at = moment_of(unix_s);
	snprintf(ret_text, SR_ISO_TIME_LEN, "%04u-%02u-%02uT%02u:%02u:%02uZ", at.year % 10000, at.month % 100, at.day % 100,
	         at.hour % 100, at.minute % 100, at.second % 100);
}

void sr_iso_time_us(int64_t unix_us, char ret_text[static SR_ISO_TIME_LEN])
{
	int64_t unix_s = unix_us / US_PER_S - (unix_us % US_PER_S < 0);
	unsigned us = (unsigned)(unix_us - unix_s * US_PER_S);
	struct moment at = moment_of(unix_s);
	snprintf(ret_text, SR_ISO_TIME_LEN, "%04u-%02u-%02uT%02u:%02u:%02u.%06u0Z", at.year % 10000, at.month % 100,
	         at.day % 100, at.hour % 100, at.minute % 100, at.second % 100, us % US_PER_S);
}

/* A cursor over text: each step takes what it expects, or fails the whole. */
struct scan {
	struct sr_bytes left;
	bool failed;
};

static void skip(struct scan *scan, size_t len)
{
	scan->left = sr_bytes_of(scan->left.data + len, scan->left.len - len);
}

static void expect(struct scan *scan, const char *text)
{
	struct sr_bytes wanted = sr_bytes_str(text);
	if (scan->failed || !sr_bytes_start_with(scan->left, wanted)) {
		scan->failed = true;
		return;
	}
	skip(scan, wanted.len);
}

/* Takes the character if it stands there. */
static bool take_if(struct scan *scan, uint8_t wanted)
{
	if (scan->failed || scan->left.len == 0 || scan->left.data[0] != wanted) {
		return false;
	}
	skip(scan, 1);
	return true;
}

/* Exactly `digits` decimal digits. */
static unsigned number(struct scan *scan, size_t digits)
{
	unsigned value = 0;
	for (size_t i = 0; i < digits && !scan->failed; i++) {
		uint8_t digit = scan->left.len ? (uint8_t)(scan->left.data[0] - '0') : 10;
		if (digit > 9) {
			scan->failed = true;
			return 0;
		}
		value = value * 10 + digit;
		skip(scan, 1);
	}
	return value;
}

/* One of the names, by its first `len` characters (0: the whole name); its position. */
static unsigned name(struct scan *scan, const char *names, size_t stride, size_t count, size_t len)
{
	for (size_t i = 0; i < count && !scan->failed; i++) {
		struct sr_bytes wanted = sr_bytes_str(names + i * stride);
		if (len) {
			wanted.len = len;
		}
		if (sr_bytes_start_with(scan->left, wanted)) {
			skip(scan, wanted.len);
			return (unsigned)i;
		}
	}
	scan->failed = true;
	return 0;
}

static unsigned month_name(struct scan *scan)
{
	return name(scan, months[0], sizeof months[0], sizeof months / sizeof *months, 0) + 1;
}

/* The weekday is checked to be one, not to be the right one: clients get it wrong and nothing hangs on it. */
static void weekday_name(struct scan *scan, size_t len)
{
	name(scan, weekdays[0], sizeof weekdays[0], sizeof weekdays / sizeof *weekdays, len);
}

static void clock_time(struct scan *scan, struct moment *at)
{
	at->hour = number(scan, 2);
	expect(scan, ":");
	at->minute = number(scan, 2);
	expect(scan, ":");
	at->second = number(scan, 2);
}

/* IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT". */
static void preferred_date(struct scan *scan, struct moment *at)
{
	weekday_name(scan, 3);
	expect(scan, ", ");
	at->day = number(scan, 2);
	expect(scan, " ");
	at->month = month_name(scan);
	expect(scan, " ");
	at->year = number(scan, 4);
	expect(scan, " ");
	clock_time(scan, at);
	expect(scan, " GMT");
}

/* RFC 850: "Sunday, 06-Nov-94 08:49:37 GMT"; the century by POSIX's rule (69 to 99 are the last one). */
static void rfc850_date(struct scan *scan, struct moment *at)
{
	weekday_name(scan, 0);
	expect(scan, ", ");
	at->day = number(scan, 2);
	expect(scan, "-");
	at->month = month_name(scan);
	expect(scan, "-");
	at->year = number(scan, 2);
	at->year += at->year < 69 ? 2000 : 1900;
	expect(scan, " ");
	clock_time(scan, at);
	expect(scan, " GMT");
}

/* asctime: "Sun Nov  6 08:49:37 1994". */
static void asctime_date(struct scan *scan, struct moment *at)
{
	weekday_name(scan, 3);
	expect(scan, " ");
	at->month = month_name(scan);
	expect(scan, " ");
	at->day = take_if(scan, ' ') ? number(scan, 1) : number(scan, 2);
	expect(scan, " ");
	clock_time(scan, at);
	expect(scan, " ");
	at->year = number(scan, 4);
}

struct sr_result sr_http_date_parse(struct sr_bytes text, int64_t *ret_unix_s)
{
	static void (*const forms[])(struct scan *, struct moment *) = {preferred_date, rfc850_date, asctime_date};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		struct scan scan = {.left = text};
		struct moment at = {0};
		forms[i](&scan, &at);
		if (!scan.failed && scan.left.len == 0 && unix_of(&at, ret_unix_s)) {
			return sr_ok();
		}
	}
	return sr_fail(SR_INVALID, "not an HTTP date (\"Sun, 06 Nov 1994 08:49:37 GMT\")");
}

/* The digits behind the decimal point, one to seven, in microseconds; the seventh is below what we keep. */
static unsigned fraction_us(struct scan *scan)
{
	unsigned us = 0;
	unsigned weight = US_PER_S / 10;
	us += number(scan, 1) * weight;
	for (size_t i = 1; i < 7 && scan->left.len && scan->left.data[0] != 'Z'; i++) {
		weight /= 10;
		us += number(scan, 1) * weight;
	}
	return us;
}

/* What follows the date: "T12:00Z", "T12:00:00Z", "T12:00:00.1234567Z". Gives the fraction. */
static unsigned iso_clock(struct scan *scan, struct moment *at)
{
	unsigned us = 0;
	expect(scan, "T");
	at->hour = number(scan, 2);
	expect(scan, ":");
	at->minute = number(scan, 2);
	if (take_if(scan, ':')) {
		at->second = number(scan, 2);
		us = take_if(scan, '.') ? fraction_us(scan) : 0;
	}
	expect(scan, "Z");
	return us;
}

struct sr_result sr_iso_time_parse(struct sr_bytes text, int64_t *ret_unix_us)
{
	struct scan scan = {.left = text};
	struct moment at = {0};
	at.year = number(&scan, 4);
	expect(&scan, "-");
	at.month = number(&scan, 2);
	expect(&scan, "-");
	at.day = number(&scan, 2);
	unsigned us = scan.left.len ? iso_clock(&scan, &at) : 0;
	int64_t unix_s;
	if (scan.failed || scan.left.len || !unix_of(&at, &unix_s)) {
		return sr_fail(SR_INVALID, "not a time in UTC (\"2026-11-24T12:00:00Z\")");
	}
	*ret_unix_us = unix_s * US_PER_S + us;
	return sr_ok();
}
