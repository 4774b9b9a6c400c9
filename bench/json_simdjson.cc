// json_simdjson.cc - see json_simdjson.h.
#include "json_simdjson.h"

#include <simdjson.h>

size_t bench_json_simdjson(const char *const *events, const size_t *bytes, size_t count)
{
    static simdjson::dom::parser parser;
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        simdjson::dom::element event;
        std::string_view id, user, name;
        if (parser.parse(events[i], bytes[i], false).get(event) || event["messageId"].get(id) ||
            event["userId"].get(user) || event["event"].get(name))
            return 0;
        sum += id.size() + user.size() + name.size();
    }
    return sum;
}

size_t bench_json_simdjson_batches(const char *const *documents, const size_t *bytes, size_t count)
{
    static simdjson::dom::parser parser;
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        simdjson::dom::element root;
        simdjson::dom::array batch;
        if (parser.parse(documents[i], bytes[i], false).get(root) || root["batch"].get(batch))
            return 0;
        for (simdjson::dom::element event : batch) {
            std::string_view id, user, name;
            if (event["messageId"].get(id) || event["event"].get(name))
                return 0;
            if (event["userId"].get(user))
                user = {};
            sum += id.size() + user.size() + name.size();
        }
    }
    return sum;
}

const char *bench_json_simdjson_version(void)
{
#define VERSION_TEXT_OF(version) #version
#define VERSION_TEXT(version) VERSION_TEXT_OF(version)
    return VERSION_TEXT(SIMDJSON_VERSION);
}
