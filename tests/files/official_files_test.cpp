// Files as the official packages write them are read as the official packages read them (tools/goldens/files.py).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "files/gguf.h"
#include "files/safetensors.h"
#include "paths.h"

namespace rung {
namespace {

std::filesystem::path golden(const std::string& name) { return golden_folder() / "files" / name; }

Json expected(const std::string& name) {
  std::ifstream in(golden(name));
  return parse_json(std::string(std::istreambuf_iterator<char>(in), {}), name);
}

std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  for (const std::byte b : bytes) out += fmt::format("{:02x}", static_cast<unsigned>(b));
  return out;
}

// {"type", "shape", "bytes"} of every tensor, as the golden has it.
Json describe(const TensorMap& tensors) {
  Json out = Json::object();
  for (const auto& [name, t] : tensors) {
    out[name] = {{"type", info(t.dtype).name}, {"shape", t.shape}, {"bytes", hex(t.bytes)}};
  }
  for (const auto& [name, t] : tensors.others) {
    out[name] = {{"type", t.type}, {"shape", t.shape}, {"bytes", hex(t.bytes)}};
  }
  return out;
}

struct ToJson {
  Json operator()(const GgufScalar& scalar) const {
    return std::visit([](const auto& v) { return Json(v); }, scalar);
  }
  Json operator()(const GgufArray& array) const { return std::visit(*this, array.values); }
  template <class T>
  Json operator()(const std::vector<T>& values) const {
    Json out = Json::array();
    for (const auto& value : values) out.push_back(element(value));
    return out;
  }

 private:
  Json element(const GgufArray& array) const { return (*this)(array); }
  template <class T>
  Json element(const T& value) const {
    return Json(value);
  }
};

Json describe(const Gguf& gguf) {
  Json metadata = Json::object();
  for (const auto& [key, value] : gguf.metadata()) {
    if (key.rfind("test.", 0) != 0 || key == "test.array.array") continue;
    const auto* scalar = std::get_if<GgufScalar>(&value);
    metadata[key] = scalar != nullptr ? ToJson()(*scalar) : ToJson()(std::get<GgufArray>(value));
  }
  return {{"metadata", metadata}, {"tensors", describe(gguf.tensors())}};
}

TEST(OfficialGguf, EveryMetadataAndTensorType) {
  const Gguf gguf = Gguf::open(golden("all_types.gguf"));
  EXPECT_EQ(gguf.version(), 3u);
  EXPECT_EQ(describe(gguf), expected("all_types.json"));
}

TEST(OfficialGguf, Version2) {
  const Gguf gguf = Gguf::open(golden("version2.gguf"));
  EXPECT_EQ(gguf.version(), 2u);
  EXPECT_EQ(describe(gguf), expected("all_types.json"));
}

TEST(OfficialGguf, AnotherAlignment) {
  EXPECT_EQ(describe(Gguf::open(golden("aligned.gguf"))), expected("all_types.json"));
}

TEST(OfficialGguf, ArraysInArrays) {
  const Gguf gguf = Gguf::open(golden("all_types.gguf"));
  EXPECT_EQ(ToJson()(std::get<GgufArray>(gguf.metadata().at("test.array.array"))),
            Json::parse(R"([[1, 2, 3], ["a", "b"]])"));
}

TEST(OfficialGguf, AnyPartOfASplitModelOpensTheWhole) {
  for (int part = 1; part <= 3; ++part) {
    const Gguf gguf = Gguf::open(golden(fmt::format("split-{:05}-of-00003.gguf", part)));
    EXPECT_EQ(describe(gguf), expected("split.json")) << part;
    EXPECT_EQ(gguf.string("general.architecture"), "llama");
  }
}

Json metadata_json(const Safetensors& file) { return file.metadata(); }

// The golden calls the types as the file does: F32.
Json upper_types(Json tensors) {
  for (auto& [name, tensor] : tensors.items()) {
    for (char& c : tensor["type"].get_ref<std::string&>()) {
      c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
  }
  return tensors;
}

TEST(OfficialSafetensors, EveryKindOfTensor) {
  const Safetensors file = Safetensors::open(golden("whole.safetensors"));
  EXPECT_EQ(upper_types(describe(file.tensors())), expected("whole.json").at("tensors"));
  EXPECT_EQ(metadata_json(file), expected("whole.json").at("metadata"));
}

TEST(OfficialSafetensors, Shards) {
  const Safetensors folder = Safetensors::open(golden("sharded"));
  EXPECT_EQ(upper_types(describe(folder.tensors())), expected("whole.json").at("tensors"));
}

}  // namespace
}  // namespace rung
