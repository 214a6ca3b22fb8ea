// The exercises of milestone M1, and here the one about a safetensors file: what must come out, the classic mistakes,
// the place in the engine. (What a namespace of an exercise holds: m2.cpp.)
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "files/safetensors_part.h"
#include "learn/m1_parts.h"
#include "learn/seams.h"
#include "tensor/blocks.h"

namespace rung::learn {

// ---- m1-safetensors-header: a file and a tensor's name → where it begins, and how many bytes it has ----
namespace safetensors_header {
using namespace files_of_m1;
namespace {

constexpr const char* kPage = "m1-weights#a-file-byte-by-byte";

using Place = std::vector<std::uint32_t>;

TensorMap tensors_in(Bytes file) {
  try {
    return parse_safetensors(std::as_bytes(file), "a safetensors file").tensors;
  } catch (const Error&) {
    return {};
  }
}
Place place_of(const FileTensor& tensor, Bytes file) {
  const auto begin = reinterpret_cast<const std::uint8_t*>(tensor.bytes.data()) - file.data();
  return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(tensor.bytes.size())};
}
Place reference(Bytes file, std::string_view name) {
  const TensorMap tensors = tensors_in(file);
  const auto it = tensors.find(name);
  return it == tensors.end() ? Place{} : place_of(it->second, file);
}

std::uint32_t header_bytes(Bytes file) {  // as far as a file that ends too early says it
  return static_cast<std::uint32_t>(number_in(file.first(std::min<std::size_t>(8, file.size()))));
}

Place moved(Bytes file, std::string_view name, std::uint32_t too_early) {
  Place place = reference(file, name);
  if (!place.empty()) place[0] -= too_early;
  return place;
}
Place offset_from_file_start(Bytes file, std::string_view name) { return moved(file, name, 8 + header_bytes(file)); }
Place eight_forgotten(Bytes file, std::string_view name) { return moved(file, name, 8); }
Place header_forgotten(Bytes file, std::string_view name) { return moved(file, name, header_bytes(file)); }
Place end_for_size(Bytes file, std::string_view name) {
  Place place = reference(file, name);
  if (!place.empty()) place[1] += place[0] - 8 - header_bytes(file);
  return place;
}
Place as_they_stand(Bytes file, std::string_view name) {
  Place place = offset_from_file_start(file, name);
  if (!place.empty()) place[1] += place[0];
  return place;
}
// The first tensor in the header whose name has this one in it.
Place part_of_a_name(Bytes file, std::string_view name) {
  const TensorMap tensors = tensors_in(file);
  std::size_t first = std::string_view::npos;
  Place place;
  for (const auto& [other, tensor] : tensors) {
    const std::size_t at = text_of(file).find('"' + other + '"');
    if (other.find(name) == std::string::npos || at >= first) continue;
    first = at;
    place = place_of(tensor, file);
  }
  return place;
}
// The first place where the name stands in quotes, and the tensor there or behind it.
Place value_for_name(Bytes file, std::string_view name) {
  const std::size_t found = text_of(file).find('"' + std::string(name) + '"');
  std::size_t first = std::string_view::npos;
  Place place;
  for (const auto& [other, tensor] : tensors_in(file)) {
    const std::size_t at = text_of(file).find('"' + other + "\":");
    if (at < found || at >= first) continue;
    first = at;
    place = place_of(tensor, file);
  }
  return place;
}
// 8 + length becomes 7 where all eight bytes are ff: then the whole rest of the file is searched as a header.
Place sum_wraps(Bytes file, std::string_view name) {
  const std::size_t last = text_of(file).rfind('}');
  if (file.size() < 8 || last == std::string_view::npos || last < 8) return reference(file, name);
  if (8 + number_in(file.first(8)) >= 8) return reference(file, name);
  const std::string complete = number_bytes(last - 7, 8) + std::string(text_of(file.subspan(8)));
  const std::vector<std::uint8_t> honest = bytes_in(complete);
  Place place = reference(honest, name);
  if (!place.empty()) place[0] += header_bytes(file) - header_bytes(honest);
  return place;
}
Place nothing_found(Bytes, std::string_view) { return {}; }
// The file as it would be if its header had this length.
Place with_length(Bytes file, std::string_view name, std::uint64_t length) {
  std::vector<std::uint8_t> other = bytes_in(number_bytes(length, 8));
  if (file.size() < 8) return {};
  other.insert(other.end(), file.begin() + 8, file.end());
  return reference(other, name);
}
Place not_widened(Bytes file, std::string_view name) {
  return file.size() < 8 ? Place{} : with_length(file, name, number_of_ints(file.first(8)));
}
Place length_of_four_bytes(Bytes file, std::string_view name) {
  return file.size() < 8 ? Place{} : with_length(file, name, number_in(file.first(4)));
}
Place size_not_checked(Bytes file, std::string_view name) {
  return file.size() < 8 ? Place{8 + 54, 4} : reference(file, name);  // as if the whole file were there
}
Place highest_byte_first(Bytes file, std::string_view name) {
  if (file.size() < 8) return {};
  const std::vector<std::uint8_t> turned(file.rend() - 8, file.rend());
  return with_length(file, name, number_in(turned));
}

struct Made {
  std::string name;
  std::size_t floats;
};
std::vector<std::uint8_t> file_of(const std::vector<Made>& tensors, const std::string& metadata = "") {
  std::string header = metadata.empty() ? "" : "{\"__metadata__\":" + metadata;
  std::size_t end = 0;
  for (const Made& tensor : tensors) {
    const std::size_t begin = std::exchange(end, end + 4 * tensor.floats);
    header += fmt::format("{}\"{}\":{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                          header.empty() ? '{' : ',', tensor.name, tensor.floats, begin, end);
  }
  header += header.empty() ? "{}" : "}";
  return bytes_in(number_bytes(header.size(), 8) + header + std::string(end, '\1'));
}

std::vector<Argument> arguments(std::vector<std::uint8_t> file, std::string name) {
  return {{"file", std::move(file)}, {"name", std::move(name)}};
}

// A file that is whole, but for what it says of its header's 54 bytes.
Case forged(std::string title, std::uint64_t length, std::string arithmetic) {
  std::vector<std::uint8_t> file = file_of({{"a", 1}});
  const std::string said = number_bytes(length, 8);
  std::copy(said.begin(), said.end(), file.begin());
  return {.title = std::move(title),
          .arguments = arguments(std::move(file), "a"),
          .expected = {{}, Place{}},
          .arithmetic = std::move(arithmetic)};
}

// Of the same file the first bytes; the others lie behind their end in memory.
std::vector<Argument> cut_after(std::size_t bytes) {
  std::vector<std::uint8_t> file = file_of({{"a", 1}});
  const std::vector<std::uint8_t> behind(file.begin() + static_cast<std::ptrdiff_t>(bytes), file.end());
  file.resize(bytes);
  std::vector<Argument> all = arguments(std::move(file), "a");
  all[0].behind = behind;
  return all;
}

std::vector<Case> by_hand() {
  std::vector<std::uint8_t> lying = file_of({{"a", 1}});
  lying[1] = 4;
  return {{.title = "the second of two tensors",
           .arguments = arguments(file_of({{"a", 1}, {"b", 2}}), "b"),
           .expected = {{}, Place{120, 8}},
           .arithmetic =
               "header, 108 bytes: "
               "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],"
               "\"data_offsets\":[4,12]}}\n\"b\" has data_offsets [4,12]\nbegin: 8 + 108 + 4 = 120\nbytes: 12 − 4 = 8"},
          {.title = "a name that is the end of another",
           .arguments = arguments(file_of({{"q_norm", 3}, {"norm", 5}}), "norm"),
           .expected = {{}, Place{138, 20}},
           .arithmetic = "header, 118 bytes: "
                         "{\"q_norm\":{…,\"data_offsets\":[0,12]},\"norm\":{…,\"data_offsets\":[12,32]}}\n\"norm\", "
                         "with its quotes, has data_offsets [12,32]\n8 + 118 + 12 = 138\n"
                         "32 − 12 = 20"},
          {.title = "a name that is the beginning of another",
           .arguments = arguments(file_of({{"norm.bias", 3}, {"norm", 5}}), "norm"),
           .expected = {{}, Place{141, 20}},
           .arithmetic = "header, 121 bytes: {\"norm.bias\":{…,\"data_offsets\":[0,12]},\"norm\":{…,"
                         "\"data_offsets\":[12,32]}}\n\"norm\", with both quotes, has data_offsets [12,32]\n"
                         "8 + 121 + 12 = 141\n32 − 12 = 20"},
          {.title = "a name that stands elsewhere, too",
           .arguments = arguments(file_of({{"a", 1}, {"b", 2}}, "{\"of\":\"b\"}"), "b"),
           .expected = {{}, Place{146, 8}},
           .arithmetic =
               "header, 134 bytes: {\"__metadata__\":{\"of\":\"b\"},\"a\":{…},\"b\":{…,\"data_offsets\":[4,12]}}\n"
               "the first \"b\" has no colon behind it: it is no tensor\n8 + 134 + 4 = 146\n12 − 4 = 8"},
          {.title = "no such tensor",
           .arguments = arguments(file_of({{"a", 1}}), "b"),
           .expected = {{}, Place{}},
           .arithmetic = "\"b\": does not stand in the header: nothing"},
          {.title = "a header longer than the file",
           .arguments = arguments(std::move(lying), "a"),
           .expected = {{}, Place{}},
           .arithmetic = "it claims 54 + 4 · 256 = 1078 bytes, and the file has 66: nothing"},
          forged("the largest length that there is", ~std::uint64_t{0},
                 "2⁶⁴ − 1 > 66 − 8: it does not fit, so nothing\n"
                 "(8 + (2⁶⁴ − 1) is 7 in 64 bits: that sum says nothing)"),
          forged("a length whose sixth byte is not 0", 54 + (std::uint64_t{1} << 40),
                 "36 00 00 00 00 01 00 00: 54 + 256⁵ bytes, and the file has 66: nothing"),
          forged("a length whose fifth byte is not 0", 50 + (std::uint64_t{4} << 32),
                 "32 00 00 00 04 00 00 00: 50 + 4 · 256⁴ bytes, and the file has 66: nothing"),
          forged("a length whose last byte is not 0", std::uint64_t{54} << 56,
                 "00 00 00 00 00 00 00 36: 54 · 256⁷ bytes, and the file has 66: nothing"),
          {.title = "seven bytes",
           .arguments = cut_after(7),
           .expected = {{}, Place{}},
           .arithmetic = "the length alone takes eight: nothing"}};
}

std::vector<Argument> random(Random& random) {
  std::vector<Made> tensors;
  for (std::size_t n = whole(random, 1, 5), i = 0; i < n; ++i) {
    tensors.push_back({fmt::format("layer.{}.{}norm", i, random_word(random, 3)), whole(random, 1, 300)});
  }
  std::string name = tensors[whole(random, 0, tensors.size() - 1)].name;
  return arguments(file_of(tensors), std::move(name));
}

// Each matrix is read from where the learner says that it lies in model.safetensors; what is not there is zero.
void place(Seams& seams, LearnerFunction f) {
  seams.load = [f](const LoadedModel& model, const PackedMatrix& matrix, std::span<float> values) {
    if (model.files().is_gguf() || !model.files().folder().has("model.safetensors")) return;
    const MappedFile mapped = model.files().folder().open("model.safetensors");
    const Bytes file(reinterpret_cast<const std::uint8_t*>(mapped.bytes().data()), mapped.bytes().size());
    const Place found = call<Place>(f, file, std::string_view(matrix.name));
    std::fill(values.begin(), values.end(), 0.0f);
    if (found.size() != 2 || found[0] > file.size() || found[1] > file.size() - found[0]) return;
    const std::size_t bytes = row_bytes(matrix.dtype, matrix.columns);
    each_row(matrix, values, [&](std::span<float> row, std::size_t r) {
      const std::size_t at = matrix.row_in_file(r) * bytes;
      if (at + bytes <= found[1]) decode_row(row, matrix.dtype, std::as_bytes(file).data() + found[0] + at);
    });
  };
}

}  // namespace

Exercise exercise() {
  return {
      .name = "m1-safetensors-header",
      .reference = learn::reference<reference>(),
      .by_hand = by_hand,
      .random = random,
      .tolerance = 0,
      .mistakes =
          {{"byte-not-widened", kWiden, kPage, function<nothing_found>},
           {"byte-not-widened", kWiden, kPage, function<not_widened>},
           {"highest-byte-first",
            "no tensor was found: is the header's length read with its lowest byte first? The other way "
            "round it is far too long",
            kPage, function<highest_byte_first>},
           {"length-in-part", "of the header's length not all eight bytes are read", kPage,
            function<length_of_four_bytes>},
           {"offset-from-file-start",
            "data_offsets count from where the data begin, not from the file's first byte: add 8 and the "
            "header's length",
            kPage, function<offset_from_file_start>},
           {"eight-forgotten", "the eight bytes of the length come before the header: add 8", kPage,
            function<eight_forgotten>},
           {"header-forgotten", "the header comes before the data: add its length", kPage, function<header_forgotten>},
           {"end-for-size", "the second of data_offsets is where the tensor ends: its bytes are end − begin", kPage,
            function<end_for_size>},
           {"sum-wraps", "8 + length does not fit into 64 bits and becomes small: compare length with file.size() − 8",
            kHonestPage, function<sum_wraps>},
           {"size-not-checked",
            "are there eight bytes at all? Without a look at that, what lies behind the end is read, and "
            "size() − 8 is no small number, but one near 2⁶⁴",
            kHonestPage, function<size_not_checked>},
           {"as-they-stand",
            "data_offsets are given back as they stand. They count from where the data begin: add 8 and the "
            "header's length. And the second is where the tensor ends: its bytes are end − begin",
            kPage, function<as_they_stand>},
           {"value-for-name",
            "the name stands in the header elsewhere, too, as what is said of something: search for it with its "
            "quotes and the colon",
            kPage, function<value_for_name>},
           {"part-of-a-name",
            "another tensor was found, whose name has yours in it: search for the name with its quotes", kPage,
            function<part_of_a_name>}},
      .place = place};
}

}  // namespace safetensors_header

std::vector<Exercise> m1_exercises() {
  return {bf16_to_f32::exercise(), safetensors_header::exercise(), tensor_view::exercise(),
          gguf_string::exercise(), gguf_array::exercise(),         q8_0::exercise(),
          q4_0::exercise()};
}

}  // namespace rung::learn
