#include "engine/chat_prompt.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "base/error.h"

namespace rung {

namespace {

std::string source_of(const ModelFiles& files, const TemplateChoice& choice) {
  if (choice.source) return *choice.source;
  if (choice.name.empty()) {
    if (auto source = files.chat_template(choice.tools)) return *std::move(source);
  }
  const auto templates = files.chat_templates();
  if (templates.empty()) {
    fail("{}: the model has no chat template: it was not made for conversation (give one with --template FILE.jinja)",
         files.path().string());
  }
  if (const auto found = templates.find(choice.name); found != templates.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, source] : templates) names.push_back(name);
  fail("{}: the model has no chat template named '{}'; it has {}", files.path().string(),
       choice.name.empty() ? "default" : choice.name, fmt::join(names, ", "));
}

std::string name_of_template(const ModelFiles& files, const TemplateChoice& choice) {
  if (choice.source) return "chat template";
  return files.path().string() + ": chat template" + (choice.name.empty() ? "" : " " + choice.name);
}

// The ids among `said` that spell `text`, if it begins and ends where tokens do. Templates drop what a model thought,
// so the text may be a part of what the ids say.
std::optional<std::span<const TokenId>> ids_that_spell(std::string_view text, std::span<const TokenId> said,
                                                       const Tokenizer& tokenizer) {
  std::string all;
  std::vector<std::size_t> ends;  // of each id, in `all`
  Tokenizer::Stream stream(tokenizer);
  for (const TokenId id : said) {
    all += stream.push(id);
    ends.push_back(all.size());
  }
  all += stream.finish();
  if (text == all) return said;
  for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) {
    const auto before = std::find(ends.begin(), ends.end(), at);
    const auto last = std::find(ends.begin(), ends.end(), at + text.size());
    if ((at != 0 && before == ends.end()) || last == ends.end()) continue;
    std::size_t first = at == 0 ? 0 : static_cast<std::size_t>(before - ends.begin()) + 1;
    while (at != 0 && tokenizer.is_special(said[first])) ++first;  // the hidden end of what was dropped
    return said.subspan(first, static_cast<std::size_t>(last - ends.begin()) + 1 - first);
  }
  return {};
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

ChatPrompter::ChatPrompter(const ModelFiles& files, const Tokenizer& tokenizer, const TemplateChoice& choice)
    : tokenizer_(tokenizer),
      where_(name_of_template(files, choice)),
      template_(ChatTemplate::parse(source_of(files, choice), where_)),
      forbidden_(forbidden_tokens(tokenizer, template_)),
      special_tokens_(files.special_tokens(tokenizer)) {}

ChatPrompt ChatPrompter::render(OrderedJson request, std::span<const std::vector<TokenId>> said) const {
  check_keys(request);
  for (const auto& [name, text] : special_tokens_) {
    if (!request.contains(name)) request[name] = text;
  }
  if (!request.contains("add_generation_prompt")) {
    const OrderedJson open = request.value("continue_final_message", OrderedJson(false));
    request["add_generation_prompt"] = open == false || open.is_null();
  }
  RenderedChat rendered = template_.render(request);
  Untrusted untrusted = untrusted_in(rendered, forbidden_);
  for (const Spoken& spoken : rendered.spoken) {
    if (spoken.message >= said.size() || said[spoken.message].empty()) continue;
    const auto& [begin, end] = spoken.range;
    const std::string_view text = std::string_view(rendered.text).substr(begin, end - begin);
    if (const auto ids = ids_that_spell(text, said[spoken.message], tokenizer_)) {
      untrusted.known.push_back({spoken.range, {ids->begin(), ids->end()}});
    }
  }
  ChatPrompt prompt;
  prompt.ids = tokenizer_.encode(rendered.text, {.add_special = false, .untrusted = &untrusted});
  prompt.text = std::move(rendered.text);
  prompt.untrusted = std::move(rendered.untrusted);
  return prompt;
}

// A misspelt key would otherwise be a wish that nobody hears.
void ChatPrompter::check_keys(const OrderedJson& request) const {
  static constexpr std::array<std::string_view, 5> known = {"messages", "tools", "documents", "add_generation_prompt",
                                                            "continue_final_message"};
  for (const auto& [key, value] : request.items()) {
    const bool is_known = std::find(known.begin(), known.end(), key) != known.end() || special_tokens_.contains(key);
    if (is_known || template_.variables().contains(key)) continue;
    std::vector<std::string_view> others;
    for (const std::string& name : template_.variables()) {
      if (std::find(known.begin(), known.end(), name) == known.end()) others.push_back(name);
    }
    fail("{}: '{}' is nothing that the template reads; it reads {}", where_, key,
         others.empty() ? "the messages alone" : fmt::format("{}", fmt::join(others, ", ")));
  }
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
