/* charset_test.c - which encoding a text is in, and the same as UTF-8 in chunks of any size. */
#include "base/charset.h"
#include "test/test.h"

static const struct {
    souk_charset charset;
    const char *text;
    size_t bytes;
    const char *utf8;
} samples[] = {
    {SOUK_CHARSET_UTF8, "a,b\n", 4, "a,b\n"},
    {SOUK_CHARSET_UTF8, "\xEF\xBB\xBF\x61", 4, "\xEF\xBB\xBF\x61"},
    {SOUK_CHARSET_UTF8, "\xE8\xAE\xA2\xE5\x8D\x95", 6, "\xE8\xAE\xA2\xE5\x8D\x95"},
    {SOUK_CHARSET_GB18030, "\xB6\xA9\xB5\xA5\xBA\xC5,1\n", 9,
     "\xE8\xAE\xA2\xE5\x8D\x95\xE5\x8F\xB7,1\n"},
    /* U+2000B, four bytes */
    {SOUK_CHARSET_GB18030, "\x95\x32\x83\x37\xB6\xA9", 6, "\xF0\xA0\x80\x8B\xE8\xAE\xA2"},
    {SOUK_CHARSET_WINDOWS_1252,
     "Gr\xF6\xDF"
     "e;Stra\xDF"
     "e\n",
     13,
     "Gr\xC3\xB6\xC3\x9F"
     "e;Stra\xC3\x9F"
     "e\n"},
    {SOUK_CHARSET_WINDOWS_1252, "caf\xE9 12 \x80", 9, "caf\xC3\xA9 12 \xE2\x82\xAC"},
    {SOUK_CHARSET_UTF16LE, "\xFF\xFE\x61\x00\xA2\x8B", 6, "\xEF\xBB\xBF\x61\xE8\xAE\xA2"},
    {SOUK_CHARSET_UTF16BE, "\xFE\xFF\x00\x61\x8B\xA2", 6, "\xEF\xBB\xBF\x61\xE8\xAE\xA2"},
    {SOUK_CHARSET_UTF16LE, "a\0,\0b\0\n\0", 8, "a,b\n"},
    {SOUK_CHARSET_UTF16BE, "\0a\0,\0b\0\n", 8, "a,b\n"},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static souk_err decode(souk_test *test, souk_charset charset, souk_text text, size_t chunk,
                       souk_buf *out, uint64_t *ret_faults)
{
    souk_auto(souk_decoder) decoder = NULL;
    SOUK_TRY(souk_decoder_new(test->mem, charset, &decoder));
    for (bool last = false; !last;) {
        souk_text piece = {text.at, souk_min_size(chunk, text.bytes)}, utf8;
        text.at += piece.bytes;
        text.bytes -= piece.bytes;
        last = text.bytes == 0;
        SOUK_TRY(souk_decoder_feed(decoder, piece, last, &utf8));
        souk_buf_text(out, utf8);
    }
    *ret_faults = souk_decoder_faults(decoder);
    return souk_buf_check(out);
}

SOUK_TEST("each encoding is known by its bytes, and is the same in UTF-8 in chunks of any size")
{
    for (size_t i = 0; i < SAMPLES; i++) {
        souk_text text = {samples[i].text, samples[i].bytes};
        souk_charset guess = souk_charset_guess(text, true);
        if (guess != samples[i].charset)
            test_fail(test, __FILE__, __LINE__, "sample %zu is taken for %s", i,
                      souk_charset_word(guess));
        for (size_t chunk = 1; chunk < 8; chunk++) {
            souk_auto_value(souk_buf) out = {.mem = test->mem};
            uint64_t faults;
            SOUK_MUST(decode(test, guess, text, chunk, &out, &faults));
            SOUK_CHECK_TEXT(souk_buf_view(&out), samples[i].utf8);
            SOUK_CHECK(faults == 0);
        }
    }
}

SOUK_TEST("a head that ends within a character is still its encoding, a whole text is not")
{
    souk_text cut = {"\xE8\xAE\xA2\xE5\x8D", 5};
    SOUK_CHECK(souk_charset_guess(cut, false) == SOUK_CHARSET_UTF8);
    SOUK_CHECK(souk_charset_guess(cut, true) != SOUK_CHARSET_UTF8);
    SOUK_CHECK(souk_charset_guess(SOUK_TEXT(""), true) == SOUK_CHARSET_UTF8);
}

SOUK_TEST("a damaged byte among many characters does not make it another encoding")
{
    souk_auto_value(souk_buf) text = {.mem = test->mem};
    for (unsigned i = 0; i < 30; i++)
        souk_buf_text(&text, SOUK_TEXT("\xE8\xAE\xA2,"));
    souk_buf_byte(&text, '\xFF');
    SOUK_CHECK(souk_charset_guess(souk_buf_view(&text), true) == SOUK_CHARSET_UTF8);
    for (unsigned i = 0; i < 5; i++)
        souk_buf_byte(&text, '\xFF');
    SOUK_CHECK(souk_charset_guess(souk_buf_view(&text), true) != SOUK_CHARSET_UTF8);
}

SOUK_TEST("what is not of the encoding is marked and counted, also a character that never ends")
{
    souk_auto_value(souk_buf) out = {.mem = test->mem};
    uint64_t faults;
    SOUK_MUST(decode(test, SOUK_CHARSET_GB18030, SOUK_TEXT("a\xFF,\xB6"), 2, &out, &faults));
    SOUK_CHECK(faults == 2);
    SOUK_CHECK_TEXT(souk_buf_view(&out), "a\xEF\xBF\xBD,\xEF\xBF\xBD");
}

SOUK_TEST("encodings have their names, and some have more than one")
{
    souk_charset charset;
    SOUK_CHECK(souk_charset_of_word(SOUK_TEXT("gb2312"), &charset));
    SOUK_CHECK(charset == SOUK_CHARSET_GB18030);
    SOUK_CHECK(souk_charset_of_word(SOUK_TEXT("utf-16be"), &charset));
    SOUK_CHECK(charset == SOUK_CHARSET_UTF16BE);
    SOUK_CHECK(souk_charset_of_word(SOUK_TEXT("Latin1"), &charset));
    SOUK_CHECK(charset == SOUK_CHARSET_WINDOWS_1252);
    SOUK_CHECK(!souk_charset_of_word(SOUK_TEXT("klingon"), &charset));
}

SOUK_TEST("a decoder survives the lack of memory")
{
    SOUK_FAULT_LOOP (test) {
        souk_auto_value(souk_buf) out = {.mem = souk_mem_heap()};
        uint64_t faults;
        souk_err err =
            decode(test, SOUK_CHARSET_GB18030, SOUK_TEXT("\xB6\xA9\xB5\xA5"), 3, &out, &faults);
        SOUK_CHECK(err == SOUK_OK || err == SOUK_ENOMEM);
        SOUK_CHECK(err || out.bytes == 6);
        test_fault_seen(test, err);
    }
}
