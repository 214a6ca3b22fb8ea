// Any bytes as a folder, the whole way to a model: a config.json, a zero byte, a model.safetensors. An Error, or
// weights all of whose bytes can be read.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "bound_model.h"
#include "files/safetensors.h"
#include "model/families/families.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t* zero = std::find(data, data + size, 0);
  const std::string_view config(reinterpret_cast<const char*>(data), static_cast<std::size_t>(zero - data));
  const std::uint8_t* weights = zero == data + size ? zero : zero + 1;
  const std::array<rung::CompiledFile, 1> files{
      {{"model.safetensors", std::as_bytes(std::span(weights, static_cast<std::size_t>(data + size - weights)))}}};
  try {
    rung::ModelPlan plan = rung::plan_from_config(rung::parse_json(config, "config.json"), "config.json");
    const rung::Safetensors tensors = rung::Safetensors::open(rung::Folder("fuzz", files));
    rung::read_all(rung::bind_weights(std::move(plan), tensors.tensors()));
  } catch (const rung::Error&) {
  }
  return 0;
}
