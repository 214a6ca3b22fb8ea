#include "engine/generation_config.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/json.h"
#include "base/error.h"

namespace rung {

namespace {

const Json* find(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

std::optional<double> number_in(const Json& object, const char* key, const std::string& where) {
  const Json* value = find(object, key);
  if (value == nullptr) return {};
  if (!value->is_number()) fail("{}: '{}' is {}, expected a number", where, key, value->dump());
  return value->get<double>();
}

std::optional<std::size_t> count_in(const Json& object, const char* key, const std::string& where) {
  const auto number = number_in(object, key, where);
  if (!number) return {};
  if (*number < 0) fail("{}: '{}' is {}, expected 0 or more", where, key, *number);
  return static_cast<std::size_t>(std::min(*number, 1e9));
}

TokenId token_id(const Json& id, const char* key, const std::string& where) {
  if (!id.is_number_integer() || id.get<double>() < -1 || id.get<double>() > 1e9) {
    fail("{}: '{}' holds {}, expected token ids", where, key, id.dump());
  }
  return id.get<TokenId>();
}

std::vector<std::vector<TokenId>> words_in(const Json& object, const char* key, const std::string& where) {
  std::vector<std::vector<TokenId>> words;
  const Json* value = find(object, key);
  if (value == nullptr) return words;
  if (!value->is_array()) fail("{}: '{}' is {}, expected lists of token ids", where, key, value->type_name());
  for (const Json& word : *value) {
    if (!word.is_array()) fail("{}: '{}' holds {}, expected lists of token ids", where, key, word.dump());
    words.emplace_back();
    for (const Json& id : word) words.back().push_back(token_id(id, key, where));
  }
  return words;
}

// A string, or a list of strings.
std::vector<std::string> texts_in(const Json& object, const char* key, const std::string& where) {
  std::vector<std::string> texts;
  const Json* value = find(object, key);
  if (value == nullptr) return texts;
  for (const Json& text : value->is_array() ? *value : Json::array({*value})) {
    if (!text.is_string()) fail("{}: '{}' holds {}, expected texts", where, key, text.dump());
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

// What transformers' generate() reads, what changes its text unless it has this value, and what Rung does not do.
struct Undone {
  const char* key;
  double idle = 0;            // also: false, empty, null
  bool when_drawing = false;  // matters with do_sample only
};
constexpr Undone kUndone[] = {{"num_beams", 1},
                              {"num_beam_groups", 1},
                              {"diversity_penalty"},
                              {"penalty_alpha"},
                              {"dola_layers"},
                              {"constraints"},
                              {"force_words_ids"},
                              {"guidance_scale", 1},
                              {"sequence_bias"},
                              {"forced_bos_token_id", -1},
                              {"exponential_decay_length_penalty"},
                              {"watermarking_config"},
                              {"token_healing"},
                              {"max_time"},
                              {"top_h", 0, true},
                              {"typical_p", 1, true},
                              {"epsilon_cutoff", 0, true},
                              {"eta_cutoff", 0, true}};

bool is_idle(const Json& value, double idle) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() == idle;
  return value.empty();
}

void read_sampling(Sampling& s, const Json& config, const std::string& where) {
  const Json* do_sample = find(config, "do_sample");
  const bool says = do_sample != nullptr && do_sample->is_boolean(), draws = says && do_sample->get<bool>();
  for (const SamplingSetting& setting : sampling_settings()) {
    if (setting.json_key == nullptr || (setting.drawing && !draws)) continue;
    if (const auto value = number_in(config, setting.json_key, where)) {
      setting.set(s, *value);
    } else if (setting.drawing) {
      setting.set(s, *setting.drawing);
    }
  }
  if (says && !draws) s.temperature = 0;
  s.suppress = token_ids_in(config, "suppress_tokens", where);
  s.begin_suppress = token_ids_in(config, "begin_suppress_tokens", where);
  s.bad_words = words_in(config, "bad_words_ids", where);
  s.forced_end = token_ids_in(config, "forced_eos_token_id", where);
  if (find(config, "min_new_tokens") == nullptr) s.min_length = count_in(config, "min_length", where).value_or(0);
}

void check_in(const std::string& where, const Sampling& sampling) {
  try {
    check(sampling);
  } catch (const Error& e) {
    fail("{}: {}", where, e.what());
  }
}

}  // namespace

std::vector<TokenId> token_ids_in(const Json& object, const char* key, const std::string& where) {
  std::vector<TokenId> ids;
  const Json* value = find(object, key);
  if (value == nullptr) return ids;
  for (const Json& one : value->is_array() ? *value : Json::array({*value})) {
    if (const TokenId id = token_id(one, key, where); id >= 0) ids.push_back(id);
  }
  return ids;
}

GenerationConfig generation_from_json(const Json& config, const std::string& where) {
  GenerationConfig g{.where = where};
  read_sampling(g.sampling, config, where);
  check_in(where, g.sampling);
  g.max_tokens = count_in(config, "max_new_tokens", where);
  if (!g.max_tokens) g.max_length = count_in(config, "max_length", where);
  g.stop = texts_in(config, "stop_strings", where);
  for (const Undone& undone : kUndone) {
    const Json* value = find(config, undone.key);
    if (value == nullptr || is_idle(*value, undone.idle)) continue;
    if (!undone.when_drawing || g.sampling.temperature != 0) g.undone.emplace_back(undone.key);
  }
  return g;
}

namespace {

// What a GGUF's general.sampling may say and Rung does not do; any other key is idle at 0, and one that only goes with
// another says nothing by itself.
const std::map<std::string_view, double> kIdleInGguf{{"typ_p", 1}, {"penalty_last_n", -1}, {"top_n_sigma", -1}};
const std::set<std::string_view> kGoWithOthers{"mirostat_tau", "mirostat_eta",       "xtc_threshold",
                                               "dry_base",     "dry_allowed_length", "dry_penalty_last_n"};

bool is_idle(const GgufValue& value, double idle) {
  const auto* scalar = std::get_if<GgufScalar>(&value);
  if (scalar == nullptr) return std::get<GgufArray>(value).size() == 0;
  return std::visit(
      [&](const auto& v) {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::string_view>) {
          return v.empty();
        } else {
          return static_cast<double>(v) == idle;
        }
      },
      *scalar);
}

std::vector<std::string> undone_in(const Gguf& gguf, const Sampling& sampling) {
  constexpr std::string_view kPlace = "general.sampling.";
  std::vector<std::string> undone;
  for (auto at = gguf.metadata().lower_bound(kPlace); at != gguf.metadata().end(); ++at) {
    const std::string& key = at->first;
    if (!key.starts_with(kPlace)) break;
    const std::string_view name = std::string_view(key).substr(kPlace.size());
    const auto settings = sampling_settings();
    const bool is_done = std::any_of(settings.begin(), settings.end(), [&](const SamplingSetting& s) {
      return s.gguf_key != nullptr && key == s.gguf_key;
    });
    const auto idle = kIdleInGguf.find(name);
    if (is_done || kGoWithOthers.contains(name)) continue;
    if (is_idle(at->second, idle == kIdleInGguf.end() ? 0 : idle->second)) continue;
    if (name == "penalty_last_n" && sampling.repeat_penalty == 1) continue;
    undone.emplace_back(name);
  }
  return undone;
}

}  // namespace

GenerationConfig generation_from_gguf(const Gguf& gguf) {
  GenerationConfig g{.where = gguf.file() + ": general.sampling"};
  for (const SamplingSetting& setting : sampling_settings()) {
    if (setting.gguf_key == nullptr) continue;
    if (const auto value = gguf.number(setting.gguf_key)) setting.set(g.sampling, *value);
  }
  // llama.cpp's key, for tokens that a model must never say
  for (const std::int64_t id : gguf.integers("tokenizer.ggml.suppress_tokens").value_or(std::vector<std::int64_t>{})) {
    if (id >= 0 && id <= 1'000'000'000) g.sampling.suppress.push_back(static_cast<TokenId>(id));
  }
  check_in(g.where, g.sampling);
  g.undone = undone_in(gguf, g.sampling);
  return g;
}

// Ollama's parameters of the text that Rung does not do, and the value with which they do nothing.
// (github.com/ollama/ollama, docs/modelfile.md: "Valid Parameters and Values")
constexpr Undone kUndoneOfOllama[] = {{"mirostat"}, {"tfs_z", 1}, {"typical_p", 1}, {"penalize_newline"}, {"num_keep"}};

GenerationConfig generation_from_ollama(GenerationConfig own, const Json& parameters, const std::string& where) {
  if (!parameters.is_object()) fail("{}: found {}, expected a JSON object", where, parameters.type_name());
  GenerationConfig g = std::move(own);
  g.where = where;
  for (const SamplingSetting& setting : sampling_settings()) {
    std::string key = setting.name;
    std::replace(key.begin(), key.end(), '-', '_');
    if (const auto value = number_in(parameters, key.c_str(), where)) setting.set(g.sampling, *value);
  }
  if (const auto seed = number_in(parameters, "seed", where); seed && *seed >= 0 && *seed <= 1e15) {
    g.sampling.seed = static_cast<std::uint64_t>(*seed);
  }
  // -1 and -2: until the model ends, or the context is full
  if (const auto most = number_in(parameters, "num_predict", where)) {
    g.max_tokens = *most > 0 ? static_cast<std::size_t>(std::min(*most, 1e9)) : 0;
  }
  g.context = count_in(parameters, "num_ctx", where);
  for (std::string& text : texts_in(parameters, "stop", where)) g.stop.push_back(std::move(text));
  for (const Undone& undone : kUndoneOfOllama) {
    const Json* value = find(parameters, undone.key);
    if (value != nullptr && !is_idle(*value, undone.idle)) g.undone.emplace_back(undone.key);
  }
  check_in(where, g.sampling);
  return g;
}

}  // namespace rung
