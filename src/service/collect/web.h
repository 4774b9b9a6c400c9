/* web.h - what browser clients of the Segment and RudderStack protocols ask for besides sending events.
 *
 *     GET /v1/projects/{key}/settings     Segment's browser client, before it sends anything
 *     GET /sourceConfig/?writeKey=…       RudderStack's, the same
 *     GET /pixel/v1/track?writeKey=…&anonymousId=…&event=…&properties.price=3      an image in a mail or page
 *     POST /v1/m                          Segment's client counting itself: taken, and forgotten
 *     GET /health  /version  /robots.txt
 *
 * Source   docs/collect.md names the clients and their versions */
#ifndef SOUK_SERVICE_COLLECT_WEB_H
#define SOUK_SERVICE_COLLECT_WEB_H

#include "core/service.h"

void souk_web_settings(souk_call *call);
void souk_web_source_config(souk_call *call);
void souk_web_pixel(souk_call *call);
void souk_web_ignore(souk_call *call);
void souk_web_health(souk_call *call);
void souk_web_version(souk_call *call);
void souk_web_robots(souk_call *call);

/* A transparent image of one pixel, which a client that sends by <img> wants to see. */
souk_text souk_web_gif(void);

#endif
