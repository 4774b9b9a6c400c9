/* openapi.h - the API's description, printed from the tables that route: GET /openapi.json.
 *
 *     SOUK_TRY(souk_openapi_write(services, count, &json, &diag));
 *
 * Each service is a tag, each listed route an operation; what it takes and gives is told in the notation of shape.h,
 * errors are RFC 9457.  Routes of the control socket alone are left out.
 *
 * Errors   SOUK_ESYNTAX: a table has a shape that is none; a test prints it, so it is none at run time
 * Source   OpenAPI 3.1.0
 * Threads  pure */
#ifndef SOUK_SERVE_OPENAPI_H
#define SOUK_SERVE_OPENAPI_H

#include "core/service.h"

SOUK_CHECKED souk_err souk_openapi_write(const souk_service *const *services, size_t count,
                                         souk_json_writer *out, souk_diag *diag);

#endif
