// Any bytes as a GGUF file: an Error, or metadata and tensors all of whose bytes can be read.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "files/gguf_part.h"
#include "tensor/blocks.h"

namespace {

// Reads every byte that the part points to, as the engine would: the sanitizers see what lies outside.
std::size_t read_all(const rung::GgufPart& part) {
  std::size_t sum = 0;
  for (const auto& [key, value] : part.metadata) {
    sum += key.size() + rung::type_name(value).size();
    const auto* array = std::get_if<rung::GgufArray>(&value);
    const auto* texts = array == nullptr ? nullptr : std::get_if<std::vector<std::string_view>>(&array->values);
    if (texts == nullptr) continue;
    for (const std::string_view text : *texts) {
      for (const char c : text) sum += static_cast<unsigned char>(c);
    }
  }
  for (const auto& [name, tensor] : part.tensors) {
    if (tensor.shape.empty() || tensor.size() == 0 || tensor.size() > 1 << 20) continue;
    std::vector<float> row(tensor.shape.back());
    const std::size_t bytes = rung::row_bytes(tensor.dtype, row.size());
    for (std::size_t at = 0; at < tensor.bytes.size(); at += bytes) {
      rung::decode_row(row, tensor.dtype, tensor.bytes.data() + at);
    }
    sum += row[0] > 0 ? 1 : 0;
  }
  for (const auto& [name, tensor] : part.tensors.others) {
    for (const std::byte b : tensor.bytes) sum += static_cast<std::size_t>(b);
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    volatile std::size_t sum = read_all(rung::parse_gguf(std::as_bytes(std::span(data, size)), "fuzz.gguf"));
    static_cast<void>(sum);
  } catch (const rung::Error&) {
  }
  return 0;
}
