// Kernels are compiled while the tests run. Without what that needs all of them are skipped, by name.
#include <gtest/gtest.h>

#include <cstdlib>

namespace {

class Compilers : public testing::Environment {
 public:
  void SetUp() override {
    for (const char* program : {"clang++-19", "python3", "llvm-symbolizer-19"}) {
      if (std::system(("command -v " + std::string{program} + " >/dev/null").c_str()) != 0) {
        GTEST_SKIP() << program << " is missing: ./check brings it";
      }
    }
  }
};

[[maybe_unused]] const testing::Environment* const compilers = testing::AddGlobalTestEnvironment(new Compilers);

}  // namespace
