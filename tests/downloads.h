// What some tests need and the tree does not hold: official tokenizers and real models, in build/downloads, where
// ./check brings them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "paths.h"

namespace rung {

// The file of a model ("smollm2.gguf"), or the folder of an official tokenizer ("qwen3").
inline std::filesystem::path download(const std::string& name) {
  const std::filesystem::path folder = download_folder();
  return name.ends_with(".gguf") ? folder / name : folder / "tokenizers" / ("tokenizer-" + name);
}

// First in a test that needs downloads: in CI they are required, elsewhere it is skipped, with one reason for all.
#define RUNG_NEEDS_DOWNLOAD(name)                                                                      \
  if (!std::filesystem::exists(download(name))) {                                                      \
    if (std::getenv("CI") != nullptr) FAIL() << download(name).string() << " is missing";              \
    GTEST_SKIP() << "needs official tokenizers and real models: ./check brings them, without --quick"; \
  }

}  // namespace rung
