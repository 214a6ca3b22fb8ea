// The library's front door: a model's path → text.  (examples/embed is a whole program.)
//
//   rung::Engine engine("model.gguf");   // or rung::Engine engine(rung::ModelFiles::pebble());
//   engine.generate("Once upon a time", {.max_tokens = 64},
//                   {.text = [](std::string_view piece) { std::cout << piece << std::flush; }});
//
// Behind it lie the rooms that src/README.md tours; a program may use any of them: LoadedModel and Device, Session (the
// KV cache of one conversation), Forward (batches of many), TracedOps (every intermediate tensor). What a user can get
// wrong throws rung::Error, whose what() is one line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "engine/chat_prompt.h"
#include "engine/device.h"
#include "engine/generate.h"
#include "engine/loaded_model.h"
#include "engine/session.h"

namespace rung {

struct EngineOptions {
  std::string device = std::string(Device::kFast);
  std::size_t threads = 0;               // 0: one for each physical core that the process may use
  std::size_t context = 0;               // tokens; 0: what the model was made for
  std::optional<DType> cache_type = {};  // f32, f16 or q8_0; none: f16 (the reference device: f32)
};

// A model and where it runs. One thread at a time.
class Engine {
 public:
  // A .gguf file, or a folder with config.json, safetensors and tokenizer.json.
  explicit Engine(const std::filesystem::path& model, const EngineOptions& options = {})
      : Engine(ModelFiles::open(model), options) {}
  explicit Engine(ModelFiles files, const EngineOptions& options = {})
      : model_(std::move(files)),
        device_(options.device, options.threads, options.cache_type),
        session_(model_.model(), device_.ops(), {.context = options.context}) {}

  // Goes on with `text`. What it shares with the text before is not computed again. Samples as the model says and as
  // long as it says, if the options do not, from another seed each time (Generated::seed), and stops also where the
  // model says.
  Generated generate(std::string_view text, GenerateOptions options = {}, const GenerateCallbacks& callbacks = {}) {
    options.continues = true;
    return answer(encode_prompt(model_.tokenizer(), text), std::move(options), callbacks);
  }

  // Answers messages: [{"role": "user", "content": "…"}, …], through the model's chat template.
  Generated chat(const OrderedJson& messages, GenerateOptions options = {}, const GenerateCallbacks& callbacks = {}) {
    return answer(model_.prompter().render({{"messages", messages}}).ids, std::move(options), callbacks);
  }

  const LoadedModel& model() const { return model_; }
  Session& session() { return session_; }

 private:
  Generated answer(const std::vector<TokenId>& prompt, GenerateOptions options, const GenerateCallbacks& callbacks) {
    return rung::generate(session_, model_.tokenizer(), prompt, model_.completed(std::move(options)), callbacks);
  }

  LoadedModel model_;
  Device device_;
  Session session_;
};

}  // namespace rung
