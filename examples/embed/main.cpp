// The installed library in a program of its own: reads the JSON of its first argument as Rung does.
#include <cstdio>

#include "base/error.h"
#include "base/json.h"

int main(int argc, char** argv) try {
  std::printf("%zu values\n", rung::parse_json(argc > 1 ? argv[1] : "[1, 2]", "argument").size());
} catch (const rung::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
