/* tax.c - the arithmetic of tax.h: one matrix [line][rate], filled by line or by receipt, then summed both ways. */
#include "algo/tax.h"

#include "algo/share.h"

#include <inttypes.h>
#include <string.h>

struct souk_tax {
    souk_mem *mem;
    size_t room;
    const souk_tax_rule *rule;
    const souk_tax_line *amounts;
    souk_taxed_line *lines; /* [room] */
    int64_t *matrix;        /* [room][SOUK_TAX_RATES_MOST], rows of rate_count */
    int64_t *weights;       /* [room] */
    int64_t *parts;         /* [room] */
    souk_share_seat *seats; /* [room + SOUK_TAX_RATES_MOST] */
    souk_taxed_rate rates[SOUK_TAX_RATES_MOST];
    souk_taxed taxed;
};

#define WHOLE        1000000
#define RATE_MOST    (10 * WHOLE)
#define ROW(desk, i) ((desk)->matrix + (i) * (desk)->rule->rate_count)

souk_err souk_tax_new(souk_mem *mem, size_t lines, souk_tax **ret_desk)
{
    souk_auto(souk_tax) desk = souk_mem_get(mem, sizeof *desk);
    if (!desk)
        return SOUK_ENOMEM;
    desk->mem = mem;
    desk->room = lines;
    size_t room = lines + 1;
    if (!(desk->lines = souk_mem_array(mem, room, sizeof *desk->lines)) ||
        !(desk->matrix = souk_mem_array(mem, room, SOUK_TAX_RATES_MOST * sizeof *desk->matrix)) ||
        !(desk->weights = souk_mem_array(mem, room, sizeof *desk->weights)) ||
        !(desk->parts = souk_mem_array(mem, room, sizeof *desk->parts)) ||
        !(desk->seats = souk_mem_array(mem, room + SOUK_TAX_RATES_MOST, sizeof *desk->seats)))
        return SOUK_ENOMEM;
    *ret_desk = souk_take(&desk);
    return SOUK_OK;
}

void souk_tax_free(souk_tax *desk)
{
    if (!desk)
        return;
    souk_mem_put(desk->mem, desk->lines);
    souk_mem_put(desk->mem, desk->matrix);
    souk_mem_put(desk->mem, desk->weights);
    souk_mem_put(desk->mem, desk->parts);
    souk_mem_put(desk->mem, desk->seats);
    souk_mem_put(desk->mem, desk);
}

/* ---- what comes in --------------------------------------------------------------------------------- */

static souk_err check_rule(const souk_tax_rule *rule, souk_diag *diag)
{
    if (rule->rate_count > SOUK_TAX_RATES_MOST)
        return souk_diag_say(diag, SOUK_EINVAL, "the rule has %zu rates: give at most %d",
                             rule->rate_count, SOUK_TAX_RATES_MOST);
    for (size_t i = 0; i < rule->rate_count; i++)
        if (rule->rates[i].rate_micro > RATE_MOST)
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "rate %zu is more than 1000 %%: give millionths, 19 %% is 190000",
                                 i + 1);
    for (size_t i = 0; i < rule->class_count; i++) {
        if ((uint64_t)rule->classes[i].rates >> rule->rate_count)
            return souk_diag_say(diag, SOUK_EINVAL,
                                 "class %" PRIu32 " bears a rate that there is not",
                                 rule->classes[i].tax_class);
        for (size_t k = 0; k < i; k++)
            if (rule->classes[k].tax_class == rule->classes[i].tax_class)
                return souk_diag_say(diag, SOUK_EINVAL,
                                     "class %" PRIu32 " is there twice: drop one",
                                     rule->classes[i].tax_class);
    }
    return SOUK_OK;
}

