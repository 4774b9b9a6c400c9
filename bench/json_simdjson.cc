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
