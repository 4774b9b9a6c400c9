/* stores.h - the stores of a merchant, described by hand: what a code in events stands for.
 *
 *     GET    /v1/stores?limit=100&cursor=SH-014       in the order of codes; Link to the next page
 *     GET    /v1/stores/{store}                       with its ETag
 *     PUT    /v1/stores/{store}                       If-Match its ETag, or If-None-Match: *
 *     DELETE /v1/stores/{store}                       If-Match
 *
 *     {"name":"Shanghai, Nanjing Road","time_zone":"Asia/Shanghai","currency":"CNY","opens":"09:00","closes":"22:00",
 *      "address":{…},"zones":[{"zone":"entrance","name":"Entrance"}]}
 *
 * A store that events name and nobody has described is listed all the same, with described: false. */
#ifndef SOUK_SERVE_STORES_H
#define SOUK_SERVE_STORES_H

#include "core/service.h"

extern const souk_service souk_stores_service;

#endif
