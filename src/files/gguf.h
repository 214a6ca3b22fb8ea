// A GGUF file, or all the parts of a split one → metadata and a TensorMap.  Milestone M1.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little endian.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/mapped_file.h"
#include "files/folder.h"
#include "files/tensor_map.h"

namespace rung {

// tokenizer.ggml.token_type
enum class GgufTokenType : std::int64_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

struct GgufValue;

// An array keeps the element type of the file. Strings are views into the mapped file; nothing is copied.
struct GgufArray;

using GgufScalar = std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t,
                                float, bool, std::string_view, std::uint64_t, std::int64_t, double>;

struct GgufArray {
  using Values =
      std::variant<std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                   std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>, std::vector<float>,
                   std::vector<bool>, std::vector<std::string_view>, std::vector<std::uint64_t>,
                   std::vector<std::int64_t>, std::vector<double>, std::vector<GgufArray>>;
  Values values;
  std::size_t size() const {
    return std::visit([](const auto& v) { return v.size(); }, values);
  }
};

struct GgufValue : std::variant<GgufScalar, GgufArray> {
  using variant::variant;
};

class Gguf {
 public:
  // One file; of a split model (NAME-00001-of-00003.gguf) any part, and the others are found beside it. Throws Error.
  static Gguf open(const std::filesystem::path& path) { return open(path.parent_path(), path.filename().string()); }
  static Gguf open(const Folder& folder, const std::string& name);

  const TensorMap& tensors() const { return tensors_; }
  const std::map<std::string, GgufValue, std::less<>>& metadata() const { return metadata_; }
  const std::string& file() const { return file_; }  // for errors
  std::uint32_t version() const { return version_; }

  // Typed look-ups. Absent: nullopt / nullptr. Present with another type (or out of range): an Error that names file,
  // key, found and expected.
  std::optional<std::string_view> string(std::string_view key) const;
  std::optional<std::int64_t> integer(std::string_view key) const;  // any integer type
  std::optional<double> number(std::string_view key) const;         // any integer or float type
  std::optional<bool> boolean(std::string_view key) const;
  const std::vector<std::string_view>* strings(std::string_view key) const;
  std::optional<std::vector<std::int64_t>> integers(std::string_view key) const;  // array of any integer type (or bool)
  std::optional<std::vector<float>> floats(std::string_view key) const;           // array of f32 or f64

 private:
  static Gguf open_one(const Folder& folder, const std::string& name);
  // of a split model: that it is part `index` (from 0) of `count`
  void check_part(std::int64_t index, std::int64_t count) const;
  void absorb(Gguf part);  // its tensors and its mapping

  std::vector<MappedFile> files_;
  TensorMap tensors_;
  std::map<std::string, GgufValue, std::less<>> metadata_;
  std::string file_;
  std::uint32_t version_ = 0;
};

}  // namespace rung
