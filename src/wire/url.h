/* url.h -- percent-encoding (RFC 3986), decoded exactly once. Pure. */
#ifndef WIRE_URL_H
#define WIRE_URL_H

#include "base/buf.h"

/* Append the decoded bytes. False (and `out` as it was) for a malformed %, or a result that is not
 * UTF-8 or holds NUL. In a query, + is a space. */
bool url_decode(struct slice raw, bool is_query, struct buf *out);

/* The first value of that name in a query (the raw text after ?), decoded and appended. False: it is
 * not there or malformed. */
bool url_query(struct slice query, const char *name, struct buf *value);

/* Append with everything but unreserved characters encoded. */
void url_encode(struct slice text, struct buf *out);

#endif
