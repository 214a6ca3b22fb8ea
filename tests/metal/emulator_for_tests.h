// What tests of kernels share: compiled files, each once, and the modes in which every kernel is run.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "emulator/emulator.h"
#include "paths.h"

#define EXPECT_CONTAINS(text, part) EXPECT_PRED2(::metal_emulator::contains, (text), (part))

namespace metal_emulator {

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A kernel file of tests/metal/kernels.
inline std::string kernel_file(const std::string& name) {
  return (rung::source_folder() / "tests/metal/kernels" / name).string();
}

// A run of every kernel: in order; shuffled by three seeds; with reductions in another order; strict; checked for
// races, bounds and alignment; with denormals flushed and contraction; with an approximate exp.
struct Mode {
  const char* name;
  Build build = Build::plain;
  Options options = {};
  bool keeps_bits = true;  // gives what the first mode gives, bit for bit; else within the kernel's tolerance
};

inline const std::vector<Mode>& modes() {
  static const std::vector<Mode> all{
      {"in order"},
      {"seed 1", Build::plain, {.seed = 1}},
      {"seed 2", Build::plain, {.seed = 2}},
      {"seed 3", Build::plain, {.seed = 3}},
      {"other reductions", Build::plain, {.reorder_reductions = true}, false},
      {"strict", Build::plain, {.strict = true}},
      {"checked", Build::checked},
      {"flushed and contracted", Build::contracted, {.flush_denormals = true}, false},
      {"approximate exp", Build::plain, {.approximate_exp = true}, false},
  };
  return all;
}

// A kernel file, compiled when first asked for.
class Kernels {
 public:
  explicit Kernels(const std::string& file, Build build = Build::plain) : library_(loaded(file, build)) {}

  Dispatch dispatch(const std::string& kernel) const {
    Dispatch d;
    d.kernel = library_->find(kernel);
    d.library = library_;
    if (!d.kernel) throw std::runtime_error{"there is no kernel " + kernel};
    return d;
  }

 private:
  static const Library* loaded(const std::string& file, Build build) {
    static std::map<std::pair<std::string, Build>, std::unique_ptr<Library>> all;
    std::unique_ptr<Library>& library = all[{file, build}];
    if (!library) library = std::make_unique<Library>(compile(file, build));
    return library.get();
  }

  const Library* library_;
};

// What running it finds; empty: nothing.
inline std::string fault_in(const Dispatch& dispatch) {
  try {
    run(dispatch);
  } catch (const Fault& fault) {
    return fault.what();
  }
  return "";
}

}  // namespace metal_emulator
