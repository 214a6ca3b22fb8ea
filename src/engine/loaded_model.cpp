#include "engine/loaded_model.h"

#include <utility>

#include "base/error.h"
#include "engine/chat_prompt.h"
#include "engine/generate.h"

namespace rung {

LoadedModel::LoadedModel(ModelFiles files, std::optional<std::string_view> pre)
    : files_(std::move(files)),
      model_(bind_weights(files_.plan(), files_.tensors())),
      tokenizer_(files_.tokenizer(pre)),
      sampling_(files_.sampling()),
      stop_ids_(files_.stop_ids()) {
  if (const auto eos = tokenizer_.eos()) stop_ids_.insert(*eos);
  if (!files_.chat_template()) return;
  try {
    prompter_ = std::make_unique<ChatPrompter>(files_, tokenizer_);
    if (const auto id = prompter_->turn_end()) stop_ids_.insert(*id);
  } catch (const Error&) {
    // A template that cannot be read stops a chat, where it is reported, not plain generation.
  }
}

LoadedModel::~LoadedModel() = default;

GenerateOptions LoadedModel::completed(GenerateOptions options) const {
  if (!options.sampling) options.sampling = sampling_;
  options.stop_ids.insert(stop_ids_.begin(), stop_ids_.end());
  return options;
}

const ChatPrompter& LoadedModel::prompter() const {
  if (!prompter_) ChatPrompter(files_, tokenizer_);  // says what is wrong
  return *prompter_;
}

}  // namespace rung
