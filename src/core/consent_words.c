/* consent_words.c - the words of consent.h: purposes, bases, ages. */
#include "core/consent.h"

static const char *const purpose_words[] = {
#define SOUK_PURPOSE_WORD(name, word, adult) word,
    SOUK_PURPOSE_TABLE(SOUK_PURPOSE_WORD)
#undef SOUK_PURPOSE_WORD
};
static const char *const basis_words[] = {"none", "consent", "contract", "legal", "withdrawn"};
static const char *const age_words[] = {"unknown", "minor", "adult"};

const char *souk_basis_word(souk_basis basis)
{
    souk_assert((unsigned)basis <= SOUK_BASIS_WITHDRAWN);
    return basis_words[basis];
}

souk_basis souk_basis_of_word(souk_text word)
{
    for (souk_basis basis = SOUK_BASIS_CONSENT; basis <= SOUK_BASIS_WITHDRAWN; basis++)
        if (souk_text_equal(word, souk_text_of(basis_words[basis])))
            return basis;
    return SOUK_BASIS_NONE;
}

const char *souk_age_word(souk_age age)
{
    souk_assert((unsigned)age <= SOUK_AGE_ADULT);
    return age_words[age];
}

const char *souk_purpose_word(souk_purpose purpose)
{
    souk_assert((unsigned)purpose < SOUK_PURPOSE_FIXED);
    return purpose_words[purpose];
}

bool souk_purpose_of_word(souk_text word, souk_purpose *ret_purpose)
{
    for (unsigned i = 0; i < SOUK_PURPOSE_FIXED; i++)
        if (souk_text_equal(word, souk_text_of(purpose_words[i]))) {
            *ret_purpose = (souk_purpose)i;
            return true;
        }
    return false;
}

static const char *const speaks_words[] = {"", "visitor", "anybody", "nobody"};

const char *souk_speaks_word(souk_speaks speaks)
{
    souk_assert((unsigned)speaks <= SOUK_SPEAKS_NOBODY);
    return speaks_words[speaks];
}

souk_speaks souk_speaks_of_word(souk_text word)
{
    for (unsigned i = SOUK_SPEAKS_VISITOR; i <= SOUK_SPEAKS_NOBODY; i++)
        if (souk_text_equal(word, souk_text_of(speaks_words[i])))
            return (souk_speaks)i;
    return SOUK_SPEAKS_USUAL;
}
