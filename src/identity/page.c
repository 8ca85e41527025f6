/* The frame and style of pages. */
#include "identity/page.h"

#include "base/text.h"
#include "seal/crypto.h"

#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1b1f24;--paper:#f4f5f7;--card:#fff;--quiet:#57606a;--line:#c9ced6;"
    "--main:#14532d;--on-main:#fff;--bad:#9f1239;--bad-paper:#fff1f2}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--paper:#0f1215;--card:#181c21;--quiet:#9aa4af;--line:#"
    "39414a;"
    "--main:#86efac;--on-main:#052e16;--bad:#fda4af;--bad-paper:#3b0f1b}}"
    "*{box-sizing:border-box}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--paper);"
    "color:var(--ink);font:1rem/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}"
    "main{width:100%;max-width:27rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;"
    "padding:2rem}"
    ".brand{margin:0 0 1.25rem;color:var(--quiet);font-size:.875rem;letter-spacing:.04em}"
    "h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}"
    "p{margin:0 0 1rem}"
    ".quiet{color:var(--quiet);font-size:.9rem}"
    ".error{padding:.75rem 1rem;border-left:4px solid var(--bad);background:var(--bad-paper);color:var(--bad)}"
    "label{display:block;margin:0 0 .25rem;font-weight:600}"
    "input{width:100%;margin:0 0 1rem;padding:.7rem .8rem;border:1px solid var(--quiet);border-radius:.5rem;"
    "background:var(--card);color:inherit;font:inherit}"
    ".code{font-family:ui-monospace,Consolas,'DejaVu Sans Mono',monospace;font-size:1.35rem;letter-spacing:.15em;"
    "text-transform:uppercase}"
    ".hint{display:block;margin:-.6rem 0 1rem;color:var(--quiet);font-size:.85rem}"
    "dl{margin:0 0 1rem;padding:1rem;border:1px solid var(--line);border-radius:.5rem}"
    "dt{color:var(--quiet);font-size:.85rem}dd{margin:0 0 .6rem;overflow-wrap:anywhere}dd:last-child{margin:0}"
    ".buttons{display:flex;gap:.75rem;flex-wrap:wrap}"
    "button{flex:1 1 8rem;padding:.7rem 1rem;border-radius:.5rem;border:1px solid var(--main);font:inherit;"
    "font-weight:600;cursor:pointer}"
    ".main{background:var(--main);color:var(--on-main)}.plain{background:transparent;color:inherit;"
    "border-color:var(--quiet)}"
    "input:focus-visible,button:focus-visible{outline:3px solid var(--main);outline-offset:2px}";

void sr_page_text(struct sr_buf *page, const char *text)
{
	static const struct {
		char letter;
		const char *written;
	} escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
	for (; *text; text++) {
		size_t i = 0;
		while (i < sizeof escapes / sizeof *escapes && escapes[i].letter != *text) {
			i++;
		}
		if (i < sizeof escapes / sizeof *escapes) {
			sr_buf_append_str(page, escapes[i].written);
		} else {
			sr_buf_append_u8(page, (uint8_t)*text);
		}
	}
}

void sr_page_begin(struct sr_buf *page, const char *title)
{
	sr_buf_append_str(page, "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
	                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
	sr_page_text(page, title);
	sr_buf_append_str(page, " - Strongroom</title><style>");
	sr_buf_append_str(page, style);
	sr_buf_append_str(page, "</style></head><body><main><p class=\"brand\">Strongroom</p><h1>");
	sr_page_text(page, title);
	sr_buf_append_str(page, "</h1>");
}

void sr_page_end(struct sr_buf *page)
{
	sr_buf_append_str(page, "</main></body></html>\n");
}

static void attribute(struct sr_buf *page, const char *name, const char *value)
{
	if (value) {
		sr_buf_printf(page, " %s=\"", name);
		sr_page_text(page, value);
		sr_buf_append_str(page, "\"");
	}
}

void sr_page_paragraph(struct sr_buf *page, const char *kind, const char *role, const char *text)
{
	sr_buf_append_str(page, "<p");
	attribute(page, "class", kind);
	attribute(page, "role", role);
	sr_buf_append_str(page, ">");
	sr_page_text(page, text);
	sr_buf_append_str(page, "</p>");
}

static void hidden(struct sr_buf *page, const char *name, const char *value)
{
	sr_buf_append_str(page, "<input type=\"hidden\"");
	attribute(page, "name", name);
	attribute(page, "value", value);
	sr_buf_append_str(page, ">");
}

void sr_page_form_begin(struct sr_buf *page, const char *action, const char *token, const char *step)
{
	sr_buf_append_str(page, "<form method=\"post\"");
	attribute(page, "action", action);
	sr_buf_append_str(page, ">");
	hidden(page, "form_token", token);
	hidden(page, "step", step);
}

void sr_page_form_end(struct sr_buf *page)
{
	sr_buf_append_str(page, "</form>");
}

void sr_page_field(struct sr_buf *page, const struct sr_page_field *field)
{
	sr_buf_append_str(page, "<label");
	attribute(page, "for", field->name);
	sr_buf_append_str(page, ">");
	sr_page_text(page, field->label);
	sr_buf_append_str(page, "</label><input");
	attribute(page, "id", field->name);
	attribute(page, "name", field->name);
	attribute(page, "type", field->type);
	attribute(page, "autocomplete", field->autocomplete);
	attribute(page, "value", field->value);
	if (field->hint) {
		sr_buf_printf(page, " aria-describedby=\"%s-hint\"", field->name);
	}
	sr_buf_append_str(page, field->attributes ? field->attributes : "");
	sr_buf_append_str(page, " required>");
	if (field->hint) {
		sr_buf_printf(page, "<span class=\"hint\" id=\"%s-hint\">", field->name);
		sr_page_text(page, field->hint);
		sr_buf_append_str(page, "</span>");
	}
}

void sr_page_button(struct sr_buf *page, const char *kind, const char *name, const char *value, const char *label)
{
	sr_buf_append_str(page, "<button type=\"submit\"");
	attribute(page, "class", kind);
	attribute(page, "name", name);
	attribute(page, "value", value);
	sr_buf_append_str(page, ">");
	sr_page_text(page, label);
	sr_buf_append_str(page, "</button>");
}

const char *sr_page_policy(struct sr_arena *arena)
{
	uint8_t digest[SR_DIGEST_MAX];
	size_t len = sr_digest_of(SR_DIGEST_SHA256, sr_bytes_of(style, sizeof style - 1), digest);
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(128);
	sr_base64_encode(&text, sr_bytes_of(digest, len));
	return sr_arena_printf(arena,
	                       "default-src 'none'; style-src 'sha256-%s'; form-action 'self'; frame-ancestors 'none'; "
	                       "base-uri 'none'",
	                       sr_buf_text(&text));
}
