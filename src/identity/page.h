/*
 * Pages for people: HTML that needs no script, no image and nothing from elsewhere. What is said on them is the
 * caller's; here are their frame, their style, and writing of text that cannot become markup.
 */
#ifndef SR_IDENTITY_PAGE_H
#define SR_IDENTITY_PAGE_H

#include "base/arena.h"
#include "base/bytes.h"

enum { SR_PAGE_MAX = 65536 };

/* Begins a page, whose title is its heading too; and ends it. */
void sr_page_begin(struct sr_buf *page, const char *title);
void sr_page_end(struct sr_buf *page);
/* Text, escaped for content and for attributes in double quotes. */
void sr_page_text(struct sr_buf *page, const char *text);
/* <p class="…">text</p>; `role` may be NULL ("alert" for errors). */
void sr_page_paragraph(struct sr_buf *page, const char *kind, const char *role, const char *text);
/* A form that posts to `action` with its token and step; and its end. */
void sr_page_form_begin(struct sr_buf *page, const char *action, const char *token, const char *step);
void sr_page_form_end(struct sr_buf *page);

/* A labelled field. */
struct sr_page_field {
	const char *name, *label, *type;
	const char *autocomplete; /* what browsers and password keepers know it by */
	const char *value, *hint; /* may be NULL */
	const char *attributes;   /* literal markup, may be NULL */
};
void sr_page_field(struct sr_buf *page, const struct sr_page_field *field);
/* A submit button; `kind` is a class of the style: "main" or "plain". */
void sr_page_button(struct sr_buf *page, const char *kind, const char *name, const char *value, const char *label);

/* The value of Content-Security-Policy for these pages: their one style by its hash, forms to this origin, else
 * nothing. In the arena. */
const char *sr_page_policy(struct sr_arena *arena);

#endif
