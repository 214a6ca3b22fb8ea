#include "files/write_gguf.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "base/ensure.h"
#include "files/gguf_part.h"

namespace rung {

namespace {

constexpr std::uint64_t kAlignment = 32;  // what readers take where general.alignment says nothing

std::uint64_t aligned(std::uint64_t position) { return (position + kAlignment - 1) / kAlignment * kAlignment; }

// Bytes in the making. Numbers are little endian, as on every machine that Rung runs on.
class Header {
 public:
  template <class T>
  void number(T value) {
    static_assert(std::endian::native == std::endian::little);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void text(std::string_view text) {
    number(std::uint64_t{text.size()});
    bytes_ += text;
  }
  void raw(std::string_view text) { bytes_ += text; }

  void value(const GgufValue& value) {
    number(value_type(value));
    if (const auto* scalar = std::get_if<GgufScalar>(&value)) {
      std::visit([&](const auto& v) { element(v); }, *scalar);
    } else {
      array(std::get<GgufArray>(value));
    }
  }

  const std::string& bytes() const { return bytes_; }

 private:
  template <class T>
  void element(const T& value) {
    if constexpr (std::is_same_v<T, std::string_view>) {
      text(value);
    } else if constexpr (std::is_same_v<T, bool>) {
      number(static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_same_v<T, GgufArray>) {
      array(value);
    } else {
      number(value);
    }
  }

  void array(const GgufArray& array) {
    number(element_type(array));
    number(std::uint64_t{array.size()});
    std::visit(
        [&](const auto& values) {
          using T = typename std::decay_t<decltype(values)>::value_type;
          for (std::size_t i = 0; i < values.size(); ++i) element(static_cast<const T&>(values[i]));
        },
        array.values);
  }

  std::string bytes_;
};

}  // namespace

void GgufMetadata::set(std::string_view key, GgufValue value) {
  for (auto& [name, old] : entries_) {
    if (name != key) continue;
    old = std::move(value);
    return;
  }
  entries_.emplace_back(key, std::move(value));
}

bool GgufMetadata::has(std::string_view key) const {
  for (const auto& [name, value] : entries_) {
    if (name == key) return true;
  }
  return false;
}

std::size_t GgufOutputTensor::rows() const {
  std::size_t n = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) n *= shape[i];
  return n;
}

GgufWriter::GgufWriter(const std::filesystem::path& path, const GgufMetadata& metadata,
                       std::span<const GgufOutputTensor> tensors)
    : file_(path) {
  Header header;
  header.raw("GGUF");
  header.number(std::uint32_t{3});
  header.number(std::uint64_t{tensors.size()});
  header.number(std::uint64_t{metadata.entries().size()});
  for (const auto& [key, value] : metadata.entries()) {
    header.text(key);
    header.value(value);
  }
  std::uint64_t offset = 0;
  for (const GgufOutputTensor& tensor : tensors) {
    header.text(tensor.name);
    header.number(static_cast<std::uint32_t>(tensor.shape.size()));
    for (std::size_t i = tensor.shape.size(); i-- > 0;) header.number(std::uint64_t{tensor.shape[i]});
    header.number(info(tensor.type).gguf_number);
    header.number(offset);
    offset = aligned(offset + tensor.bytes());
  }
  for (std::size_t i = tensors.size(); i-- > 0;) missing_.push_back(tensors[i].bytes());
  file_.write(header.bytes());
  position_ = header.bytes().size();
  pad();
}

void GgufWriter::pad() {
  const char zeros[kAlignment] = {};
  const std::uint64_t end = aligned(position_);
  file_.write(std::string_view(zeros, end - position_));
  position_ = end;
  while (!missing_.empty() && missing_.back() == 0) missing_.pop_back();
}

void GgufWriter::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  ensure(!missing_.empty() && bytes.size() <= missing_.back(), "GGUF: more bytes than the header says");
  file_.write(bytes);
  position_ += bytes.size();
  missing_.back() -= bytes.size();
  if (missing_.back() == 0) pad();
}

void GgufWriter::commit() {
  ensure(missing_.empty(), "GGUF: fewer bytes than the header says");
  file_.commit();
}

}  // namespace rung
