/* gtin.c - padding, check digits, and where UPC-E leaves out its zeros. */
#include "base/gtin.h"

#include "base/epc.h"

#include <stdio.h>

enum { UPCA = 12, UPCA_AT = SOUK_GTIN_DIGITS - UPCA };

static bool all_digits(souk_text text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    }
    return true;
}

souk_err souk_gtin_read(souk_text digits, souk_gtin *ret_gtin, souk_diag *diag)
{
    if (!all_digits(digits))
        return souk_diag_say(diag, SOUK_ESYNTAX,
                             "a GTIN has digits only: leave out spaces, dashes and letters");
    if (digits.bytes != 8 && digits.bytes != 12 && digits.bytes != 13 && digits.bytes != 14)
        return souk_diag_say(diag, SOUK_ESYNTAX,
                             "a GTIN has 8, 12, 13 or 14 digits, this has %zu: scan it again, or "
                             "type all digits under the bars",
                             digits.bytes);
    char told = digits.at[digits.bytes - 1];
    char right = souk_gs1_check_digit((souk_text){digits.at, digits.bytes - 1});
    if (told != right)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the check digit is %c, by the digits before it it should be %c: scan "
                             "it again, or type all digits under the bars",
                             told, right);
    memset(ret_gtin->digits, '0', SOUK_GTIN_DIGITS);
    memcpy(ret_gtin->digits + SOUK_GTIN_DIGITS - digits.bytes, digits.at, digits.bytes);
    ret_gtin->digits[SOUK_GTIN_DIGITS] = '\0';
    return SOUK_OK;
}

size_t souk_gtin_write(const souk_gtin *gtin, char out[SOUK_GTIN_BYTES])
{
    size_t zeros = strspn(gtin->digits, "0");
    size_t skip = zeros >= 6 ? 6 : souk_min_size(zeros, 2);
    memcpy(out, gtin->digits + skip, SOUK_GTIN_BYTES - skip);
    return SOUK_GTIN_DIGITS - skip;
}

bool souk_gtin_is_internal(const souk_gtin *gtin)
{
    const char *ean = gtin->digits + 1;
    if (gtin->digits[0] != '0')
        return false;
    if (!memcmp(ean, "00000", 5))
        return ean[5] == '0' || ean[5] == '2';
    return ean[0] == '2' || (ean[0] == '0' && (ean[1] == '2' || ean[1] == '4'));
}

/* ---- UPC-E ------------------------------------------------------------------------------------- */

/* The eleven digits that number system and six digits stand for; the last of the six says where the zeros were. */
static void expand(char system, const char *six, char upca[UPCA])
{
    memset(upca, '0', UPCA - 1);
    upca[0] = system;
    char how = six[5];
    size_t kept = how <= '2' ? 2 : how == '3' ? 3 : how == '4' ? 4 : 5; /* of the company's side */
    memcpy(upca + 1, six, kept);
    if (how <= '2') {
        upca[3] = how;
        memcpy(upca + 8, six + 2, 3);
    } else if (how == '3') {
        memcpy(upca + 9, six + 3, 2);
    } else {
        upca[10] = how == '4' ? six[4] : how;
    }
}

souk_err souk_gtin_read_upce(souk_text digits, souk_gtin *ret_gtin, souk_diag *diag)
{
    if (!all_digits(digits) || digits.bytes < 6 || digits.bytes > 8)
        return souk_diag_say(diag, SOUK_ESYNTAX,
                             "a UPC-E has 6, 7 or 8 digits: scan it again, or type all digits "
                             "around the bars");
    char system = digits.bytes == 6 ? '0' : digits.at[0];
    if (system > '1')
        return souk_diag_say(diag, SOUK_EINVAL,
                             "a UPC-E begins with 0 or 1, this with %c: type all digits around "
                             "the bars",
                             system);
    char upca[UPCA];
    expand(system, digits.at + (digits.bytes > 6), upca);
    char right = souk_gs1_check_digit((souk_text){upca, UPCA - 1});
    if (digits.bytes == 8 && digits.at[7] != right)
        return souk_diag_say(diag, SOUK_EINVAL,
                             "the check digit is %c, by the digits of the UPC-A it should be %c: "
                             "scan it again, or type all digits around the bars",
                             digits.at[7], right);
    upca[UPCA - 1] = right;
    return souk_gtin_read((souk_text){upca, UPCA}, ret_gtin, diag);
}

/* The first way that leaves the most zeros out is the one that scanners know: tried in this order. */
size_t souk_gtin_write_upce(const souk_gtin *gtin, char out[SOUK_UPCE_BYTES])
{
    const char *upca = gtin->digits + UPCA_AT;
    out[0] = '\0';
    if (gtin->digits[0] != '0' || gtin->digits[1] != '0' || upca[0] > '1')
        return 0;
    char six[6];
    if (upca[3] <= '2' && !memcmp(upca + 4, "0000", 4)) {
        memcpy(six, upca + 1, 2);
        memcpy(six + 2, upca + 8, 3);
        six[5] = upca[3];
    } else if (!memcmp(upca + 4, "00000", 5)) {
        memcpy(six, upca + 1, 3);
        memcpy(six + 3, upca + 9, 2);
        six[5] = '3';
    } else if (!memcmp(upca + 5, "00000", 5)) {
        memcpy(six, upca + 1, 4);
        six[4] = upca[10];
        six[5] = '4';
    } else if (!memcmp(upca + 6, "0000", 4) && upca[10] >= '5') {
        memcpy(six, upca + 1, 5);
        six[5] = upca[10];
    } else {
        return 0;
    }
    return (size_t)snprintf(out, SOUK_UPCE_BYTES, "%c%.6s%c", upca[0], six, upca[11]);
}
