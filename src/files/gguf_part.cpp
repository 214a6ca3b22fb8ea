#include "files/gguf_part.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/printable.h"

namespace rung {

namespace {

// Bounds on what a header may hold, each far above every real file (a vocabulary of 262,144 takes 10 MB).
constexpr std::size_t kMaxGgufHeaderBytes = std::size_t{256} << 20;
constexpr std::uint64_t kMaxKeys = 1 << 16;
constexpr std::uint64_t kMaxTensors = 1 << 20;
constexpr std::uint64_t kMaxGgufAxes = 4;
constexpr std::uint64_t kMaxAlignment = 1 << 20;
constexpr int kMaxArrayDepth = 8;

enum class ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

constexpr std::array<const char*, 13> kValueNames{"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                  "bool", "string", "array", "u64", "i64", "f64"};
// What one element takes in the file at the least: bounds a claimed count before anything is allocated.
constexpr std::array<std::size_t, 13> kLeastBytes{1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};

// A tensor's type as its number in the file says.
struct TensorType {
  std::uint32_t number;
  std::string_view name;
  std::size_t values_per_block, bytes_per_block;
  std::optional<DType> dtype = {};  // none: Rung does not decode it
};

// Those that Rung does not decode. (The missing numbers are in tensor/dtype.h, or were given up before version 2.)
constexpr TensorType kOtherTypes[] = {
    {9, "q8_1", 32, 40}, {15, "q8_k", 256, 292}, {24, "i8", 1, 1},      {25, "i16", 1, 2},     {26, "i32", 1, 4},
    {27, "i64", 1, 8},   {28, "f64", 1, 8},      {40, "nvfp4", 64, 36}, {41, "q1_0", 128, 18},
};

// A number that is in neither table is taken for a type of a later day: its size is unknown, so it counts as none.
TensorType tensor_type(std::uint32_t number) {
  for (const DTypeInfo& i : kDTypes) {
    if (i.gguf_number == number) return {number, i.name, i.values_per_block, i.bytes_per_block, i.type};
  }
  for (const TensorType& type : kOtherTypes) {
    if (type.number == number) return type;
  }
  return {number, "", 1, 0};
}

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  const std::string& file() const { return file_; }
  std::size_t position() const { return at_; }
  std::size_t left() const { return std::min(bytes_.size(), kMaxGgufHeaderBytes) - at_; }

  template <class T>
  T number(std::string_view what) {
    need(sizeof(T), what);
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  std::string_view string(std::string_view what) {
    const auto length = number<std::uint64_t>(what);
    need(length, what);
    const std::string_view view(reinterpret_cast<const char*>(bytes_.data() + at_), length);
    at_ += length;
    return view;
  }

 private:
  void need(std::uint64_t count, std::string_view what) const {
    if (count <= left()) return;
    if (bytes_.size() > kMaxGgufHeaderBytes) {
      fail("{}: {} at byte {} takes {} bytes, but a header ends within {}", file_, what, at_, count,
           kMaxGgufHeaderBytes);
    }
    fail("{}: {} at byte {} takes {} bytes, but only {} are left in the file", file_, what, at_, count, left());
  }

  std::span<const std::byte> bytes_;
  const std::string& file_;
  std::size_t at_ = 0;
};

bool read_bool(Reader& reader, std::string_view what) {
  const auto value = reader.number<std::uint8_t>(what);
  if (value > 1) fail("{}: {} is a bool of value {}, expected 0 or 1", reader.file(), what, value);
  return value == 1;
}

ValueType read_type(Reader& reader, std::string_view what) {
  const auto type = reader.number<std::uint32_t>(what);
  if (type >= kValueNames.size()) {
    fail("{}: {} has value type {}, expected 0 to {}", reader.file(), what, type, kValueNames.size() - 1);
  }
  return static_cast<ValueType>(type);
}

template <class T>
std::vector<T> read_numbers(Reader& reader, std::size_t count, std::string_view what) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = reader.number<T>(what);
  return values;
}

GgufArray read_array(Reader& reader, std::string_view what, int depth);

GgufArray::Values read_elements(Reader& reader, ValueType type, std::size_t count, std::string_view what, int depth) {
  switch (type) {
    case ValueType::u8: return read_numbers<std::uint8_t>(reader, count, what);
    case ValueType::i8: return read_numbers<std::int8_t>(reader, count, what);
    case ValueType::u16: return read_numbers<std::uint16_t>(reader, count, what);
    case ValueType::i16: return read_numbers<std::int16_t>(reader, count, what);
    case ValueType::u32: return read_numbers<std::uint32_t>(reader, count, what);
    case ValueType::i32: return read_numbers<std::int32_t>(reader, count, what);
    case ValueType::f32: return read_numbers<float>(reader, count, what);
    case ValueType::u64: return read_numbers<std::uint64_t>(reader, count, what);
    case ValueType::i64: return read_numbers<std::int64_t>(reader, count, what);
    case ValueType::f64: return read_numbers<double>(reader, count, what);
    case ValueType::boolean: {
      std::vector<bool> values(count);
      for (std::size_t i = 0; i < count; ++i) values[i] = read_bool(reader, what);
      return values;
    }
    case ValueType::string: {
      std::vector<std::string_view> values(count);
      for (std::string_view& value : values) value = reader.string(what);
      return values;
    }
    case ValueType::array: break;
  }
  std::vector<GgufArray> values(count);
  for (GgufArray& value : values) value = read_array(reader, what, depth + 1);
  return values;
}

GgufArray read_array(Reader& reader, std::string_view what, int depth) {
  if (depth > kMaxArrayDepth) fail("{}: {} nests arrays deeper than {}", reader.file(), what, kMaxArrayDepth);
  const ValueType type = read_type(reader, what);
  const auto count = reader.number<std::uint64_t>(what);
  const auto index = static_cast<std::size_t>(type);
  if (count > reader.left() / kLeastBytes[index]) {
    fail("{}: {} claims {} elements of type {}, but only {} bytes are left", reader.file(), what, count,
         kValueNames[index], reader.left());
  }
  return GgufArray{read_elements(reader, type, count, what, depth)};
}

GgufValue read_value(Reader& reader, std::string_view what) {
  switch (read_type(reader, what)) {
    case ValueType::u8: return GgufScalar(reader.number<std::uint8_t>(what));
    case ValueType::i8: return GgufScalar(reader.number<std::int8_t>(what));
    case ValueType::u16: return GgufScalar(reader.number<std::uint16_t>(what));
    case ValueType::i16: return GgufScalar(reader.number<std::int16_t>(what));
    case ValueType::u32: return GgufScalar(reader.number<std::uint32_t>(what));
    case ValueType::i32: return GgufScalar(reader.number<std::int32_t>(what));
    case ValueType::f32: return GgufScalar(reader.number<float>(what));
    case ValueType::u64: return GgufScalar(reader.number<std::uint64_t>(what));
    case ValueType::i64: return GgufScalar(reader.number<std::int64_t>(what));
    case ValueType::f64: return GgufScalar(reader.number<double>(what));
    case ValueType::boolean: return GgufScalar(read_bool(reader, what));
    case ValueType::string: return GgufScalar(reader.string(what));
    case ValueType::array: break;
  }
  return read_array(reader, what, 1);
}

struct Counts {
  std::uint64_t tensors, keys;
};

// Magic, version and counts. The error for what people open by mistake says what it is.
Counts read_preamble(Reader& reader, std::uint32_t& version) {
  const auto magic = reader.number<std::array<char, 4>>("the magic");
  const std::string_view found(magic.data(), magic.size());
  if (found == "vers") {
    fail("{}: not a GGUF file but a Git LFS pointer to one: fetch it with git lfs pull", reader.file());
  }
  if (found != "GGUF") {
    fail("{}: not a GGUF file: it begins with '{}', expected 'GGUF'", reader.file(), printable(found));
  }
  version = reader.number<std::uint32_t>("the version");
  // Small numbers: if the upper half is set and the lower is not, the bytes are in the other order.
  if (version != 0 && (version & 0xffffu) == 0) {
    fail("{}: a big-endian GGUF file; Rung reads little-endian ones", reader.file());
  }
  if (version != 2 && version != 3) fail("{}: GGUF version {}, expected 2 or 3", reader.file(), version);
  const auto tensors = reader.number<std::uint64_t>("the number of tensors");
  const auto keys = reader.number<std::uint64_t>("the number of metadata keys");
  if (tensors > kMaxTensors) fail("{}: claims {} tensors, expected at most {}", reader.file(), tensors, kMaxTensors);
  if (keys > kMaxKeys) fail("{}: claims {} metadata keys, expected at most {}", reader.file(), keys, kMaxKeys);
  return {tensors, keys};
}

// The format's page asks for a multiple of 8, the official readers for a power of two: files obey both.
std::uint64_t alignment_of(const GgufPart& part, const std::string& file) {
  const auto found = part.metadata.find("general.alignment");
  if (found == part.metadata.end()) return 32;
  const auto* scalar = std::get_if<GgufScalar>(&found->second);
  const auto* value = scalar == nullptr ? nullptr : std::get_if<std::uint32_t>(scalar);
  if (value == nullptr) {
    fail("{}: metadata 'general.alignment' is of type {}, expected u32", file, type_name(found->second));
  }
  if (*value < 8 || *value > kMaxAlignment || (*value & (*value - 1)) != 0) {
    fail("{}: metadata 'general.alignment' is {}, expected a power of two from 8 to {}", file, *value, kMaxAlignment);
  }
  return *value;
}

struct TensorInfo {
  std::string_view name;
  std::vector<std::size_t> shape;
  std::uint32_t type;
  std::uint64_t offset;
};

TensorInfo read_tensor_info(Reader& reader, std::uint64_t alignment) {
  TensorInfo tensor;
  tensor.name = reader.string("the name of a tensor");
  const std::string what = fmt::format("tensor '{}'", printable(tensor.name));
  const auto axes = reader.number<std::uint32_t>(what);
  if (axes > kMaxGgufAxes) fail("{}: {} has {} axes, expected at most {}", reader.file(), what, axes, kMaxGgufAxes);
  for (std::uint32_t i = 0; i < axes; ++i) {
    const auto extent = reader.number<std::uint64_t>(what);
    if (!std::in_range<std::size_t>(extent)) {
      fail("{}: {} has an axis of {}, expected at most {}", reader.file(), what, extent, SIZE_MAX);
    }
    tensor.shape.push_back(static_cast<std::size_t>(extent));
  }
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  tensor.type = reader.number<std::uint32_t>(what);
  tensor.offset = reader.number<std::uint64_t>(what);
  if (tensor.offset % alignment != 0) {
    fail("{}: {} begins at offset {}, expected a multiple of the alignment {}", reader.file(), what, tensor.offset,
         alignment);
  }
  return tensor;
}

// Bytes of a tensor of that shape, where every step of the sum fits 64 bits (and so does every product of some of its
// extents).
std::uint64_t tensor_bytes(const TensorInfo& tensor, const TensorType& type, const std::string& file) {
  const std::size_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
  if (row % type.values_per_block != 0) {
    fail("{}: tensor '{}' is {} with rows of {} values, expected a multiple of {}", file, printable(tensor.name),
         type.name, row, type.values_per_block);
  }
  std::optional<std::uint64_t> values = 1;
  for (const std::size_t extent : tensor.shape) {
    if (values) values = checked_mul(*values, std::max<std::uint64_t>(extent, 1));
  }
  const auto bytes = values ? checked_mul(*values / type.values_per_block, type.bytes_per_block) : std::nullopt;
  if (!bytes) {
    fail("{}: tensor '{}' is {} of shape [{}], whose size does not fit 64 bits", file, printable(tensor.name),
         type.name, fmt::join(tensor.shape, ", "));
  }
  const bool empty = std::find(tensor.shape.begin(), tensor.shape.end(), 0u) != tensor.shape.end();
  return empty ? 0 : *bytes;
}

struct Extent {
  std::uint64_t begin, end;
  std::string_view name;
};

// Adds the tensor to the map, and what it occupies of `data` to `extents`.
void add_tensor(GgufPart& part, std::vector<Extent>& extents, const TensorInfo& tensor, std::span<const std::byte> data,
                const std::string& file) {
  const std::string name(tensor.name);
  if (part.tensors.count(name) + part.tensors.others.count(name) != 0) {
    fail("{}: tensor '{}' appears twice", file, printable(name));
  }
  const TensorType type = tensor_type(tensor.type);
  const std::uint64_t bytes = tensor_bytes(tensor, type, file);
  const auto end = checked_add(tensor.offset, bytes);
  if (!end || *end > data.size()) {
    fail("{}: tensor '{}' takes {} bytes from offset {} of the data, which has {} bytes (is the download complete?)",
         file, printable(name), bytes, tensor.offset, data.size());
  }
  const auto view = data.subspan(tensor.offset, bytes);
  if (bytes != 0) extents.push_back({tensor.offset, *end, tensor.name});
  if (type.dtype) {
    part.tensors.emplace(name, FileTensor{name, *type.dtype, tensor.shape, view, file});
  } else {
    const std::string type_text = type.name.empty() ? fmt::format("number {}", type.number) : std::string(type.name);
    part.tensors.others.emplace(name, OtherTensor{type_text, tensor.shape, view, file});
  }
}

void refuse_overlaps(std::vector<Extent>& extents, const std::string& file) {
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].begin < extents[i - 1].end) {
      fail("{}: tensors '{}' and '{}' overlap: the second begins at offset {}, the first ends at {}", file,
           printable(extents[i - 1].name), printable(extents[i].name), extents[i].begin, extents[i - 1].end);
    }
  }
}

}  // namespace

