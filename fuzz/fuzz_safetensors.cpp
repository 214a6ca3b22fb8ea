// Any bytes as a safetensors file: an Error, or tensors that cover the data from its first byte to its last, each byte
// once.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "files/safetensors_part.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const rung::SafetensorsPart part =
        rung::parse_safetensors(std::as_bytes(std::span(data, size)), "fuzz.safetensors");
    std::size_t covered = 0, sum = 0;
    const auto read = [&](std::span<const std::byte> bytes) {
      covered += bytes.size();
      for (const std::byte b : bytes) sum += static_cast<std::size_t>(b);
    };
    for (const auto& [name, tensor] : part.tensors) {
      read(tensor.bytes);
      if (rung::row_bytes(tensor.dtype, tensor.size()) != tensor.bytes.size()) std::abort();
    }
    for (const auto& [name, tensor] : part.tensors.others) read(tensor.bytes);
    std::uint64_t header_bytes = 0;
    for (std::size_t i = 0; i < 8; ++i) header_bytes |= std::uint64_t{data[i]} << (8 * i);
    if (covered != size - 8 - header_bytes) std::abort();
    volatile std::size_t keep = sum;
    static_cast<void>(keep);
  } catch (const rung::Error&) {
  }
  return 0;
}
