#include "files/write_safetensors.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>

#include "base/ensure.h"
#include "base/json.h"

namespace rung {

namespace {

std::uint64_t bytes_of(const OutputTensor& tensor) {
  std::uint64_t bytes = sizeof(float);
  for (const std::size_t extent : tensor.shape) bytes *= extent;
  return bytes;
}

OrderedJson describe(std::span<const OutputTensor> tensors, const std::map<std::string, std::string>& metadata) {
  OrderedJson header = OrderedJson::object(), notes = OrderedJson::object();
  for (const auto& [key, value] : metadata) notes[key] = value;
  for (const OutputTensor& tensor : tensors) {
    if (!tensor.axes.empty()) notes["axes:" + tensor.name] = fmt::format("{}", fmt::join(tensor.axes, ","));
  }
  if (!notes.empty()) header["__metadata__"] = notes;
  std::uint64_t begin = 0;
  for (const OutputTensor& tensor : tensors) {
    ensure(!header.contains(tensor.name), "safetensors: two tensors of one name");
    const std::uint64_t end = begin + bytes_of(tensor);
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  return header;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path, std::span<const OutputTensor> tensors,
                                     const std::map<std::string, std::string>& metadata)
    : file_(path), missing_bytes_(0) {
  static_assert(std::endian::native == std::endian::little);
  std::string header = describe(tensors, metadata).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  header.resize((header.size() + 7) / 8 * 8, ' ');  // so that the data begins at a multiple of 8
  const std::uint64_t header_bytes = header.size();
  file_.write(std::as_bytes(std::span(&header_bytes, 1)));
  file_.write(header);
  for (const OutputTensor& tensor : tensors) missing_bytes_ += bytes_of(tensor);
}

void SafetensorsWriter::write(std::span<const float> values) {
  ensure(values.size_bytes() <= missing_bytes_, "safetensors: more values than the header says");
  missing_bytes_ -= values.size_bytes();
  file_.write(std::as_bytes(values));
}

void SafetensorsWriter::commit() {
  ensure(missing_bytes_ == 0, "safetensors: fewer values than the header says");
  file_.commit();
}

void write_safetensors(const std::filesystem::path& path, std::span<const OutputTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  SafetensorsWriter writer(path, tensors, metadata);
  for (const OutputTensor& tensor : tensors) {
    ensure(tensor.values.size_bytes() == bytes_of(tensor), "safetensors: a tensor of another size than its shape");
    writer.write(tensor.values);
  }
  writer.commit();
}

}  // namespace rung
