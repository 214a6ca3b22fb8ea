# The ```cpp blocks of docs/library.md → a program that runs them all, each in a function of its own.
BEGIN {
  print "#include <algorithm>\n#include <cstdio>\n#include <span>\n#include <string>"
  print "#include <string_view>\n#include <vector>\n"
  print "#include \"engine/rung.h\"\n"
}
/^```cpp$/ {
  ++blocks
  inside = 1
  printf "static void block_%d() {\n#line %d \"docs/library.md\"\n", blocks, NR + 1
  next
}
/^```$/ && inside { inside = 0; print "}\n"; next }
inside
END {
  print "int main() {"
  for (i = 1; i <= blocks; ++i) printf "  block_%d();\n", i
  print "}"
}
