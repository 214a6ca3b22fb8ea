// Metadata and tensors → a GGUF file of version 3.  Milestone M5.  (files/gguf_part.h draws the layout.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "files/gguf.h"

namespace rung {

// The metadata of a file to be, in the order in which it will stand there.
class GgufMetadata {
 public:
  // Puts the key at the end; one that is there already keeps its place and takes the new value. Texts must outlive
  // this: see keep().
  void set(std::string_view key, GgufValue value);
  template <class T>
  void set_scalar(std::string_view key, T value) {
    set(key, GgufValue(GgufScalar(value)));
  }
  void set_text(std::string_view key, std::string text) { set_scalar(key, keep(std::move(text))); }
  template <class T>
  void set_array(std::string_view key, std::vector<T> values) {
    set(key, GgufValue(GgufArray{std::move(values)}));
  }
  bool has(std::string_view key) const;

  // A view of the text that lives as long as this.
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  const std::vector<std::pair<std::string, GgufValue>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::string, GgufValue>> entries_;
  std::deque<std::string> texts_;  // a deque's elements never move
};

struct GgufOutputTensor {
  std::string name;
  DType type;
  std::vector<std::size_t> shape;  // outermost axis first

  std::size_t row_values() const { return shape.empty() ? 1 : shape.back(); }
  std::size_t rows() const;
  std::size_t bytes() const { return rows() * row_bytes(type, row_values()); }
};

// What the tensors will be is said first; their bytes then come in that order, in pieces of any size, so that no more
// than one piece is ever in memory. Whole or not at all (base/atomic_file.h). Throws Error.
class GgufWriter {
 public:
  GgufWriter(const std::filesystem::path& path, const GgufMetadata& metadata,
             std::span<const GgufOutputTensor> tensors);

  void write(std::span<const std::byte> bytes);  // of one tensor
  void commit();                                 // all bytes have been written; without it nothing is left behind

 private:
  void pad();

  AtomicFile file_;
  std::vector<std::uint64_t> missing_;  // bytes of each tensor that have not come yet, the next tensor at the back
  std::uint64_t position_ = 0;          // in the file
};

}  // namespace rung