GgufPart parse_gguf(std::span<const std::byte> bytes, const std::string& file) {
  Reader reader(bytes, file);
  GgufPart part;
  const Counts counts = read_preamble(reader, part.version);
  for (std::uint64_t i = 0; i < counts.keys; ++i) {
    const std::string_view key = reader.string("a metadata key");
    if (key.empty()) fail("{}: metadata key {} of {} is empty", file, i + 1, counts.keys);
    GgufValue value = read_value(reader, fmt::format("metadata '{}'", printable(key)));
    if (!part.metadata.emplace(key, std::move(value)).second) {
      fail("{}: metadata '{}' appears twice", file, printable(key));
    }
  }
  const std::uint64_t alignment = alignment_of(part, file);
  std::vector<TensorInfo> infos;
  for (std::uint64_t i = 0; i < counts.tensors; ++i) infos.push_back(read_tensor_info(reader, alignment));

  part.header_bytes = reader.position();
  // A file without tensors may end before the padding.
  const std::size_t padded = (reader.position() + alignment - 1) / alignment * alignment;
  const auto data = bytes.subspan(std::min(padded, bytes.size()));
  std::vector<Extent> extents;
  for (const TensorInfo& tensor : infos) add_tensor(part, extents, tensor, data, file);
  refuse_overlaps(extents, file);
  return part;
}

// The scalars stand in the file's order, without `array`; the vectors likewise, with arrays last.
std::uint32_t value_type(const GgufValue& value) {
  constexpr auto kArray = static_cast<std::uint32_t>(ValueType::array);
  const auto* scalar = std::get_if<GgufScalar>(&value);
  if (scalar == nullptr) return kArray;
  const auto index = static_cast<std::uint32_t>(scalar->index());
  return index < kArray ? index : index + 1;
}

std::uint32_t element_type(const GgufArray& array) {
  constexpr auto kArray = static_cast<std::uint32_t>(ValueType::array);
  if (std::holds_alternative<std::vector<GgufArray>>(array.values)) return kArray;
  const auto index = static_cast<std::uint32_t>(array.values.index());
  return index < kArray ? index : index + 1;
}

std::string type_name(const GgufValue& value) {
  if (const auto* array = std::get_if<GgufArray>(&value)) {
    return fmt::format("array of {}", kValueNames[element_type(*array)]);
  }
  return kValueNames[value_type(value)];
}

}  // namespace rung
