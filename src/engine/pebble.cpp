// models/pebble, compiled into the program: the model that speaks when no other is named.  Enters: its files, when this
// is compiled.
#include <cstddef>

#include "base/error.h"
#include "engine/loaded_model.h"

#ifdef RUNG_PEBBLE  // the folder; the build gives it (CMakeLists.txt)

// `.incbin` is the assembler's way to take a file's bytes as they are. Two labels, one before and one after them, are
// what C++ sees of it.
#define RUNG_TEXT_OF(x) #x
#define RUNG_TEXT(x) RUNG_TEXT_OF(x)
#define RUNG_LABEL(label) RUNG_TEXT(__USER_LABEL_PREFIX__) #label
#if defined(__APPLE__)
#define RUNG_CONSTANTS ".const_data\n"
#define RUNG_BACK ".text\n"
#define RUNG_OBJECT(label)
#elif defined(__wasm__)  // where whatever lies in memory says that it is no function, and some size
#define RUNG_CONSTANTS ".section .rodata.pebble,\"\",@\n"
#define RUNG_BACK
#define RUNG_OBJECT(label) ".type " RUNG_LABEL(label) ",@object\n.size " RUNG_LABEL(label) ", 1\n"
#else
#define RUNG_CONSTANTS ".section .rodata\n"
#define RUNG_BACK ".previous\n"
#define RUNG_OBJECT(label)
#endif
#define RUNG_AT(label) ".globl " RUNG_LABEL(label) "\n" RUNG_OBJECT(label) RUNG_LABEL(label) ":\n"
#define RUNG_BYTES(label, file)                                                      \
  extern "C" const std::byte label[];                                                \
  extern "C" const std::byte label##_end[];                                          \
  asm(RUNG_CONSTANTS ".p2align 6\n" RUNG_AT(label) ".incbin \"" RUNG_PEBBLE "/" file \
                                                   "\"\n" RUNG_AT(label##_end) ".ascii \"\\0\"\n" RUNG_BACK)

RUNG_BYTES(rung_pebble_config, "config.json");
RUNG_BYTES(rung_pebble_generation_config, "generation_config.json");
RUNG_BYTES(rung_pebble_weights, "model.safetensors");
RUNG_BYTES(rung_pebble_tokenizer, "tokenizer.json");
RUNG_BYTES(rung_pebble_tokenizer_config, "tokenizer_config.json");

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
