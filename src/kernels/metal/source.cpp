#include "kernels/metal/source.h"

#include <cstddef>
#include <string_view>

#include "base/incbin.h"

// The folder; the build gives it (CMakeLists.txt).
RUNG_INCBIN(rung_metal_common, RUNG_SOURCE_FOLDER "/kernels/metal/common.metal");
RUNG_INCBIN(rung_metal_args, RUNG_SOURCE_FOLDER "/kernels/metal/args.h");
RUNG_INCBIN(rung_metal_grids, RUNG_SOURCE_FOLDER "/tensor/iq_grids.h");
RUNG_INCBIN(rung_metal_formats, RUNG_SOURCE_FOLDER "/kernels/metal/formats.metal");
RUNG_INCBIN(rung_metal_norm, RUNG_SOURCE_FOLDER "/kernels/metal/norm.metal");
RUNG_INCBIN(rung_metal_rope, RUNG_SOURCE_FOLDER "/kernels/metal/rope.metal");
RUNG_INCBIN(rung_metal_elements, RUNG_SOURCE_FOLDER "/kernels/metal/elements.metal");
RUNG_INCBIN(rung_metal_runs, RUNG_SOURCE_FOLDER "/kernels/metal/runs.metal");
RUNG_INCBIN(rung_metal_linear, RUNG_SOURCE_FOLDER "/kernels/metal/linear.metal");
RUNG_INCBIN(rung_metal_store, RUNG_SOURCE_FOLDER "/kernels/metal/store.metal");
RUNG_INCBIN(rung_metal_heads, RUNG_SOURCE_FOLDER "/kernels/metal/heads.metal");
RUNG_INCBIN(rung_metal_attention, RUNG_SOURCE_FOLDER "/kernels/metal/attention.metal");

namespace rung::gpu {

std::string kernel_source() {
  struct File {
    const char* name;
    const std::byte *begin, *end;
  };
  // In the order in which they need each other.
  const File files[] = {
      {"common.metal", rung_metal_common, rung_metal_common_end},
      {"args.h", rung_metal_args, rung_metal_args_end},
      {"iq_grids.h", rung_metal_grids, rung_metal_grids_end},
      {"formats.metal", rung_metal_formats, rung_metal_formats_end},
      {"norm.metal", rung_metal_norm, rung_metal_norm_end},
      {"rope.metal", rung_metal_rope, rung_metal_rope_end},
      {"elements.metal", rung_metal_elements, rung_metal_elements_end},
      {"runs.metal", rung_metal_runs, rung_metal_runs_end},
      {"linear.metal", rung_metal_linear, rung_metal_linear_end},
      {"store.metal", rung_metal_store, rung_metal_store_end},
      {"heads.metal", rung_metal_heads, rung_metal_heads_end},
      {"attention.metal", rung_metal_attention, rung_metal_attention_end},
  };
  std::string source;
  for (const File& file : files) {
    source += std::string("#line 1 \"") + file.name + "\"\n";
    source +=
        std::string_view(reinterpret_cast<const char*>(file.begin), static_cast<std::size_t>(file.end - file.begin));
  }
  return source;
}

}  // namespace rung::gpu
