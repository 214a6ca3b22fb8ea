// What the tests of tokenizers share: golden lines, and the official tokenizers where they have been brought.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "downloads.h"
#include "files/gguf.h"
#include "paths.h"
#include "text/tokenizer.h"

namespace rung {

// The documents of a file under tests/golden/text/, one per line.
inline std::vector<Json> golden_lines(const std::string& name) {
  std::ifstream file(golden_folder() / "text" / name);
  std::vector<Json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(parse_json(line, name));
  EXPECT_FALSE(lines.empty()) << "tests/golden/text/" << name;
  return lines;
}

// A golden case: [text, its ids, its ids without special tokens, what these decode to, the same without special
// tokens].
inline void expect_case(const Tokenizer& tokenizer, const Json& item) {
  const auto plain = item[2].get<std::vector<TokenId>>();
  EXPECT_EQ(Json(tokenizer.encode(item[0].get<std::string>())), item[1]) << item[0];
  EXPECT_EQ(Json(tokenizer.encode(item[0].get<std::string>(), {.add_special = false})), item[2]) << item[0];
  EXPECT_EQ(Json(tokenizer.decode(plain)), item[3]) << item[0];
  EXPECT_EQ(Json(tokenizer.decode(plain, true)), item[4]) << item[0];
}

inline Tokenizer load_download(const std::string& name) {
  if (name.ends_with(".gguf")) return Tokenizer::from_gguf(Gguf::open(download(name)));
  return Tokenizer::from_folder(download(name));
}

}  // namespace rung
