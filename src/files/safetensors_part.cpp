#include "files/safetensors_part.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/printable.h"

namespace rung {

namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the official reader's bound
constexpr std::size_t kMaxAxes = 16;

struct Type {
  std::string_view name;
  std::uint64_t bits_per_value;
  std::optional<DType> dtype = {};  // none: Rung does not decode it
};

constexpr Type kTypes[] = {
    {"F32", 32, DType::f32},
    {"F16", 16, DType::f16},
    {"BF16", 16, DType::bf16},
    {"BOOL", 8},
    {"U8", 8},
    {"I8", 8},
    {"U16", 16},
    {"I16", 16},
    {"U32", 32},
    {"I32", 32},
    {"U64", 64},
    {"I64", 64},
    {"F64", 64},
    {"C64", 64},
    {"F8_E4M3", 8},
    {"F8_E5M2", 8},
    {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8},
    {"F8_E8M0", 8},
    {"F6_E2M3", 6},
    {"F6_E3M2", 6},
    {"F4", 4},
};

struct Entry {
  std::string name;
  std::string dtype;
  std::optional<std::vector<std::size_t>> shape;
  std::vector<std::uint64_t> offsets;
};

// The header, event by event. A JSON document that keeps one of two equal keys would hide a duplicate, and so which
// tensor a reader sees would depend on the reader; events show both.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(const std::string& file, SafetensorsPart& part, std::vector<Entry>& entries)
      : file_(file), part_(part), entries_(entries) {}

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a boolean"); }
  // the negative ones only
  bool number_integer(number_integer_t value) override { unexpected(fmt::format("{}", value)); }
  bool number_float(number_float_t, const string_t& text) override { unexpected(printable(text)); }
  bool binary(binary_t&) override { unexpected("binary"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::shape && entries_.back().shape->size() < kMaxAxes) {
      if (!std::in_range<std::size_t>(value)) unexpected(fmt::format("{}", value));
      entries_.back().shape->push_back(static_cast<std::size_t>(value));
    } else if (place_ == Place::offsets && entries_.back().offsets.size() < 2) {
      entries_.back().offsets.push_back(value);
    } else {
      unexpected(fmt::format("{}", value));
    }
    return true;
  }

  bool string(string_t& text) override {
    if (place_ == Place::metadata) {
      part_.metadata[key_] = std::move(text);
    } else if (place_ == Place::tensor && key_ == "dtype") {
      entries_.back().dtype = std::move(text);
    } else {
      unexpected("a string");
    }
    return true;
  }

  bool key(string_t& text) override {
    key_ = std::move(text);
    std::set<std::string>& keys = place_ == Place::header ? header_keys_ : inner_keys_;
    if (!keys.insert(key_).second) {
      fail("{}: {}the key '{}' appears twice in the header", file_, of_tensor(), printable(key_));
    }
    return true;
  }

  bool start_object(std::size_t) override {
    inner_keys_.clear();
    if (place_ == Place::start) {
      place_ = Place::header;
    } else if (place_ == Place::header && key_ == "__metadata__") {
      place_ = Place::metadata;
    } else if (place_ == Place::header) {
      entries_.push_back({key_, {}, {}, {}});
      place_ = Place::tensor;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    place_ = place_ == Place::header ? Place::start : Place::header;
    return true;
  }

  bool start_array(std::size_t) override {
    if (place_ == Place::tensor && key_ == "shape") {
      entries_.back().shape.emplace();
      place_ = Place::shape;
    } else if (place_ == Place::tensor && key_ == "data_offsets") {
      place_ = Place::offsets;
    } else {
      unexpected("an array");
    }
    return true;
  }

  bool end_array() override {
    place_ = Place::tensor;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    fail("{}: the header is not JSON: unexpected text at its byte {}", file_, position);
  }

 private:
  enum class Place { start, header, metadata, tensor, shape, offsets };

  std::string of_tensor() const {
    const bool inside = place_ == Place::tensor || place_ == Place::shape || place_ == Place::offsets;
    return inside ? fmt::format("tensor '{}': ", printable(entries_.back().name)) : std::string();
  }

  [[noreturn]] void unexpected(std::string_view what) const {
    static constexpr std::array<const char*, 6> kExpected{"an object",
                                                          "objects, one a tensor",
                                                          "strings in __metadata__",
                                                          "dtype, shape and data_offsets",
                                                          "at most 16 counts in shape",
                                                          "two offsets in data_offsets"};
    fail("{}: {}found {} for '{}' in the header, expected {}", file_, of_tensor(), what, printable(key_),
         kExpected[static_cast<std::size_t>(place_)]);
  }

  const std::string& file_;
  SafetensorsPart& part_;
  std::vector<Entry>& entries_;
  Place place_ = Place::start;
  std::string key_;
  std::set<std::string> header_keys_, inner_keys_;
};

const Type& type_of(const Entry& entry, const std::string& file) {
  const auto* found =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const Type& t) { return t.name == entry.dtype; });
  if (found == std::end(kTypes)) {
    fail("{}: tensor '{}' has dtype '{}', which the format does not know", file, printable(entry.name),
         printable(entry.dtype));
  }
  return *found;
}

