#include "engine/chat_prompt.h"

#include <utility>

#include "base/error.h"

namespace rung {

namespace {

std::string own_template(const ModelFiles& files, bool tools) {
  auto source = files.chat_template(tools);
  if (!source) {
    fail("{}: the model has no chat template: it was not made for conversation (give one with --template FILE.jinja)",
         files.path().string());
  }
  return *std::move(source);
}

}  // namespace

std::vector<TokenId> encode_prompt(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<TokenId> ids = tokenizer.encode(text);
  const auto bos = tokenizer.bos();
  if (tokenizer.adds_bos() && bos && ids.size() >= 2 && ids[0] == *bos && ids[1] == *bos) ids.erase(ids.begin());
  return ids;
}

OrderedJson make_message(std::string_view role, std::string_view content) {
  return {{"role", role}, {"content", content}};
}

ChatPrompter::ChatPrompter(const ModelFiles& files, const Tokenizer& tokenizer, std::optional<std::string> source,
                           bool tools)
    : tokenizer_(tokenizer),
      template_(ChatTemplate::parse(source ? *source : own_template(files, tools),
                                    source ? "chat template" : files.path().string() + ": chat template")),
      forbidden_(forbidden_tokens(tokenizer, template_.source())),
      special_tokens_(files.special_tokens(tokenizer)) {}

ChatPrompt ChatPrompter::render(OrderedJson request) const {
  for (const auto& [name, text] : special_tokens_) {
    if (!request.contains(name)) request[name] = text;
  }
  if (!request.contains("add_generation_prompt")) request["add_generation_prompt"] = true;
  RenderedChat rendered = template_.render(request);
  const Untrusted untrusted{rendered.untrusted, forbidden_};
  ChatPrompt prompt;
  prompt.ids = tokenizer_.encode(rendered.text, {.add_special = false, .untrusted = &untrusted});
  prompt.text = std::move(rendered.text);
  prompt.untrusted = std::move(rendered.untrusted);
  return prompt;
}

std::optional<TokenId> ChatPrompter::turn_end() const {
  const std::string marker = "the assistant's words";
  OrderedJson request = {{"messages", {make_message("user", "a question"), make_message("assistant", marker)}},
                         {"add_generation_prompt", false}};
  try {
    const ChatPrompt prompt = render(std::move(request));
    const std::size_t after = prompt.text.find(marker);
    if (after == std::string::npos) return {};
    for (const TokenId id : tokenizer_.encode(prompt.text.substr(after + marker.size()), {.add_special = false})) {
      if (tokenizer_.is_special(id)) return id;
    }
  } catch (const Error&) {
    // A template that wants other messages than these: then the ids that the files name must do.
  }
  return {};
}

}  // namespace rung
