// A model at a glance: what it is made of, what memory it takes, how it is spoken to.  Milestones M1, M2.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/error.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/inspect.h"
#include "cli/terminal.h"
#include "engine/answer_ends.h"
#include "engine/chat_prompt.h"
#include "model/forward.h"

namespace rung {

namespace {

// Runs `part`; where the files do not allow it, the reason joins the model's problems. A file that cannot run can still
// be looked at.
void attempt(OrderedJson& model, const std::function<void()>& part) {
  try {
    part();
  } catch (const Error& e) {
    model["problems"].push_back(e.what());
  }
}

void add_shape(OrderedJson& model, const ModelConfig& c) {
  model["family"] = c.family;
  model["layers"] = c.layers.size();
  model["hidden_size"] = c.hidden_size;
  model["intermediate_size"] = c.mlp.intermediate_size;
  model["heads"] = c.heads;
  model["kv_heads"] = c.kv_heads;
  model["head_dim"] = c.head_dim;
  model["vocab_size"] = c.vocab_size;
  model["context"] = c.context;
  if (c.longest_context() > c.context) model["longest_context"] = c.longest_context();
  model["activation"] = c.mlp.activation == Activation::silu ? "silu" : "gelu_tanh";
  model["rope"] = c.rope_names;
  OrderedJson windows = OrderedJson::array();
  for (const LayerConfig& layer : c.layers) windows.push_back(layer.attention.window_tokens);
  model["windows"] = std::move(windows);
}

void add_weights(OrderedJson& model, const TensorMap& tensors) {
  const OrderedJson rows = describe_tensors(tensors);
  std::size_t parameters = 0, bytes = 0;
  std::map<std::string, OrderedJson> types;
  for (const OrderedJson& row : rows) {
    const auto values = count_in(row, "values"), size = count_in(row, "bytes");
    OrderedJson& type = types[text_in(row, "type")];
    if (type.is_null()) type = {{"type", row["type"]}, {"tensors", 0}, {"values", 0}, {"bytes", 0}};
    type["tensors"] = count_in(type, "tensors") + 1;
    type["values"] = count_in(type, "values") + values;
    type["bytes"] = count_in(type, "bytes") + size;
    parameters += values;
    bytes += size;
  }
  model["tensors"] = rows.size();
  model["parameters"] = parameters;
  model["weight_bytes"] = bytes;
  if (parameters != 0) model["bits_per_weight"] = 8 * static_cast<double>(bytes) / static_cast<double>(parameters);
  model["types"] = OrderedJson::array();
  for (auto& [name, type] : types) model["types"].push_back(std::move(type));
}

void add_memory(OrderedJson& model, const ModelConfig& config, std::size_t context_tokens, DType cache_type) {
  if (context_tokens > config.longest_context()) {
    fail("--context is {}, expected at most the model's {}", context_tokens, config.longest_context());
  }
  const std::size_t tokens = context_tokens == 0 ? config.context : context_tokens;
  const std::size_t blocks = (tokens + kKvBlock - 1) / kKvBlock;
  const KvShape shape = kv_shape(config, cache_type);
  const std::size_t cache = blocks * shape.bytes_per_block(), weights = model.value("weight_bytes", std::size_t{0});
  model["memory"] = {{"context", tokens},
                     {"weights", weights},
                     {"kv_cache", cache},
                     {"total", weights + cache},
                     {"kv_cache_per_token", shape.bytes_per_position()},
                     {"kv_cache_type", info(cache_type).name}};
}

OrderedJson token(std::int64_t id, std::string_view piece) {
  OrderedJson out{{"id", id}};
  put_text(out, "piece", piece);
  return out;
}

// A GGUF file says all this in its metadata, also where no tokenizer can be made of it.
OrderedJson gguf_tokens(const ModelFiles& files) {
  OrderedJson out;
  const Gguf& gguf = files.gguf();
  const auto kind = gguf.string("tokenizer.ggml.model");
  const auto* pieces = gguf.strings("tokenizer.ggml.tokens");
  if (!kind || pieces == nullptr) fail("{}: holds no tokenizer", gguf.file());
  const auto pre = gguf.string("tokenizer.ggml.pre");
  out["summary"] = fmt::format("{}{}, {} tokens", *kind, pre ? fmt::format(" ({})", *pre) : "", pieces->size());
  const auto piece = [&](std::int64_t id) {
    return id >= 0 && static_cast<std::size_t>(id) < pieces->size() ? (*pieces)[static_cast<std::size_t>(id)]
                                                                    : std::string_view();
  };
  out["special"] = OrderedJson::object();
  for (const char* name : {"bos", "eos", "unknown", "padding"}) {
    if (const auto id = gguf.integer(fmt::format("tokenizer.ggml.{}_token_id", name))) {
      out["special"][name] = token(*id, piece(*id));
    }
  }
  return out;
}

OrderedJson folder_tokens(const ModelFiles& files, const Tokenizer& tokenizer) {
  OrderedJson out;
  out["summary"] = tokenizer.summary();
  out["special"] = OrderedJson::object();
  for (const auto& [name, text] : files.special_tokens(tokenizer)) {
    if (const auto id = tokenizer.id_of(text)) out["special"][name.substr(0, name.rfind("_token"))] = token(*id, text);
  }
  return out;
}

// What generate and chat end at.
OrderedJson stops(const ModelFiles& files, const Tokenizer& tokenizer) {
  OrderedJson out = OrderedJson::array();
  for (const TokenId id : answer_ends(files, tokenizer, prompter_of(files, tokenizer).get())) {
    out.push_back(token(id, tokenizer.piece(id)));
  }
  return out;
}

// --- for people

class Lines {
 public:
  template <class... Args>
  void add(std::string_view label, fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format("  {}{:<14}{} {}\n", style().dim, label, style().reset,
                         fmt::format(format, std::forward<Args>(args)...));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string human_count(std::size_t n) {
  if (n < 1'000'000) return fmt::format("{}", n);
  if (n < 1'000'000'000) return fmt::format("{:.1f} million", static_cast<double>(n) / 1e6);
  return fmt::format("{:.2f} billion", static_cast<double>(n) / 1e9);
}

std::string window_text(const OrderedJson& windows) {
  std::map<std::size_t, std::size_t> layers;
  for (const auto& w : windows) ++layers[w.get<std::size_t>()];
  std::vector<std::string> parts;
  for (const auto& [window, number] : layers) {
    const std::string seen = window == 0 ? "the whole text" : fmt::format("{} tokens back", window);
    parts.push_back(fmt::format("{} layers see {}", number, seen));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string token_text(const OrderedJson& token) {
  return fmt::format("{} {}'{}'{}", token["id"].get<std::int64_t>(), style().bold, visible(text_in(token, "piece")),
                     style().reset);
}

void add_shape_lines(Lines& lines, const OrderedJson& m) {
  lines.add("family", "{}", text_in(m, "family"));
  lines.add("layers", "{}", count_in(m, "layers"));
  lines.add("hidden", "{}, {} inside the MLP ({})", count_in(m, "hidden_size"), count_in(m, "intermediate_size"),
            text_in(m, "activation"));
  lines.add("attention", "{} query heads, {} key/value heads, of {} each", count_in(m, "heads"),
            count_in(m, "kv_heads"), count_in(m, "head_dim"));
  lines.add("window", "{}", window_text(m["windows"]));
  for (const auto& rope : m["rope"]) lines.add("rope", "{}", rope.get<std::string>());
  lines.add("vocabulary", "{} tokens", count_in(m, "vocab_size"));
  lines.add(
      "context", "{} tokens{}", count_in(m, "context"),
      m.contains("longest_context") ? fmt::format(", up to {} with --context", count_in(m, "longest_context")) : "");
}

void add_weight_lines(Lines& lines, const OrderedJson& m) {
  lines.add("parameters", "{} in {} tensors", human_count(count_in(m, "parameters")), count_in(m, "tensors"));
  const double bits = m.value("bits_per_weight", 0.0);
  lines.add("weights", "{}, {:.2f} bits a weight", human_bytes(count_in(m, "weight_bytes")), bits);
  for (const auto& t : m["types"]) {
    lines.add("", "{:<8} {:>4} tensors {:>10}", text_in(t, "type"), count_in(t, "tensors"),
              human_bytes(count_in(t, "bytes")));
  }
  if (m.contains("left_out")) lines.add("left out", "{}", visible(text_in(m, "left_out")));
  if (!m.contains("memory")) return;
  const OrderedJson& memory = m["memory"];
  lines.add("memory", "{}: weights, and {} for the keys and values of {} tokens ({} each, as {})",
            human_bytes(count_in(memory, "total")), human_bytes(count_in(memory, "kv_cache")),
            count_in(memory, "context"), human_bytes(count_in(memory, "kv_cache_per_token")),
            text_in(memory, "kv_cache_type"));
}

void add_text_lines(Lines& lines, const OrderedJson& m) {
  if (m.contains("tokenizer")) {
    const OrderedJson& t = m["tokenizer"];
    lines.add("tokenizer", "{}", visible(text_in(t, "summary")));
    for (const auto& [name, special] : t["special"].items()) lines.add(visible(name), "{}", token_text(special));
    std::vector<std::string> stops;
    if (t.contains("stop")) {
      for (const auto& stop : t["stop"]) stops.push_back(token_text(stop));
    }
    if (!stops.empty()) lines.add("stops at", "{}", fmt::join(stops, ", "));
  }
  if (m["chat_template"].is_null()) {
    lines.add("chat template", "none{}", m.contains("chat_templates") ? " by default" : "");
  } else {
    const std::string source = text_in(m, "chat_template");
    lines.add("chat template", "{} bytes: {}", source.size(), shortened(visible(source)));
  }
  if (!m.contains("chat_templates")) return;
  std::vector<std::string> names;
  for (const auto& name : m["chat_templates"]) names.push_back(visible(name.get<std::string>()));
  lines.add("", "{} (--template-name)", fmt::join(names, ", "));
}

}  // namespace

OrderedJson describe_model(const ModelFiles& files, std::size_t context_tokens, DType cache, Look look) {
  OrderedJson model{{"path", files.path().string()}};
  if (files.is_gguf()) {
    model["format"] = fmt::format("GGUF version {}", files.gguf().version());
    attempt(model, [&] {
      if (const auto name = files.gguf().string("general.name")) put_text(model, "name", *name);
    });
  } else {
    model["format"] = "safetensors";
  }
  std::optional<ModelPlan> plan;
  attempt(model, [&] { plan = files.plan(); });
  if (plan) add_shape(model, plan->config);
  attempt(model, [&] { add_weights(model, files.tensors()); });
  if (plan) add_memory(model, plan->config, context_tokens, cache);
  attempt(model, [&] {
    const LeftOut left = plan ? files.left_out() : LeftOut{};
    if (left.tensors != 0) model["left_out"] = left_out_text(left);
  });
  attempt(model, [&] {
    if (look == Look::headers && !files.is_gguf()) return;
    if (files.is_gguf()) model["tokenizer"] = gguf_tokens(files);
    const Tokenizer tokenizer = files.tokenizer();
    if (!files.is_gguf()) model["tokenizer"] = folder_tokens(files, tokenizer);
    model["tokenizer"]["stop"] = stops(files, tokenizer);
  });
  model["chat_template"] = nullptr;
  attempt(model, [&] {
    const auto templates = files.chat_templates();
    if (const auto source = files.chat_template()) model["chat_template"] = *source;
    if (templates.size() - templates.count("default") == 0) return;
    for (const auto& [name, source] : templates) model["chat_templates"].push_back(to_valid_utf8(name));
  });
  return model;
}

std::string model_text(const OrderedJson& m) {
  Lines lines;
  if (m.contains("name")) lines.add("name", "{}", visible(text_in(m, "name")));
  if (m.contains("family")) add_shape_lines(lines, m);
  if (m.contains("weight_bytes")) add_weight_lines(lines, m);
  add_text_lines(lines, m);
  if (m.contains("problems")) {
    for (const auto& p : m["problems"]) {
      lines.add("problem", "{}{}{}", style().red, visible(p.get<std::string>()), style().reset);
    }
  }
  const std::string path = visible(text_in(m, "path"));
  return fmt::format("{}{}{}  {}\n{}", style().bold, path, style().reset, text_in(m, "format"), lines.text());
}

}  // namespace rung
