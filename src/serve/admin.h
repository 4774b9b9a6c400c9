/* admin.h - who may speak: sources, their write keys, tokens.  All need a token with the scope admin.
 *
 *     GET    /v1/sources             what each one states, how many keys work
 *     POST   /v1/sources             {"name":"till","bases":["profile=consent"],"age":"adult"}   {"source":…,"write_key":…}
 *     GET    /v1/keys                never the keys themselves
 *     POST   /v1/keys                {"source":"till"}                                           {"id":…,"write_key":…}
 *     DELETE /v1/keys/{id}           refused from the next request on
 *     GET    /v1/tokens
 *     POST   /v1/tokens              {"scopes":["read"],"name":"dashboard"}                      {"id":…,"token":…}
 *     DELETE /v1/tokens/{id}
 *
 * A secret is in the answer to the POST that makes it and nowhere else.  Nobody gives a scope that he has not. */
#ifndef SOUK_SERVE_ADMIN_H
#define SOUK_SERVE_ADMIN_H

#include "core/service.h"

extern const souk_service souk_admin_service;

#endif
