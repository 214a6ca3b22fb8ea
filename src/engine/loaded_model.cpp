#include "engine/loaded_model.h"

#include <utility>

#include "base/error.h"
#include "engine/answer_ends.h"
#include "engine/chat_prompt.h"
#include "engine/generate.h"

namespace rung {

LoadedModel::LoadedModel(ModelFiles files, std::optional<std::string_view> pre)
    : files_(std::move(files)),
      model_(bind_weights(files_.plan(), files_.tensors())),
      tokenizer_(files_.tokenizer(pre)),
      generation_(files_.generation()),
      prompter_(prompter_of(files_, tokenizer_)),
      stop_ids_(answer_ends(files_, tokenizer_, prompter_.get())) {}

LoadedModel::~LoadedModel() = default;

GenerateOptions LoadedModel::completed(GenerateOptions options) const {
  if (!options.sampling) options.sampling = generation_.sampling;
  if (!options.max_tokens && options.max_length == 0) {
    options.max_tokens = generation_.max_tokens;
    options.max_length = generation_.max_length.value_or(0);
  }
  options.stop.insert(options.stop.end(), generation_.stop.begin(), generation_.stop.end());
  if (!options.ignore_ends) options.stop_ids.insert(stop_ids_.begin(), stop_ids_.end());
  return options;
}

const ChatPrompter& LoadedModel::prompter() const {
  if (!prompter_) ChatPrompter(files_, tokenizer_);  // says what is wrong
  return *prompter_;
}

}  // namespace rung
