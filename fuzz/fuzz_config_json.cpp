// Any bytes as a config.json: refused in one line, or a plan whose parts fit each other.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "model/families/families.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto plan =
        rung::plan_from_config(rung::parse_json({reinterpret_cast<const char*>(data), size}, "fuzz"), "fuzz");
    const rung::ModelConfig& m = plan.config;
    if (m.heads % m.kv_heads != 0 || m.layers.empty() || m.ropes.size() != m.rope_names.size()) std::abort();
    for (const rung::LayerConfig& layer : m.layers) {
      if (layer.rope >= m.ropes.size()) std::abort();
    }
    for (const rung::SessionRope& by_length : m.ropes) {
      const rung::Rope rope = by_length.for_session(m.longest_context());
      if (rope.inverse_frequencies.size() != m.head_dim / 2) std::abort();
    }
  } catch (const rung::Error&) {
  }
  return 0;
}
