# usage: awk -f tools/floors.awk FLOORS $(find src world -name '*.[ch]')
# Prints every include that climbs a floor or crosses to a sibling (see FLOORS); fails if it found one.
# A *_test.c may also include test/, and a service's folder may not see another service's.
# A folder beside the house (a line such as "beside world base app") sees the second, and only the third sees it.
# Rooms of a folder (lines such as "core.2 log index") stand in an order, too; tests see all of them.
function room(path) { sub(/^.*\//, "", path); sub(/[_.].*$/, "", path); return path }
FILENAME == "FLOORS" {
    if ($1 == "beside") { sees[$2] = $3; seen[$2] = $4 }
    else if ($1 ~ /^[0-9]/) for (i = 2; i <= NF; i++) floor[$i] = $1
    else if ($1 ~ /^[a-z]+\.[0-9]+$/) { split($1, part, "."); ordered[part[1]] = 1
        for (i = 2; i <= NF; i++) level[part[1] "/" $i] = part[2] }
    next
}
FNR == 1 { path = FILENAME; sub(/^src\//, "", path); n = split(path, at, "/"); home = (n > 2) ? at[1] "/" at[2] : at[1] }
match($0, /^[ \t]*#[ \t]*include[ \t]+"[^"]+"/) {
    path = $0; sub(/^[^"]*"/, "", path); sub(/".*/, "", path)
    m = split(path, to, "/"); goal = (m > 2) ? to[1] "/" to[2] : to[1]
    if (goal == home) {
        if (!(home in ordered) || FILENAME ~ /_test\.c$/) next
        here = home "/" room(FILENAME); there = home "/" room(path)
        if (here == there) next
        if (!(here in level)) { print FILENAME ": " here " is no room of FLOORS"; bad = 1; next }
        if (!(there in level) || level[there] >= level[here]) { print FILENAME ":" FNR ": room " here " may not see " path; bad = 1 }
        next
    }
    if (at[1] in sees && (to[1] == sees[at[1]] || (to[1] == "test" && FILENAME ~ /_test\.c$/))) next
    if (to[1] in seen && at[1] == seen[to[1]]) next
    if (at[1] in sees || to[1] in seen) { print FILENAME ":" FNR ": " home " may not see " path; bad = 1; next }
    if (!(to[1] in floor) || !(at[1] in floor)) { print FILENAME ":" FNR ": " path " stands on no floor of FLOORS"; bad = 1; next }
    if (floor[to[1]] < floor[at[1]]) next
    if (to[1] == "test" && FILENAME ~ /_test\.c$/) next
    print FILENAME ":" FNR ": " home " may not see " path; bad = 1
}
END { exit bad }
