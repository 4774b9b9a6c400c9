/* log.h - the log in the ledger: one row for each block, ordered by position.
 *
 *     SOUK_TRY(souk_log_end(tx, &position));                        inside a writing closure
 *     SOUK_TRY(souk_log_append(tx, position, count, bytes));
 *
 *     SOUK_TRY(souk_log_walk(mem, ledger, from, fold_block, index));  block by block, short reads
 *     SOUK_TRY(souk_log_columns(mem, tx, first, &block));            one block without its texts
 *
 * Positions start at 1 and have no gaps.  Only an erasure rewrites a block, in place and with every
 * position kept.
 * Cost     append: one row.  find: one search in a B-tree. */
#ifndef SOUK_CORE_LOG_H
#define SOUK_CORE_LOG_H

#include "core/block.h"
#include "store/ledger.h"

SOUK_CHECKED souk_err souk_log_migrate(souk_ledger *ledger, souk_diag *diag);

/* The position after the last one, as this transaction sees it. */
SOUK_CHECKED souk_err souk_log_end(souk_tx *tx, uint64_t *ret_position);
SOUK_CHECKED souk_err souk_log_append(souk_tx *tx, uint64_t first, size_t count, souk_text bytes);
/* The block that holds a position.  SOUK_ENOENT. */
SOUK_CHECKED souk_err souk_log_find(souk_tx *tx, uint64_t position, uint64_t *ret_first,
                                    size_t *ret_count);
/* Appends the block's bytes to out. */
SOUK_CHECKED souk_err souk_log_load(souk_tx *tx, uint64_t first, souk_buf *out);
/* The same for the block that holds a position. */
SOUK_CHECKED souk_err souk_log_load_at(souk_tx *tx, uint64_t position, uint64_t *ret_first,
                                       souk_buf *out);
SOUK_CHECKED souk_err souk_log_replace(souk_tx *tx, uint64_t first, souk_text bytes);
/* Reads only facts and lines of a block. */
SOUK_CHECKED souk_err souk_log_columns(souk_mem *mem, souk_tx *tx, uint64_t first,
                                       souk_block **ret_block);
/* The message hashes of a block, uint8_t[count][SOUK_BLOCK_MESSAGE], appended to out. */
SOUK_CHECKED souk_err souk_log_messages(souk_tx *tx, uint64_t first, size_t count, souk_buf *out);

/* Every block that has a position in [from, to), in order, whole; an error of `each` ends the walk with
 * it.  The log may grow meanwhile: without `to` the walk ends when it has caught up. */
typedef souk_err souk_log_each(void *context, const souk_block *block);
SOUK_CHECKED souk_err souk_log_walk_to(souk_mem *mem, souk_ledger *ledger, uint64_t from,
                                       uint64_t to, souk_log_each *each, void *context);
SOUK_CHECKED souk_err souk_log_walk(souk_mem *mem, souk_ledger *ledger, uint64_t from,
                                    souk_log_each *each, void *context);

#endif
