# What a GoogleTest program prints → only what a reader must see: failures whole, skipped tests with their reason, a closing line.
# Appends "passed failed skipped" to the file `counts`. A test that began and never ended (a crash, a time limit) has failed;
# so has a program that never came to its closing line. `where` names the program.
function keep(line) { if (++kept <= 200) text = text "    " line "\n" }
/^\[ RUN      \]/ { test = $4; text = ""; kept = 0; next }
test != "" && /^\[       OK \]/ { passed++; test = ""; text = ""; next }
test != "" && /^\[  FAILED  \]/ { failed++; printf "FAILED %s: %s\n%s", where, test, text; test = ""; text = ""; next }
test != "" && /^\[  SKIPPED \]/ {
  skipped++
  sub(/^ *[^\n]*: Skipped\n/, "", text)
  gsub(/\n */, " ", text); sub(/^ */, "", text); sub(/ *$/, "", text)
  printf "skipped %s: %s: %s\n", where, test, text
  test = ""; text = ""; next
}
/^\[==========\] .* ran\./ { complete = 1; time = $0; sub(/.*\(/, "", time); sub(/ total.*/, "", time) }
{ keep($0) }
END {
  if (test != "") { failed++; printf "FAILED %s: %s did not end\n%s", where, test, text }
  else if (!complete) { failed++; printf "FAILED %s: the program did not end\n%s", where, text }
  if (complete) printf "%s: %d passed in %s\n", where, passed, time
  printf "%d %d %d\n", passed, failed, skipped >> counts
}