static souk_err take_line(souk_tax *desk, size_t at, int64_t *sum, souk_diag *diag)
{
    const souk_tax_line *line = &desk->amounts[at];
    size_t i = 0;
    while (i < desk->rule->class_count && desk->rule->classes[i].tax_class != line->tax_class)
        i++;
    if (i == desk->rule->class_count)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "line %zu is of tax class %" PRIu32 ", which the rule does not have",
                             at + 1, line->tax_class);
    if (line->amount_minor < 0)
        return souk_diag_say(diag, SOUK_EINVAL, "line %zu is below 0: what comes back is a return",
                             at + 1);
    if (__builtin_add_overflow(*sum, line->amount_minor, sum))
        return souk_diag_say(diag, SOUK_EOVERFLOW,
                             "up to line %zu it is more than an amount can hold", at + 1);
    desk->lines[at] =
        (souk_taxed_line){.rates = desk->rule->classes[i].rates, .tax_of_rate = ROW(desk, at)};
    memset(ROW(desk, at), 0, desk->rule->rate_count * sizeof(int64_t));
    return SOUK_OK;
}

static uint32_t sum_of_rates(const souk_tax_rule *rule, uint32_t rates)
{
    uint32_t sum = 0;
    for (; rates; rates &= rates - 1)
        sum += rule->rates[__builtin_ctz(rates)].rate_micro;
    return sum;
}

/* ---- exclusive -------------------------------------------------------------------------------------- */

static bool add_by_line(souk_tax *desk, size_t rate, uint32_t bit, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((desk->lines[i].rates & bit) &&
            !souk_ratio(desk->amounts[i].amount_minor, desk->rule->rates[rate].rate_micro, WHOLE,
                        desk->rule->rounding, &ROW(desk, i)[rate]))
            return false;
    return true;
}

static bool add_by_receipt(souk_tax *desk, size_t rate, uint32_t bit, size_t count)
{
    int64_t base = 0, tax = 0;
    for (size_t i = 0; i < count; i++)
        base += desk->weights[i] = desk->lines[i].rates & bit ? desk->amounts[i].amount_minor : 0;
    if (!souk_ratio(base, desk->rule->rates[rate].rate_micro, WHOLE, desk->rule->rounding, &tax))
        return false;
    souk_share_spread(tax, desk->weights, count, desk->seats, desk->parts);
    for (size_t i = 0; i < count; i++)
        ROW(desk, i)[rate] = desk->parts[i];
    return true;
}

static bool add_taxes(souk_tax *desk, size_t count)
{
    bool fits = true;
    for (size_t rate = 0; fits && rate < desk->rule->rate_count; rate++) {
        uint32_t bit = (uint32_t)1 << rate;
        fits = desk->rule->by_line ? add_by_line(desk, rate, bit, count)
                                   : add_by_receipt(desk, rate, bit, count);
    }
    return fits;
}

/* ---- inclusive -------------------------------------------------------------------------------------- */

static int64_t tax_in(const souk_tax *desk, int64_t amount, uint32_t rates)
{
    uint32_t sum = sum_of_rates(desk->rule, rates);
    int64_t tax = 0;
    bool fits = souk_ratio(amount, sum, (int64_t)sum + WHOLE, desk->rule->rounding, &tax);
    souk_assert(fits && tax <= amount);
    return tax;
}

/* A tax over its rates: in shares[rate], 0 for others. */
static void spread_rates(souk_tax *desk, int64_t tax, uint32_t rates, int64_t *shares)
{
    for (size_t rate = 0; rate < desk->rule->rate_count; rate++)
        shares[rate] = rates >> rate & 1 ? desk->rule->rates[rate].rate_micro : 0;
    souk_share_spread(tax, shares, desk->rule->rate_count, desk->seats, shares);
}

/* All lines that bear the same rates: their tax over the lines, no line above its amount; then each rate's share of it
 * over what the lines have left, so that both ways of adding up give the same. */
