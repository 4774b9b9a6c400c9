/* err.h - what can go wrong, as one table; and how it is passed up.
 *
 *     souk_err souk_shop_open(souk_mem *mem, souk_text name, souk_shop **ret_shop, souk_diag *diag)
 *     {
 *         souk_auto(souk_shop) shop = NULL;
 *         SOUK_TRY(souk_shop_new(mem, &shop));
 *         if (name.bytes == 0)
 *             return souk_diag_say(diag, SOUK_EINVAL, "the shop has no name: give one with --name");
 *         *ret_shop = souk_take(&shop);
 *         return SOUK_OK;
 *     }
 *
 * A bug in our own state stops the process (souk_assert, in release builds too); weather such as a
 * full disk or bad input returns a code.  Floors 0 to 4 return, serve/ and app/ log, once. */
#ifndef SOUK_BASE_ERR_H
#define SOUK_BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*    name        HTTP  exit  words */
#define SOUK_ERR_TABLE(X)                                                             \
    X(OK, 200, 0, "done")                                                             \
    X(EINVAL, 400, 2, "the input is not valid")                                       \
    X(ESYNTAX, 400, 2, "the input does not parse")                                    \
    X(EUNAUTH, 401, 1, "the caller is not known: a key or token is missing or wrong") \
    X(EDENIED, 403, 1, "the caller may not do this")                                  \
    X(ENOENT, 404, 1, "there is no such thing")                                       \
    X(EMETHOD, 405, 2, "this path does not take this method")                         \
    X(ETIMEOUT, 408, 1, "the other side was too slow")                                \
    X(EEXIST, 409, 1, "it is there already")                                          \
    X(ECONFLICT, 409, 1, "it changed meanwhile, or a rule forbids it")                \
    X(ECHANGED, 412, 1, "it is not as the caller believes: read it again")            \
    X(EBLIND, 428, 2, "say which version is changed: If-Match with its ETag")         \
    X(EREUSED, 422, 2, "the idempotency key was used for another request")            \
    X(EQUOTA, 429, 1, "too many requests: wait")                                      \
    X(ETOOBIG, 413, 2, "it is larger than the limit")                                 \
    X(EOVERFLOW, 422, 2, "the number does not fit")                                   \
    X(EBUSY, 503, 1, "too much is waiting: try again later")                          \
    X(EFULL, 503, 1, "the disk is full")                                              \
    X(ENOMEM, 503, 1, "there is no memory left")                                      \
    X(EIO, 500, 1, "the disk or the network failed")                                  \
    X(ECORRUPT, 500, 1, "stored bytes are damaged")                                   \
    X(EVERSION, 500, 1, "the data was written by a newer version")                    \
    X(ELOCKED, 503, 1, "another process owns this data folder")                       \
    X(ERETRY, 503, 1, "the transaction must be run again")                            \
    X(ESTOPPED, 503, 1, "the server is stopping")                                     \
    X(EERASED, 410, 1, "the shopper asked to be erased")                              \
    X(EINTERRUPT, 500, 1, "interrupted: run the same command again to resume")        \
    X(EUNSUPPORTED, 501, 2, "this machine or build cannot do that")

typedef enum souk_err {
#define SOUK_ERR_ENUM(name, http, exit_code, words) SOUK_##name,
    SOUK_ERR_TABLE(SOUK_ERR_ENUM)
#undef SOUK_ERR_ENUM
        SOUK_ERR_COUNT
} souk_err;

/* The code's name ("EFULL"), words, HTTP status, process exit code.  Never NULL. */
const char *souk_err_name(souk_err err);
const char *souk_err_words(souk_err err);
int souk_err_http(souk_err err);
int souk_err_exit(souk_err err);

#define SOUK_CHECKED __attribute__((warn_unused_result))
#define SOUK_PRINTF(format_index, first_index) \
    __attribute__((format(printf, format_index, first_index)))

#define SOUK_TRY(call)             \
    do {                           \
        souk_err try_err = (call); \
        if (try_err != SOUK_OK)    \
            return try_err;        \
    } while (0)

/* What a human must mend: words, and where.  line and column start at 1; 0 means unknown. */
typedef struct souk_diag {
    char words[400];
    uint64_t line, column;
} souk_diag;

/* Writes the words (cut at the end of the array) and returns err; diag may be NULL.
 * Words already there are kept as the reason: "new words: old words" is not done, the first wins. */
souk_err souk_diag_say(souk_diag *diag, souk_err err, const char *format, ...) SOUK_PRINTF(3, 4);
/* The words of diag, or of err where nobody wrote any. */
const char *souk_diag_words(const souk_diag *diag, souk_err err);

/* On in release builds too: our own state is broken, nothing after this line could be trusted. */
#define souk_assert(condition) \
    ((condition) ? (void)0 : souk_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void souk_assert_failed(const char *condition, const char *file, int line);

/* Owned pointers: freed on every path out unless taken.  Needs `void type_free(type *)`;
 * declare the glue once with SOUK_AUTO(type) in the type's header. */
#define souk_auto(type) __attribute__((cleanup(type##_free_at))) type *
#define SOUK_AUTO(type)                                                  \
    static inline __attribute__((unused)) void type##_free_at(type **at) \
    {                                                                    \
        type##_free(*at);                                                \
    }
/* The same for values in the caller's storage with `void type_done(type *)`. */
#define souk_auto_value(type) __attribute__((cleanup(type##_done))) type

/* Here ownership leaves, visibly: yields the pointer and leaves NULL behind. */
#define souk_take(at)                          \
    (__extension__({                           \
        __typeof__(at) take_at = (at);         \
        __typeof__(*take_at) taken = *take_at; \
        *take_at = NULL;                       \
        taken;                                 \
    }))

#endif
