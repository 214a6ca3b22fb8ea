// The tokenizer files of a folder → tokenizer.* of a GGUF file.  Milestone M5.
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/error.h"
#include "convert/gguf_outline.h"
#include "engine/chat_prompt.h"
#include "text/gguf_vocabulary.h"

namespace rung {

namespace {

std::vector<std::string_view> kept(GgufMetadata& out, std::vector<std::string> texts) {
  std::vector<std::string_view> views;
  views.reserve(texts.size());
  for (std::string& text : texts) views.push_back(out.keep(std::move(text)));
  return views;
}

void set_vocabulary(GgufMetadata& out, GgufVocabulary vocabulary) {
  const bool byte_level = vocabulary.model == "gpt2";
  out.set_text("tokenizer.ggml.model", vocabulary.model);
  out.set_text("tokenizer.ggml.pre", vocabulary.pre);
  out.set_array("tokenizer.ggml.tokens", kept(out, std::move(vocabulary.tokens)));
  if (!byte_level) out.set_array("tokenizer.ggml.scores", std::move(vocabulary.scores));
  out.set_array("tokenizer.ggml.token_type", std::move(vocabulary.types));
  if (byte_level) out.set_array("tokenizer.ggml.merges", kept(out, std::move(vocabulary.merges)));
  out.set_scalar("tokenizer.ggml.add_space_prefix", vocabulary.add_space_prefix);
}

void set_id(GgufMetadata& out, const char* name, std::optional<TokenId> id) {
  if (id) out.set_scalar(fmt::format("tokenizer.ggml.{}_token_id", name), static_cast<std::uint32_t>(*id));
}

std::optional<TokenId> only_id(const std::optional<Json>& config, const char* key) {
  if (!config || !config->contains(key) || !config->at(key).is_number_unsigned()) return {};
  return config->at(key).get<TokenId>();
}

// What the tokenizer puts around a text: in GGUF that can be a BOS before it and an EOS behind it, nothing else.
void set_around(GgufMetadata& out, const Tokenizer& tokenizer, std::optional<TokenId> bos, std::optional<TokenId> eos,
                const std::string& where) {
  const std::vector<TokenId> plain = tokenizer.encode("a", {.add_special = false}), whole = tokenizer.encode("a");
  const auto text = std::search(whole.begin(), whole.end(), plain.begin(), plain.end());
  const auto behind = text == whole.end() ? text : text + static_cast<std::ptrdiff_t>(plain.size());
  const std::vector<TokenId> before(whole.begin(), text), after(behind, whole.end());
  const auto is_only = [](const std::vector<TokenId>& ids, std::optional<TokenId> id) {
    return ids.size() == 1 && id && ids[0] == *id;
  };
  if ((!before.empty() && !is_only(before, bos)) || (!after.empty() && !is_only(after, eos))) {
    fail("{}: the tokenizer puts other tokens around a text than one BOS and one EOS: GGUF cannot say that", where);
  }
  out.set_scalar("tokenizer.ggml.add_bos_token", !before.empty());
  out.set_scalar("tokenizer.ggml.add_eos_token", !after.empty());
}

// The other tokens that end an answer: GGUF has room for two, the end of a turn first.
void set_ends(GgufMetadata& out, const ModelFiles& files, const Tokenizer& tokenizer, std::optional<TokenId> eos,
              std::size_t tokens) {
  std::set<TokenId> stops = files.stop_ids();
  std::optional<TokenId> turn;
  if (files.chat_template()) {
    try {
      turn = ChatPrompter(files, tokenizer).turn_end();
    } catch (const Error&) {
      // A template that cannot be read is written as it is; who chats is told.
    }
  }
  const auto unknown = [&](TokenId id) { return static_cast<std::size_t>(id) >= tokens; };
  std::erase_if(stops, unknown);
  if (turn && unknown(*turn)) turn.reset();
  if (eos) stops.erase(*eos);
  if (turn && turn != eos) {
    set_id(out, "eot", turn);
    stops.erase(*turn);
  } else if (!stops.empty()) {
    set_id(out, "eot", *stops.begin());
    stops.erase(stops.begin());
  }
  if (!stops.empty()) set_id(out, "eom", *stops.begin());
}

}  // namespace

void set_folder_tokenizer(GgufMetadata& out, const ModelFiles& files, std::size_t tokens,
                          std::optional<std::string_view> pre) {
  const Tokenizer tokenizer = files.tokenizer();  // which refuses a file that is not whole
  const std::string where = (files.path() / "tokenizer.json").string();
  set_vocabulary(out, gguf_vocabulary(files.folder().open("tokenizer.json").text(), where, tokens, pre));
  const auto config = folder_json(files, "config.json");
  const auto known = [&](std::optional<TokenId> id) {
    return id && static_cast<std::size_t>(*id) < tokens ? id : std::nullopt;
  };
  const auto bos = known(tokenizer.bos() ? tokenizer.bos() : only_id(config, "bos_token_id"));
  const auto eos = known(tokenizer.eos() ? tokenizer.eos() : only_id(config, "eos_token_id"));
  set_id(out, "bos", bos);
  set_id(out, "eos", eos);
  const auto named = files.special_tokens(tokenizer);
  for (const auto& [name, key] : {std::pair{"unknown", "unk_token"}, {"padding", "pad_token"}}) {
    if (const auto token = named.find(key); token != named.end())
      set_id(out, name, known(tokenizer.id_of(token->second)));
  }
  set_around(out, tokenizer, bos, eos, where);
  set_ends(out, files, tokenizer, eos, tokens);
  for (auto& [name, source] : files.chat_templates()) {
    out.set_text("tokenizer.chat_template" + (name == "default" ? "" : "." + name), std::move(source));
  }
}

}  // namespace rung
