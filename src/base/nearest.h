/* nearest.h - which known word did somebody mean who wrote another?
 *
 *     souk_nearest near = {.word = SOUK_TEXT("lisetn")};
 *     for (size_t i = 0; i < count; i++)
 *         souk_nearest_try(&near, names[i]);
 *     if (near.best)
 *         printf("do you mean %s?\n", near.best);                   listen
 *
 * Distance counts characters left out, put in, exchanged, and neighbours swapped; upper and lower case
 * are one.  A word is near within a third of its length, rounded up: farther ones would be guesses.
 *
 * Cost     a try: the product of both lengths; words above SOUK_NEAREST_BYTES are near to none
 * Source   Damerau, CACM 1964, in the form that touches no part twice (optimal string alignment)
 * Threads  no shared state */
#ifndef SOUK_BASE_NEAREST_H
#define SOUK_BASE_NEAREST_H

#include "base/text.h"

enum { SOUK_NEAREST_BYTES = 64 };

typedef struct souk_nearest {
    souk_text word;   /* what was written; set this, the rest zero */
    const char *best; /* the first of the nearest tried so far, as given; NULL: none is near */
    size_t distance;  /* its distance */
} souk_nearest;
void souk_nearest_try(souk_nearest *near, const char *known);

/* SIZE_MAX where one is longer than SOUK_NEAREST_BYTES. */
size_t souk_nearest_distance(souk_text a, souk_text b);

#endif
