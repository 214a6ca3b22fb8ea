#include "learn.h"

// file: header length (8 bytes, lowest first), header (JSON), data.  name: as in the header, without quotes.
// Result: {first byte in the file, bytes}; empty if there is none.
std::vector<std::uint32_t> find_tensor(std::span<const std::uint8_t> file, std::string_view name) {
  not_yet("find_tensor");
}
