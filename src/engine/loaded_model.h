// A model's files → what runs: weights, tokenizer, defaults, the tokens that end an answer.  Milestones M1 to M3.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string_view>

#include "engine/model_files.h"
#include "model/model.h"
#include "text/tokenizer.h"

namespace rung {

class ChatPrompter;
struct GenerateOptions;

class LoadedModel {
 public:
  explicit LoadedModel(ModelFiles files, std::optional<std::string_view> pre = {});  // throws Error
  ~LoadedModel();
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;

  const ModelFiles& files() const { return files_; }
  const Model& model() const { return model_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  const GenerationConfig& generation() const { return generation_; }
  const Sampling& sampling() const { return generation_.sampling; }
  const std::set<TokenId>& stop_ids() const { return stop_ids_; }  // what ends an answer: answer_ends.h
  // What `options` leave to the model: how to sample and how long the answer may be, if they do not say; where to stop,
  // in addition.
  GenerateOptions completed(GenerateOptions options) const;
  // The model's own chat template, as it is without tools. Throws Error: there is none, or it cannot be read.
  const ChatPrompter& prompter() const;

 private:
  ModelFiles files_;
  Model model_;
  Tokenizer tokenizer_;
  GenerationConfig generation_;
  std::unique_ptr<ChatPrompter> prompter_;
  std::set<TokenId> stop_ids_;
};

}  // namespace rung
