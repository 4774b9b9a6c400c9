/* hooks.h - doors for web shops that sign what they send, and for the Sensors SDKs (神策).
 *
 *     POST   /v1/hooks/shopify/{source}       X-Shopify-Hmac-Sha256, X-Shopify-Topic      foreign_shopify.c
 *     POST   /v1/hooks/woocommerce/{source}   X-WC-Webhook-Signature, X-WC-Webhook-Topic  foreign_woo.c
 *     GET    /v1/hooks                        whose secrets there are, never a secret
 *     POST   /v1/hooks                        {"form":"shopify","source":"webshop","secret":"…"}
 *     DELETE /v1/hooks/{id}
 *     GET, POST  /sa, /sa.gif, /sa/{key}      data=…                                     foreign_sensors.c
 *
 * The signature is base64 of the HMAC-SHA256 of the body as it came, under a secret of the hook (hook_secret.h): no other key
 * opens the door.  200: every event is durable, or the body stands in the rejects with its fault.  401: signed by nobody we
 * know.  503 with Retry-After: nothing was stored, send it again.  A delivery that comes again changes nothing.
 * WooCommerce tries an address with "webhook_id=7", unsigned: 200, and nothing else.
 * Sensors: the write key is the path's, or writeKey, token or project of the query; GET is answered with an image. */
#ifndef SOUK_SERVICE_COLLECT_HOOKS_H
#define SOUK_SERVICE_COLLECT_HOOKS_H

#include "core/service.h"

extern const souk_service souk_hooks_service;

#endif
