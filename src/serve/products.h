/* products.h - what a merchant sells: as it was described (core/product.h), and as events name it.
 *
 *     GET /v1/products?limit=100&cursor=85123A       in the order of codes; Link to the next page
 *     GET /v1/products/{product}                     as it is now
 *     GET /v1/products/{product}/versions            what was said of it, oldest first
 *
 * A product that events name and nobody has described is listed all the same, with described: false.  Products are told
 * by files: `souk import products FILE`. */
#ifndef SOUK_SERVE_PRODUCTS_H
#define SOUK_SERVE_PRODUCTS_H

#include "core/service.h"

extern const souk_service souk_products_service;

#endif
