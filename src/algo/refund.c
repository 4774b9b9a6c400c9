/* refund.c - a column's running total, taken twice (refund.h). */
#include "algo/refund.h"

#include "algo/ratio.h"

static int64_t brought(int64_t column, souk_decimal of, souk_decimal quantity)
{
    int64_t part = 0;
    bool fits = souk_ratio(column, of.micro, quantity.micro, SOUK_ROUND_HALF_UP, &part);
    souk_assert(fits && part <= column);
    return part;
}

souk_err souk_refund(const souk_refund_line *line, souk_decimal back, const int64_t *columns,
                     size_t count, int64_t *ret_back, souk_diag *diag)
{
    souk_assert(line->quantity.micro > 0 && line->before.micro >= 0 &&
                line->before.micro <= line->quantity.micro);
    souk_decimal left = {line->quantity.micro - line->before.micro};
    char words[SOUK_DECIMAL_BYTES];
    if (back.micro <= 0)
        return souk_diag_say(diag, SOUK_EINVAL, "nothing is returned: give a quantity above 0");
    if (back.micro > left.micro) {
        souk_decimal_write(left, words);
        return souk_diag_say(diag, SOUK_EINVAL,
                             "more is returned than was bought: %s can come back", words);
    }
    if (!line->weighed && back.micro % 1000000)
        return souk_diag_say(diag, SOUK_EINVAL, "part of a piece is returned: give a whole number");
    souk_decimal after = {line->before.micro + back.micro};
    for (size_t i = 0; i < count; i++) {
        souk_assert(columns[i] >= 0);
        ret_back[i] = brought(columns[i], after, line->quantity) -
                      brought(columns[i], line->before, line->quantity);
    }
    return SOUK_OK;
}
