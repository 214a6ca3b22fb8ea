# What a GoogleTest program prints, and a last line "exit status: N" → what a reader must see: failures whole, and a
# closing line. Appends "passed failed skipped" to the file `counts`, and "where, a tab, why" of each skipped test to
# `skips`, of which tools/skips.awk makes a line a reason; `where` names the program. A test that began and never ended
# (a crash, a time limit) has failed; so has a program that fails for a reason of its own (a leak).
function keep(line) { if (++kept <= 200) text = text "    " line "\n" }
function close_test() { test = text = ""; kept = 0 }
/^\[ RUN      \]/ { close_test(); test = $4; next }
test != "" && /^\[       OK \]/ { passed++; close_test(); next }
test != "" && /^\[  FAILED  \]/ { failed++; printf "FAILED %s: %s\n%s", where, test, text; close_test(); next }
test != "" && /^\[  SKIPPED \]/ {
  skipped++
  sub(/^ *[^\n]*: Skipped\n/, "", text)
  gsub(/\n */, " ", text); sub(/^ */, "", text); sub(/ *$/, "", text)
  printf "%s\t%s\n", where, text >> skips
  close_test(); next
}
/^\[==========\] .* ran\./ { time = $0; sub(/.*\(/, "", time); sub(/ total.*/, "", time); next }
/^exit status: / { status = $3; next }
test == "" && /^\[/ { next }
{ keep($0) }
END {
  if (test != "") { failed++; printf "FAILED %s: %s did not end (exit status %d)\n%s", where, test, status, text }
  else if (status != 0 && !failed) { failed++; printf "FAILED %s: exit status %d\n%s", where, status, text }
  printf "%s: %d passed in %s\n", where, passed, time == "" ? "no time" : time
  printf "%d %d %d\n", passed, failed, skipped >> counts
}
