# usage: awk -f tools/floors.awk FLOORS $(find src -name '*.[ch]')
# Prints every include that climbs a floor or crosses to a sibling (see FLOORS); fails if it found one.
# A *_test.c may also include test/, and a service's folder may not see another service's.
# Rooms of a folder (lines such as "core.2 log index") stand in an order, too; tests see all of them.
function room(path) { sub(/^.*\//, "", path); sub(/[_.].*$/, "", path); return path }
FILENAME == "FLOORS" {
    if ($1 ~ /^[0-9]/) for (i = 2; i <= NF; i++) floor[$i] = $1
    else if ($1 ~ /^[a-z]+\.[0-9]+$/) { split($1, part, "."); ordered[part[1]] = 1
        for (i = 2; i <= NF; i++) level[part[1] "/" $i] = part[2] }
    next
}
FNR == 1 { n = split(FILENAME, at, "/"); home = (n > 3) ? at[2] "/" at[3] : at[2] }
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
    if (!(to[1] in floor) || !(at[2] in floor)) { print FILENAME ":" FNR ": " path " stands on no floor of FLOORS"; bad = 1; next }
    if (floor[to[1]] < floor[at[2]]) next
    if (to[1] == "test" && FILENAME ~ /_test\.c$/) next
    print FILENAME ":" FNR ": " home " may not see " path; bad = 1
}
END { exit bad }
