# What a GoogleTest program prints, and a last line "exit status: N" → what a reader must see: failures whole, and a
# closing line. Appends "passed failed skipped" to the file `counts`, the name of each test that failed to `failures`,
# and "where, a tab, why" of each skipped test to `skips`, of which tools/skips.awk makes a line a reason; `where` names
# the program. A test that began and never ended
# (a crash, a time limit) has failed; so has a program that fails for a reason of its own (a leak).
function keep(line) { if (++kept <= 200) text = text "    " line "\n" }
function fail(name, words) {
  failed++
  printf "FAILED %s: %s\n%s", where, name words, text
  print where ": " name >> failures
}
function close_test() { test = text = ""; kept = 0 }
/^\[ RUN      \]/ { close_test(); test = $4; next }
test != "" && /^\[       OK \]/ { passed++; close_test(); next }
test != "" && /^\[  FAILED  \]/ { fail(test, ""); close_test(); next }
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
  if (test != "") fail(test, " did not end (exit status " status ")")
  else if (status != 0 && !failed) fail("exit status " status, "")
  printf "%s: %d passed in %s\n", where, passed, time == "" ? "no time" : time
  printf "%d %d %d\n", passed, failed, skipped >> counts
}
