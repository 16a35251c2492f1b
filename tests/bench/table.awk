# tests/bench/table.awk: lines of tests/bench/run to the table, as text of at most
# 100 columns or as Markdown (-v format=markdown). The first file is the head.

FNR == NR { print (format == "markdown" && FNR > 1 ? "<br>" : "") $0; next }

{ split($0, f, "|") }

f[1] == "row" {
  rows = f[2]
  name[rows] = f[3]
  times[rows] = f[4] ~ /^serial/ ? 25 : 1 # 40 requests stand for 1,000
  protocol[rows] = f[5]
  pairs[rows] = f[6]
  split(f[7], b, " ")
  bound[rows] = b[1]
  most[rows] = b[2]
  next
}

# client|row|wall cpu kB connections requests
{
  n = ++count[f[1], f[2]]
  split(f[3], v, " ")
  for (i = 1; i <= 5; i++) value[f[1], f[2], i, n] = v[i]
}

# The place-th smallest; the middle one when place is 0.
function smallest(client, row, field, place,    n, i, j, x, sorted) {
  n = count[client, row]
  for (i = 1; i <= n; i++) {
    x = value[client, row, field, i] + 0
    for (j = i - 1; j > 0 && sorted[j] > x; j--) sorted[j + 1] = sorted[j]
    sorted[j + 1] = x
  }
  if (place == 0) return (sorted[int((n + 1) / 2)] + sorted[int(n / 2) + 1]) / 2
  return sorted[place]
}

function wall(client, row) { return smallest(client, row, 1, 0) * factor(client, row) }
function cpu(client, row) { return smallest(client, row, 2, 0) * factor(client, row) }
function kb(client, row) { return smallest(client, row, 3, 0) }
function factor(client, row) { return client == "curl" ? times[row] : 1 }

function has_curl(row) { return count["curl", row] > 0 }

function verdict(row,    is, text, conns) {
  conns = smallest("rtk", row, 4, count["rtk", row])
  if (protocol[row] == "h2" && conns > 1) return "conns≤1 MISSED"
  if (bound[row] == "") return ""
  if (bound[row] == "wall") is = wall("rtk", row) / wall("curl", row)
  if (bound[row] == "cpu") is = cpu("rtk", row) / cpu("curl", row)
  if (bound[row] == "trips") is = 1 + (wall("rtk", row) - wall("curl", row)) / 0.05
  if (bound[row] == "mb") is = kb("rtk", row) / 1024
  if (bound[row] == "conns") is = conns
  if (bound[row] == "reqs") {
    is = smallest("rtk", row, 5, count["rtk", row]) / smallest("curl", row, 5, 1)
  }
  if (bound[row] == "bytes") {
    if (name[row - 1] !~ /100,000/) return ""
    is = (kb("rtk", row) - kb("rtk", row - 1)) * 1024 / 200000
  }
  text = sprintf(bound[row] ~ /wall|cpu|trips|reqs/ ? "%.2f" : "%.0f", is)
  if (text + 0 == is) text = is
  note[row] = bound[row] ~ /cpu|trips|bytes|reqs/ ? text " " : ""
  return note[row] bound[row] "≤" most[row] (is <= most[row] ? " ok" : " MISSED")
}

# Seconds, or MB (of kB), as they are printed.
function seconds(s) { return sprintf(s < 0.1 ? "%.3f" : "%.2f", s) }
function mb(n) { return n == 0 ? "-" : sprintf("%.0f", n / 1024) }

function line(row,    curl) {
  curl = has_curl(row)
  cell[1] = name[row]
  cell[2] = seconds(wall("rtk", row))
  cell[3] = curl ? seconds(wall("curl", row)) : "-"
  cell[4] = curl ? sprintf("%.2f", wall("rtk", row) / wall("curl", row)) : "-"
  cell[5] = curl ? sprintf("%.2f", smallest("rtk", row, 1, 1) / \
            smallest("curl", row, 1, 1) / times[row]) : "-"
  cell[6] = seconds(cpu("rtk", row))
  cell[7] = curl ? seconds(cpu("curl", row)) : "-"
  cell[8] = mb(kb("rtk", row))
  cell[9] = curl ? mb(kb("curl", row)) : "-"
  cell[10] = smallest("rtk", row, 4, count["rtk", row])
  cell[11] = smallest("rtk", row, 5, 0)
  cell[12] = verdict(row)
  put()
}

function put(    i) {
  if (format == "markdown") {
    for (i = 1; i <= 12; i++) printf "| %s ", cell[i]
    print "|"
  } else {
    printf "%-27s%6s%6s%6s%5s%6s%6s%4s%5s%4s%7s%s\n", cell[1], cell[2],
      cell[3], cell[4], cell[5], cell[6], cell[7], cell[8], cell[9], cell[10],
      cell[11], (cell[12] == "" ? "" : "  ") cell[12]
  }
}

END {
  print ""
  if (format == "markdown") {
    split("what|rtk, s|curl, s|ratio|ratio of the best|rtk, CPU s|curl, CPU s|" \
          "rtk, MB|curl, MB|rtk, connections|rtk, requests|bound", cell, "|")
    put()
    print "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
  } else {
    printf "%-27s%12s%11s%12s%9s\n", "", "wall, s", "rtk/curl", "CPU, s", "peak, MB"
    split("|rtk|curl|ratio|best|rtk|curl|rtk|curl|con|reqs|bound", cell, "|")
    put()
  }
  for (row = 1; row <= rows; row++) line(row)
  print ""
  br = format == "markdown" ? "  " : ""
  print "Medians of up to " pairs[1] " pairs, rtk and curl --parallel in turn, 100 requests at a time where" br
  print "no width is named. best: the shortest runs; con, reqs: connections and requests of rtk." br
  print "(1) extrapolated from 40 requests. (2) curl: one request. (3) bytes of peak memory for" br
  print "each id more than in the row above. (4) livestreams, their sessions and a local table;" br
  print "curl knows all pages beforehand. (5) compared with the same aggregate over a million rows" br
  print "and 5,000 ids without the join. (6) compared with a join of two local tables." br
  print "Every result was checked."
}