// dtype × shape, where the product of any of the extents fits too.
std::uint64_t tensor_bytes(const Entry& entry, const Type& type, const std::string& file) {
  std::optional<std::uint64_t> bits = type.bits_per_value;
  bool empty = false;
  for (const std::size_t extent : *entry.shape) {
    empty = empty || extent == 0;
    if (bits) bits = checked_mul(*bits, std::max<std::uint64_t>(extent, 1));
  }
  if (!bits) {
    fail("{}: tensor '{}' is {} of shape [{}], whose size does not fit 64 bits", file, printable(entry.name), type.name,
         fmt::join(*entry.shape, ", "));
  }
  return empty ? 0 : (*bits + 7) / 8;
}

void add_tensor(SafetensorsPart& part, const Entry& entry, std::span<const std::byte> data, const std::string& file) {
  const std::string name = printable(entry.name);
  if (!entry.shape || entry.dtype.empty() || entry.offsets.size() != 2) {
    fail("{}: tensor '{}' lacks its dtype, shape or two data_offsets", file, name);
  }
  const Type& type = type_of(entry, file);
  const std::uint64_t begin = entry.offsets[0], end = entry.offsets[1], expected = tensor_bytes(entry, type, file);
  if (begin > end || end > data.size()) {
    fail("{}: tensor '{}' lies in bytes {} to {} of the data, which has {} bytes (is the download complete?)", file,
         name, begin, end, data.size());
  }
  if (end - begin != expected) {
    fail("{}: tensor '{}' takes {} bytes, expected {} for {} of shape [{}]", file, name, end - begin, expected,
         type.name, fmt::join(*entry.shape, ", "));
  }
  const auto bytes = data.subspan(begin, end - begin);
  if (type.dtype) {
    part.tensors.emplace(entry.name, FileTensor{entry.name, *type.dtype, *entry.shape, bytes, file});
  } else {
    part.tensors.others.emplace(entry.name, OtherTensor{entry.dtype, *entry.shape, bytes, file});
  }
}

// In the order of the data each tensor must begin where the one before ends: no overlap, no hole in which something
// could hide.
void require_cover(std::vector<Entry>& entries, std::uint64_t data_bytes, const std::string& file) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.offsets < b.offsets; });
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.offsets[0] != end) {
      fail(
          "{}: tensor '{}' begins at byte {} of the data, expected {}, where the one before ends: no overlaps, no "
          "holes",
          file, printable(entry.name), entry.offsets[0], end);
    }
    end = entry.offsets[1];
  }
  if (end != data_bytes) {
    fail("{}: the tensors end at byte {} of the data, expected {}, its size", file, end, data_bytes);
  }
}

}  // namespace

SafetensorsPart parse_safetensors(std::span<const std::byte> bytes, const std::string& file) {
  std::uint64_t header_bytes = 0;
  if (bytes.size() < sizeof(header_bytes)) {
    fail("{}: not a safetensors file: it has {} bytes, expected at least 8", file, bytes.size());
  }
  std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.substr(0, 8) == "version ") {
    fail("{}: not a safetensors file but a Git LFS pointer to one: fetch it with git lfs pull", file);
  }
  const std::size_t left = bytes.size() - sizeof(header_bytes);
  if (header_bytes > kMaxHeaderBytes) {
    fail("{}: not a safetensors file: it claims a header of {} bytes, expected at most {}", file, header_bytes,
         kMaxHeaderBytes);
  }
  if (header_bytes > left) {
    fail("{}: claims a header of {} bytes, but only {} are left in the file", file, header_bytes, left);
  }
  const std::string_view header = text.substr(sizeof(header_bytes), header_bytes);
  if (header.empty() || header[0] != '{') {
    fail("{}: not a safetensors file: the header begins with '{}', expected '{{'", file,
         printable(header.substr(0, 8)));
  }

  SafetensorsPart part;
  std::vector<Entry> entries;
  HeaderReader reader(file, part, entries);
  nlohmann::json::sax_parse(header, &reader);
  const auto data = bytes.subspan(sizeof(header_bytes) + header_bytes);
  for (const Entry& entry : entries) add_tensor(part, entry, data, file);
  require_cover(entries, data.size(), file);
  return part;
}

}  // namespace rung
