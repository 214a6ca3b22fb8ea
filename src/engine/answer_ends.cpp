#include "engine/answer_ends.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "engine/chat_prompt.h"
#include "engine/model_files.h"

namespace rung {

namespace {

// The names that llama.cpp knows (llama_vocab::impl::load in src/llama-vocab.cpp): ends of a turn, of a message to a
// tool, of a text; and what separates one text from the next where a model was trained to fill in code. A GGUF names
// one end, fine-tuned folders often that of the base model, and an answer that runs past its end talks to itself
// (llama.cpp#9606, koboldcpp#995).
constexpr std::array kNames = std::to_array<std::string_view>({"<|eot_id|>",
                                                               "<|im_end|>",
                                                               "<|end|>",
                                                               "<|return|>",
                                                               "<|call|>",
                                                               "<|flush|>",
                                                               "<|calls|>",
                                                               "</s>",
                                                               "<end_of_turn>",
                                                               "<|endoftext|>",
                                                               "<|end_of_text|>",
                                                               "<|eom_id|>",
                                                               "<EOT>",
                                                               "_<EOT>",
                                                               "[EOT]",
                                                               "[EOS]",
                                                               "<end_of_utterance>",
                                                               "<eos>",
                                                               "<turn|>",
                                                               "[e~[",
                                                               "<|tool_response>",
                                                               "<｜end▁of▁sentence｜>",
                                                               "<|fim_pad|>",
                                                               "<fim-pad>",
                                                               "<fim_pad>",
                                                               "<PAD>",
                                                               "[PAD]",
                                                               "<|fim_repo|>",
                                                               "<|repo_name|>",
                                                               "<fim-repo>",
                                                               "<REPO>",
                                                               "<reponame>",
                                                               "<|file_sep|>"});

// Where these are all in a vocabulary, the last one does not end an answer.
struct Exception {
  std::array<std::string_view, 2> beside;
  std::string_view name;
};
constexpr std::array kExceptions = std::to_array<Exception>({
    {{"<|return|>", "<|call|>"}, "<|end|>"},             // gpt-oss: it ends the analysis, and the answer follows
    {{"<|calls|>", "<|flush|>"}, "<|end|>"},             // Solar
    {{"<|tool_response>", "<|tool_response>"}, "</s>"},  // Gemma 4: a word of its texts
});

std::optional<TokenId> added_token(const Tokenizer& tokenizer, std::string_view name) {
  const auto id = tokenizer.id_of(name);
  return id && tokenizer.is_added(*id) ? id : std::nullopt;
}

}  // namespace

std::unique_ptr<ChatPrompter> prompter_of(const ModelFiles& files, const Tokenizer& tokenizer) {
  if (!files.chat_template()) return nullptr;
  try {
    return std::make_unique<ChatPrompter>(files, tokenizer);
  } catch (const Error&) {
    return nullptr;  // it stops a chat, where it is reported, not plain generation
  }
}

std::set<TokenId> answer_ends(const ModelFiles& files, const Tokenizer& tokenizer, const ChatPrompter* prompter) {
  std::set<TokenId> ends;
  for (const std::string_view name : kNames) {
    if (const auto id = added_token(tokenizer, name)) ends.insert(*id);
  }
  if (prompter != nullptr) {
    if (const auto id = prompter->turn_end()) ends.insert(*id);
  }
  for (const Exception& exception : kExceptions) {
    const bool holds = std::all_of(exception.beside.begin(), exception.beside.end(),
                                   [&](std::string_view name) { return added_token(tokenizer, name).has_value(); });
    if (const auto id = added_token(tokenizer, exception.name); holds && id) ends.erase(*id);
  }
  // What the files say themselves holds without exception.
  ends.merge(files.stop_ids());
  if (const auto eos = tokenizer.eos()) ends.insert(*eos);
  return ends;
}

}  // namespace rung
