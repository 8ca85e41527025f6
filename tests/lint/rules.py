#!/usr/bin/env python3
"""The project's own rules about its source, each with its name. Prints `ok RULE` or `FAIL RULE FILE:LINE why`.

usage: tests/lint/rules.py [--plant]
--plant checks the checker: every rule must find a violation that is planted for it.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ['identity', 'vault', 'blob', 'workspace']
LOWER = ['base', 'seal', 'wire', 'net', 'keyring', 'access', 'audit', 'host']
# The arrows of ARCHITECTURE.md: what a room may include besides itself.
MAY_INCLUDE = {
    'base': [],
    'seal': ['base'],
    'wire': ['base'],
    'net': ['base', 'seal', 'wire'],
    'keyring': ['base', 'seal', 'wire', 'net'],
    'access': ['base', 'seal', 'wire', 'net'],
    'audit': ['base', 'seal', 'wire', 'net'],
    'host': ['base', 'seal', 'wire', 'net', 'keyring', 'access', 'audit'],
    **{service: LOWER for service in SERVICES},
    'cli': LOWER + SERVICES,
}
# The headers that give a room's secrets to the one room that needs them.
PRIVATE = {
    'seal/secret_bytes.h': ['seal'],
    'seal/certificate_native.h': ['seal', 'net'],
}
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')


def blank(match):
    """Keeps line numbers while hiding comments and strings."""
    return re.sub(r'[^\n]', ' ', match.group(0))


def code_of(text):
    return STRING.sub(blank, COMMENT.sub(blank, text))


def matches(pattern, path, text, why):
    for found in re.finditer(pattern, code_of(text)):
        yield path, text.count('\n', 0, found.start()) + 1, why


def room_of(path):
    return path.split('/')[1]


def include_graph(path, text):
    room = room_of(path)
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not found:
            continue
        header = found.group(1)
        target = header.split('/')[0]
        if '/' not in header or target not in MAY_INCLUDE:
            yield path, number, f'"{header}" is not named by its room'
        elif target != room and target not in MAY_INCLUDE[room]:
            yield path, number, f'{room} may not include {target}'
        elif header in PRIVATE and room not in PRIVATE[header]:
            yield path, number, f'{header} is private'


def own_header_first(path, text):
    if not path.endswith('.c'):
        return
    own = path[len('src/'):-2] + '.h'
    first = re.search(r'^\s*#\s*include\s+["<]([^">]+)', text, re.M)
    if (ROOT / 'src' / own).exists() and first and first.group(1) != own:
        yield path, 1, f'includes {first.group(1)} before its own header'


def no_bare_allocation(path, text):
    if room_of(path) != 'base':
        yield from matches(r'\b(malloc|calloc|realloc|strdup|strndup|asprintf|vasprintf|free)\s*\(', path, text,
                           'memory comes from base/memory.h or an arena')


def no_memcmp(path, text):
    if not path.startswith('src/base/bytes'):
        yield from matches(r'\b(memcmp|bcmp|timingsafe_bcmp)\s*\(', path, text, 'say sr_equal_public or sr_equal_ct')


def writing_only_in_seal(path, text):
    if room_of(path) not in ('seal',):
        yield from matches(r'\b(fopen|creat|mkstemp|mkostemp|tmpfile|freopen)\s*\(|\bO_(WRONLY|RDWR|CREAT)\b', path, text,
                           'only seal opens files for writing')


def sockets_only_in_net(path, text):
    if room_of(path) not in ('net', 'host'):
        yield from matches(r'\b(socket|socketpair|accept4?|connect|bind|listen|sendto|recvfrom)\s*\(', path, text,
                           'only net touches sockets')
    if room_of(path) not in ('net', 'seal'):
        yield from matches(r'\bSSL_\w+\s*\(', path, text, 'only net touches TLS')


def plain_http_only_for_metadata(path, text):
    if room_of(path) != 'net' and path != 'src/identity/metadata_listen.c':
        yield from matches(r'\bsr_server_listen_plain\s*\(', path, text, 'customers are served over TLS alone')


def crypto_only_in_seal(path, text):
    if room_of(path) not in ('seal', 'net'):
        yield from matches(r'\b(EVP_|RAND_|HMAC|SHA256|AES_|BN_|RSA_|EC_)\w*\s*\(', path, text, 'only seal touches cryptography')
    if room_of(path) not in ('seal',):
        yield from matches(r'\bsr_secret_(data|bytes)\s*\(', path, text, 'only seal sees key bytes')


def sqlite_only_in_seal(path, text):
    if room_of(path) != 'seal':
        yield from matches(r'\bsqlite3_\w+\s*\(', path, text, 'databases are opened through seal/database.h')


def results_must_be_used(path, text):
    if path.endswith('.h'):
        yield from matches(r'(?m)^(?!SR_MUST|static|\s|\*)struct sr_result\s+sr_\w+\s*\(', path, text, 'a fallible function is declared SR_MUST')


def no_goto(path, text):
    yield from matches(r'\bgoto\s+\w', path, text, 'errors return; cleanup is by scope')


def library_rooms_do_not_log(path, text):
    if room_of(path) in ('seal', 'wire', 'net', 'keyring', 'access'):
        yield from matches(r'\b(sr_log|printf|puts|perror|syslog)\s*\(', path, text, 'library code does not log')


def no_unbounded_text(path, text):
    yield from matches(r'\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|sscanf|strncpy|alloca)\s*\(', path, text,
                       'unbounded or unreliable; see base/text.h and base/bytes.h')


def file_comment(path, text):
    if not text.lstrip().startswith('/*'):
        yield path, 1, 'a file begins with a comment on what lives in it'


def names_say_something(path, _text):
    if re.search(r'/(util|utils|common|misc|helpers?|stuff)[^/]*\.[ch]$', path):
        yield path, 1, 'a file is named for what it holds'


def nothing_left_to_do(path, text):
    for found in re.finditer(r'\b(TODO|FIXME|XXX|HACK)\b', text):
        yield path, text.count('\n', 0, found.start()) + 1, 'finish it or say it in an issue'


RULES = [
    (include_graph, 'src/vault/x.c', '/* . */\n#include "blob/blob.h"\n'),
    (own_header_first, 'src/base/log.c', '/* . */\n#include <stdio.h>\n#include "base/log.h"\n'),
    (no_bare_allocation, 'src/wire/x.c', '/* . */\nvoid f(void) { free(0); }\n'),
    (no_memcmp, 'src/vault/x.c', '/* . */\nint f(void) { return memcmp(a, b, 1); }\n'),
    (writing_only_in_seal, 'src/blob/x.c', '/* . */\nint f(void) { return open("x", O_WRONLY); }\n'),
    (sockets_only_in_net, 'src/blob/x.c', '/* . */\nint f(void) { return socket(1, 2, 3); }\n'),
    (plain_http_only_for_metadata, 'src/blob/x.c', '/* . */\nvoid f(void) { sr_server_listen_plain(s, "127.0.0.1", 80, 0); }\n'),
    (crypto_only_in_seal, 'src/blob/x.c', '/* . */\nvoid f(void) { EVP_CIPHER_CTX_new(); }\n'),
    (sqlite_only_in_seal, 'src/blob/x.c', '/* . */\nvoid f(void) { sqlite3_open("x", 0); }\n'),
    (results_must_be_used, 'src/blob/x.h', '/* . */\nstruct sr_result sr_x_do(void);\n'),
    (no_goto, 'src/blob/x.c', '/* . */\nvoid f(void) { goto out; out:; }\n'),
    (library_rooms_do_not_log, 'src/net/x.c', '/* . */\nvoid f(void) { sr_log(3, "x"); }\n'),
    (no_unbounded_text, 'src/net/x.c', '/* . */\nvoid f(void) { strcpy(a, b); }\n'),
    (file_comment, 'src/net/x.c', 'int x;\n'),
    (names_say_something, 'src/net/utils.c', '/* . */\n'),
    (nothing_left_to_do, 'src/net/x.c', '/* . */\nint x; /* TODO */\n'),
]


def check_planted():
    """Each rule must find what is planted for it."""
    failed = 0
    for rule, path, text in RULES:
        found = list(rule(path, text))
        failed += not found
        print(f'{"ok" if found else "FAIL"} lint.planted.{rule.__name__}')
    return failed


def check_tree():
    failed = 0
    files = sorted(p for p in (ROOT / 'src').rglob('*.[ch]'))
    for rule, _, _ in RULES:
        found = []
        for file in files:
            path = file.relative_to(ROOT).as_posix()
            found += list(rule(path, file.read_text()))
        for path, line, why in found:
            print(f'     {path}:{line}: {why}')
        failed += bool(found)
        print(f'{"FAIL" if found else "ok"} lint.{rule.__name__}')
    return failed


if __name__ == '__main__':
    sys.exit(1 if (check_planted() if '--plant' in sys.argv else check_tree()) else 0)
