#include "api/static.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/rand.h"

#define NONCE "__CSP_NONCE__"   /* in index.html, replaced in every answer */
#define NONCE_BYTES 16

extern const struct static_file static_files[];
extern const uint64_t static_files_n;

static const char notice[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Covalent</title>"
    "<p>The server runs, but it was built without the web app. Run <code>./run --build</code>, or "
    "<code>make web all</code> where Node is installed. The API is under <code>/api</code>, "
    "documents under <code>/yjs/doc:NAME</code>.</p></html>";

static const struct static_file *find(struct slice path) {
    size_t low = 0, high = static_files_n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *name = static_files[middle].path;
        size_t len = strlen(name), least = len < path.len ? len : path.len;
        int order = memcmp(name, path.at, least);
        if (order == 0) order = len < path.len ? -1 : len > path.len;
        if (order == 0) return &static_files[middle];
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

static const char *type_of(const char *path) {
    static const char *const types[][2] = {
        { ".html", "text/html; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" }, { ".svg", "image/svg+xml" }, { ".woff2", "font/woff2" },
        { ".png", "image/png" }, { ".json", "application/json" }, { ".webmanifest", "application/manifest+json" },
        { ".ico", "image/x-icon" }, { ".txt", "text/plain; charset=utf-8" },
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcmp(dot, types[i][0]) == 0) return types[i][1];
    return "application/octet-stream";
}

static void respond_page(struct http *h, const struct request *r, struct slice html) {
    char nonce[2 * NONCE_BYTES + 1], headers[640];
    struct buf page;

    rand_hex(nonce, NONCE_BYTES);
    buf_init(&page, MIB(4));
    const uint8_t *at = html.at, *end = html.at + html.len, *mark;
    while ((mark = memmem(at, (size_t)(end - at), NONCE, sizeof NONCE - 1))) {
        buf_put(&page, at, (size_t)(mark - at));
        buf_text(&page, nonce);
        at = mark + sizeof NONCE - 1;
    }
    buf_put(&page, at, (size_t)(end - at));
    snprintf(headers, sizeof headers,
             "Content-Security-Policy: default-src 'none'; script-src 'self' 'nonce-%s'; "
             "style-src 'self' 'nonce-%s'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
             "manifest-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'; "
             "frame-ancestors 'self'\r\nCache-Control: no-cache\r\n", nonce, nonce);
    http_respond(h, r->ticket, &(struct response){ .status = 200, .type = "text/html; charset=utf-8",
                                                   .headers = headers, .body = buf_view(&page) });
    buf_deinit(&page);
}

static void respond_file(struct http *h, const struct request *r, const struct static_file *f) {
    bool hashed = strncmp(f->path, "/assets/", 8) == 0;     /* the name changes with the content */
    bool packed = f->gzip && memmem(http_header(r, "Accept-Encoding").at,
                                    http_header(r, "Accept-Encoding").len, "gzip", 4);
    char headers[160];

    snprintf(headers, sizeof headers, "Cache-Control: %s\r\nVary: Accept-Encoding\r\n%s",
             hashed ? "public, max-age=31536000, immutable" : "no-cache",
             packed ? "Content-Encoding: gzip\r\n" : "");
    http_respond(h, r->ticket, &(struct response){
        .status = 200, .type = type_of(f->path), .etag = slice_of(f->etag), .headers = headers,
        .body = packed ? (struct slice){ f->gzip, f->gzip_len } : (struct slice){ f->at, f->len } });
}

/* A page of the app has no dot in its last segment; ids of entities may hold some. */
static bool is_page(struct slice path) {
    static const char *const pages[] = { "/atom/", "/module/", "/phase/", "/journey/", "/workflow/" };

    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        size_t len = strlen(pages[i]);
        if (path.len > len && memcmp(path.at, pages[i], len) == 0) return true;
    }
    return memchr(path.at, '.', path.len) == NULL;
}

static void serve(struct http *h, const struct request *r) {
    const struct static_file *f = slice_is(r->path, "/index.html") ? NULL : find(r->path);

    if (f) {
        respond_file(h, r, f);
    } else if (is_page(r->path) || slice_is(r->path, "/index.html")) {
        const struct static_file *index = find(slice_of("/index.html"));
        respond_page(h, r, index ? (struct slice){ index->at, index->len } : slice_of(notice));
    } else {
        http_respond_error(h, r->ticket, 404, "not found");
    }
}

void static_add_routes(struct http *h) {
    http_add_route(h, (struct route){ .method = METHOD_GET, .pattern = "/{*}", .role = ROLE_VIEWER, .is_public = true, .handler = serve });
}
