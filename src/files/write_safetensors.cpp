#include "files/write_safetensors.h"

#include <fmt/format.h>

#include <bit>
#include <cassert>
#include <cstdint>

#include "base/atomic_file.h"
#include "base/json.h"

namespace rung {

namespace {

OrderedJson describe(std::span<const OutputTensor> tensors, const std::map<std::string, std::string>& metadata) {
  OrderedJson header = OrderedJson::object(), notes = OrderedJson::object();
  for (const auto& [key, value] : metadata) notes[key] = value;
  for (const OutputTensor& tensor : tensors) {
    if (!tensor.axes.empty()) notes["axes:" + tensor.name] = fmt::format("{}", fmt::join(tensor.axes, ","));
  }
  if (!notes.empty()) header["__metadata__"] = notes;
  std::size_t begin = 0;
  for (const OutputTensor& tensor : tensors) {
    assert(!header.contains(tensor.name));
    const std::size_t end = begin + tensor.values.size_bytes();
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  return header;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const OutputTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  static_assert(std::endian::native == std::endian::little);
  std::string header = describe(tensors, metadata).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  header.resize((header.size() + 7) / 8 * 8, ' ');  // so that the data begins at a multiple of 8
  const std::uint64_t header_bytes = header.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header_bytes, 1)));
  file.write(header);
  for (const OutputTensor& tensor : tensors) file.write(std::as_bytes(tensor.values));
  file.commit();
}

}  // namespace rung
