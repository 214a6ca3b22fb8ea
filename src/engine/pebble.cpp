// models/pebble, compiled into the program: the model that speaks when no other is named.  Enters: its files, when this
// is compiled.
#include <cstddef>

#include "base/error.h"
#include "base/incbin.h"
#include "engine/loaded_model.h"

#ifdef RUNG_PEBBLE  // the folder; the build gives it (CMakeLists.txt)

RUNG_INCBIN(rung_pebble_config, RUNG_PEBBLE "/config.json");
RUNG_INCBIN(rung_pebble_generation_config, RUNG_PEBBLE "/generation_config.json");
RUNG_INCBIN(rung_pebble_weights, RUNG_PEBBLE "/model.safetensors");
RUNG_INCBIN(rung_pebble_tokenizer, RUNG_PEBBLE "/tokenizer.json");
RUNG_INCBIN(rung_pebble_tokenizer_config, RUNG_PEBBLE "/tokenizer_config.json");

namespace rung {

ModelFiles ModelFiles::pebble() {
  static const CompiledFile files[]{
      {"config.json", {rung_pebble_config, rung_pebble_config_end}},
      {"generation_config.json", {rung_pebble_generation_config, rung_pebble_generation_config_end}},
      {"model.safetensors", {rung_pebble_weights, rung_pebble_weights_end}},
      {"tokenizer.json", {rung_pebble_tokenizer, rung_pebble_tokenizer_end}},
      {"tokenizer_config.json", {rung_pebble_tokenizer_config, rung_pebble_tokenizer_config_end}},
  };
  return in_memory("pebble", files);
}

}  // namespace rung

#else

namespace rung {

ModelFiles ModelFiles::pebble() { fail("pebble: this program was built without it; name a model with -m MODEL"); }

}  // namespace rung

#endif
