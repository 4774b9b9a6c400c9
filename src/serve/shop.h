/* shop.h - the routes of the shop as a whole: totals, shoppers, decisions, consent, erasure, counters.
 *
 *     GET  /v1/stats                                totals over every event
 *     GET  /v1/shoppers/{kind}/{value}              who is behind an identifier (kind: user, email, …, public)
 *     GET  /v1/shoppers/{kind}/{value}/profile      her sums         ?purpose=serve
 *     GET  /v1/shoppers/{kind}/{value}/timeline     her last events  ?purpose=serve&limit=20&before=POSITION
 *     POST /v1/shoppers/merge                       {"a":{"kind":…,"value":…},"b":{…},"by":…,"reason":…}
 *     POST /v1/shoppers/unmerge                     {"a":{…},"by":…,"reason":…}
 *     POST /v1/shoppers/consent                     {"a":{…},"purpose":…,"basis":…,"evidence":…}
 *     POST /v1/shoppers/erase                       {"a":{…}}
 *     GET  /metrics                                 Prometheus text 0.0.4 (a token with read, or the control socket)
 *
 * The shoppers are the operator's: other merchants are refused until there is a guest's access to them. */
#ifndef SOUK_SERVE_SHOP_H
#define SOUK_SERVE_SHOP_H

#include "core/service.h"

extern const souk_service souk_shop_service;

#endif