static void take_out_of_group(souk_tax *desk, uint32_t rates, size_t count)
{
    int64_t amount = 0, shares[SOUK_TAX_RATES_MOST];
    for (size_t i = 0; i < count; i++)
        amount += desk->weights[i] =
            desk->lines[i].rates == rates ? desk->amounts[i].amount_minor : 0;
    int64_t tax = tax_in(desk, amount, rates);
    spread_rates(desk, tax, rates, shares);
    souk_share_spread(tax, desk->weights, count, desk->seats, desk->weights);
    for (uint32_t left = rates; left; left &= left - 1) {
        unsigned rate = (unsigned)__builtin_ctz(left);
        souk_share_spread(shares[rate], desk->weights, count, desk->seats, desk->parts);
        for (size_t i = 0; i < count; i++)
            if (desk->lines[i].rates == rates) {
                ROW(desk, i)[rate] = desk->parts[i];
                desk->weights[i] -= desk->parts[i];
            }
    }
}

static void take_out_taxes(souk_tax *desk, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t rates = desk->lines[i].rates;
        if (desk->rule->by_line) {
            spread_rates(desk, tax_in(desk, desk->amounts[i].amount_minor, rates), rates,
                         ROW(desk, i));
            continue;
        }
        size_t first = 0;
        while (desk->lines[first].rates != rates)
            first++;
        if (first == i)
            take_out_of_group(desk, rates, count);
    }
}

/* ---- sums ------------------------------------------------------------------------------------------- */

static souk_err sum_line(souk_tax *desk, size_t at, uint32_t exempt)
{
    souk_taxed_line *line = &desk->lines[at];
    int64_t amount = desk->amounts[at].amount_minor, held = 0, *row = ROW(desk, at);
    bool over = false;
    for (size_t rate = 0; rate < desk->rule->rate_count; rate++) {
        held += desk->rule->inclusive ? row[rate] : 0;
        if (exempt >> rate & 1)
            row[rate] = 0;
        over |= __builtin_add_overflow(line->tax_minor, row[rate], &line->tax_minor);
    }
    line->net_minor = amount - held;
    over |= __builtin_add_overflow(line->net_minor, line->tax_minor, &line->gross_minor);
    for (size_t rate = 0; rate < desk->rule->rate_count; rate++) {
        souk_taxed_rate *total = &desk->rates[rate];
        if (!(line->rates >> rate & 1))
            continue;
        if (exempt >> rate & 1) {
            total->exempt_minor += line->net_minor;
            continue;
        }
        total->base_minor += line->net_minor;
        over |= __builtin_add_overflow(total->tax_minor, row[rate], &total->tax_minor);
    }
    line->rates &= ~exempt;
    desk->taxed.net_minor += line->net_minor;
    over |= __builtin_add_overflow(desk->taxed.tax_minor, line->tax_minor, &desk->taxed.tax_minor);
    over |= __builtin_add_overflow(desk->taxed.gross_minor, line->gross_minor,
                                   &desk->taxed.gross_minor);
    return over ? SOUK_EOVERFLOW : SOUK_OK;
}

souk_err souk_tax_receipt(souk_tax *desk, const souk_tax_rule *rule, uint32_t exempt,
                          const souk_tax_line *lines, size_t line_count,
                          const souk_taxed **ret_taxed, souk_diag *diag)
{
    int64_t sum = 0;
    if (line_count > desk->room)
        return souk_diag_say(diag, SOUK_ETOOBIG, "the receipt has %zu lines: at most %zu are taxed",
                             line_count, desk->room);
    SOUK_TRY(check_rule(rule, diag));
    desk->rule = rule;
    desk->amounts = lines;
    memset(desk->rates, 0, sizeof desk->rates);
    for (size_t i = 0; i < line_count; i++)
        SOUK_TRY(take_line(desk, i, &sum, diag));
    bool fits = true;
    if (rule->inclusive)
        take_out_taxes(desk, line_count);
    else
        fits = add_taxes(desk, line_count);
    desk->taxed = (souk_taxed){.lines = desk->lines,
                               .rates = desk->rates,
                               .line_count = line_count,
                               .rate_count = rule->rate_count};
    for (size_t i = 0; fits && i < line_count; i++)
        fits = sum_line(desk, i, exempt) == SOUK_OK;
    if (!fits)
        return souk_diag_say(diag, SOUK_EOVERFLOW,
                             "with its taxes the receipt is more than an amount "
                             "can hold");
    *ret_taxed = &desk->taxed;
    return SOUK_OK;
}
