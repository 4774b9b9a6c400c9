/* import_sniff.h - the first rows of a table as text, and how it is written; a part of import_guess.h. */
#ifndef SOUK_SERVICE_COLLECT_IMPORT_SNIFF_H
#define SOUK_SERVICE_COLLECT_IMPORT_SNIFF_H

#include "service/collect/import_guess.h"

/* Rows of the head; the first is the heading. */
typedef struct import_sample {
    souk_text *rows[IMPORT_SAMPLE_ROWS + 1]; /* [counts[i]] */
    size_t counts[IMPORT_SAMPLE_ROWS + 1];
    size_t row_count;
} import_sample;

/* Finds encoding, separator and quotes, where the options do not say them, and reads the sample into the guess's
 * arena. */
SOUK_CHECKED souk_err import_sniff(import_guess *guess, const souk_import_options *options,
                                   souk_text head, bool is_whole, import_sample *sample,
                                   souk_diag *diag);
/* A cell of the sample, trimmed; empty where the row is short. */
souk_text import_sample_cell(const import_sample *sample, size_t row, size_t column);

#endif
