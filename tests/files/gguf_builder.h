// The bytes of a GGUF file, piece by piece, each piece as wrong as a test wants it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rung {

class GgufBuilder {
 public:
  // Counts are what the header claims, whatever follows.
  explicit GgufBuilder(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    raw("GGUF").number(version).number(tensors).number(keys);
  }

  GgufBuilder& raw(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  template <class T>
  GgufBuilder& number(T value) {
    return raw({reinterpret_cast<const char*>(&value), sizeof(value)});
  }
  GgufBuilder& string(std::string_view text) { return number(std::uint64_t{text.size()}).raw(text); }

  // A key and the type of its value; the value itself follows.
  GgufBuilder& key(std::string_view name, std::uint32_t type) { return string(name).number(type); }
  GgufBuilder& u32(std::string_view name, std::uint32_t value) { return key(name, 4).number(value); }
  GgufBuilder& u16(std::string_view name, std::uint16_t value) { return key(name, 2).number(value); }
  GgufBuilder& i32(std::string_view name, std::int32_t value) { return key(name, 5).number(value); }

  // Extents as in the file: fastest first.
  GgufBuilder& tensor(std::string_view name, std::initializer_list<std::uint64_t> extents, std::uint32_t type,
                      std::uint64_t offset) {
    string(name).number(static_cast<std::uint32_t>(extents.size()));
    for (const std::uint64_t extent : extents) number(extent);
    return number(type).number(offset);
  }

  GgufBuilder& pad(std::size_t alignment = 32) {
    return raw(std::string((alignment - bytes_.size() % alignment) % alignment, '\0'));
  }
  GgufBuilder& data(std::size_t count) { return raw(std::string(count, '\x11')); }

  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(bytes_)); }
  const std::string& text() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace rung
