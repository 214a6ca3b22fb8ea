// The engine's door for JavaScript: a request as JSON → an answer as JSON, and arrays where they lie in memory.
//
// A worker calls, one request at a time (web/src/worker.ts). Verbs and fields are those of web/src/types.ts. What a
// user can get wrong comes back as {"error": one line}; nothing is thrown out of here.
#include <emscripten.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "engine/likeliest.h"
#include "engine/rung.h"
#include "kernels/kernels.h"
#include "learn/divergence.h"
#include "learners.h"
#include "model/forward.h"
#include "ops/attention_weights.h"
#include "ops/broken.h"
#include "ops/statistics.h"
#include "ops/switched_off.h"
#include "ops/traced.h"

// clang-format off
EM_JS(void, give_text, (const char* text, int bytes), { Module["onText"](text, bytes); });
EM_JS(void, give_case, (const char* title, int title_bytes, const char* input, int input_bytes), {
  Module["onCase"](title, title_bytes, input, input_bytes);
});
EM_JS(void, give_found, (const char* report, int bytes), { Module["onFound"](report, bytes); });
EM_JS(void, give_sign_of_life, (), { Module["onText"](0, 0); });
EM_JS(void, give_surroundings, (void* room, int bytes), {
  Module["onSurroundings"](wasmMemory, wasmTable, room, bytes);
});
// clang-format on

namespace rung {
namespace {

constexpr std::size_t kMostContext = 2048;      // tokens of a session, unless the page asks for more
constexpr std::size_t kMostTracedTokens = 256;  // every head's weights of each pair of them are kept

// Arrays of an answer: {"array": i} in its JSON stands for the i-th. They stay until the next request.
class Arrays {
 public:
  OrderedJson keep(std::vector<float> values) {
    all_.push_back(std::move(values));
    return {{"array", all_.size() - 1}};
  }
  OrderedJson places() const {
    OrderedJson places = OrderedJson::array();
    for (const auto& values : all_) {
      places.push_back({reinterpret_cast<std::uintptr_t>(values.data()), values.size()});
    }
    return places;
  }
  void clear() { all_.clear(); }

 private:
  std::vector<std::vector<float>> all_;
};

// Files that the page copied here, freed with the model.
class CopiedFiles {
 public:
  explicit CopiedFiles(const OrderedJson& request) {
    for (const OrderedJson& file : request) {
      names_.push_back(std::make_unique<std::string>(file.at("name").get<std::string>()));
      auto* const bytes = reinterpret_cast<std::byte*>(file.at("at").get<std::uintptr_t>());
      files_.push_back({*names_.back(), {bytes, file.at("bytes").get<std::size_t>()}});
    }
  }
  CopiedFiles(const CopiedFiles&) = delete;
  CopiedFiles& operator=(const CopiedFiles&) = delete;
  ~CopiedFiles() {
    for (const CompiledFile& file : files_) std::free(const_cast<std::byte*>(file.bytes.data()));
  }
  std::span<const CompiledFile> all() const { return files_; }

 private:
  std::vector<std::unique_ptr<std::string>> names_;
  std::vector<CompiledFile> files_;
};

// The model with what is switched off or broken about it: decorators around the device.
struct Changes {
  std::vector<SwitchedOff> parts;
  std::optional<Mistake> mistake;
};
class ChangedOps {
 public:
  ChangedOps(Ops& device, const Changes& changes) : ops_(&device) {
    if (!changes.parts.empty()) ops_ = &switched_off_.emplace(*ops_, changes.parts);
    if (changes.mistake) ops_ = &broken_.emplace(*ops_, *changes.mistake);
  }
  Ops& ops() { return *ops_; }

 private:
  Ops* ops_;
  std::optional<SwitchedOffOps> switched_off_;
  std::optional<BrokenOps> broken_;
};

class Page {
 public:
  explicit Page(const OrderedJson& request)
      : copied_(request.value("files", OrderedJson::array())),
        name_(request.value("name", "pebble")),
        model_(files()),
        device_(request.value("device", std::string(Device::kReference)), 1) {
    const ModelConfig& config = model_.model().config;
    const std::size_t wanted = request.value("context", std::size_t{0});
    context_ = wanted != 0 ? wanted : std::min(config.context, kMostContext);
    change({});
  }

  OrderedJson facts() const {
    const ModelConfig& c = model_.model().config;
    return {{"name", name_},
            {"family", c.family},
            {"layers", c.layers.size()},
            {"heads", c.heads},
            {"kvHeads", c.kv_heads},
            {"headDim", c.head_dim},
            {"hidden", c.hidden_size},
            {"intermediate", c.mlp.intermediate_size},
            {"vocabulary", c.vocab_size},
            {"context", c.context},
            {"parameters", model_.model().parameters()},
            {"bytes", model_.model().weight_bytes()},
            {"device", device_.name()},
            {"kernels", device_.kernels()}};
  }

  OrderedJson tokenize(const OrderedJson& request) const { return tokens_of(ids_of(request)); }

  OrderedJson text_of(const OrderedJson& request) const {
    return model_.tokenizer().decode(request.at("ids").get<std::vector<TokenId>>());
  }

  OrderedJson logits(const OrderedJson& request, Arrays& arrays) {
    const std::vector<TokenId> ids = ids_of(request);
    std::vector<float> last;
    pass(changed_->ops(), ids, [&](std::size_t i) { return i + 1 == ids.size(); }, {}, &last);
    OrderedJson answer{{"tokens", tokens_of(ids)}, {"top", candidates(last, request.value("top", std::size_t{10}))}};
    answer["logits"] = arrays.keep(std::move(last));
    return answer;
  }

  OrderedJson trace(const OrderedJson& request, Arrays& arrays);
  OrderedJson compare(const OrderedJson& request);
  OrderedJson generate(const OrderedJson& request);

  OrderedJson switch_off(const OrderedJson& request) {
    Changes changes = changes_;
    changes.parts.clear();
    const ModelConfig& c = model_.model().config;
    for (const OrderedJson& part : request.at("parts")) {
      SwitchedOff off{.layer = part.at("layer").get<std::size_t>()};
      if (off.layer >= c.layers.size()) fail("layer {}: the model has layers 0 to {}", off.layer, c.layers.size() - 1);
      if (part.contains("head")) {
        off.head = part.at("head").get<std::size_t>();
        if (*off.head >= c.heads) fail("head {}: a layer has heads 0 to {}", *off.head, c.heads - 1);
      } else {
        const std::string which = part.at("part").get<std::string>();
        if (which != "attention" && which != "mlp" && which != "layer") {
          fail("part '{}': expected attention, mlp or layer", which);
        }
        off.attention = which != "mlp";
        off.mlp = which != "attention";
      }
      changes.parts.push_back(off);
    }
    change(std::move(changes));
    return nullptr;
  }

  OrderedJson make_mistake(const OrderedJson& request) {
    Changes changes = changes_;
    changes.mistake.reset();
    if (const OrderedJson& name = request.at("mistake"); !name.is_null()) {
      for (const MistakeInfo& info : rung::mistakes()) {
        if (name == info.name) changes.mistake = info.mistake;
      }
      if (!changes.mistake) fail("there is no mistake '{}'", name.get<std::string>());
    }
    change(std::move(changes));
    return nullptr;
  }

 private:
  // A single file is called by its name, a folder's by the folder's and its own.
  ModelFiles files() const {
    if (copied_.all().empty()) return ModelFiles::pebble();
    return ModelFiles::in_memory(copied_.all().size() == 1 ? "" : name_, copied_.all());
  }

  void change(Changes changes) {
    session_.reset();
    changes_ = std::move(changes);
    changed_.emplace(device_.ops(), changes_);
    session_.emplace(model_.model(), changed_->ops(), SessionOptions{.context = context_});
  }

  std::vector<TokenId> ids_of(const OrderedJson& request) const {
    return encode_prompt(model_.tokenizer(), request.at("text").get<std::string>());
  }
  OrderedJson token(TokenId id) const {
    return {{"id", id}, {"text", model_.tokenizer().piece(id)}, {"special", model_.tokenizer().is_special(id)}};
  }
  OrderedJson tokens_of(std::span<const TokenId> ids) const {
    OrderedJson tokens = OrderedJson::array();
    for (const TokenId id : ids) tokens.push_back(token(id));
    return tokens;
  }
  OrderedJson candidates(std::span<const float> logits, std::size_t count) const {
    OrderedJson all = OrderedJson::array();
    for (const Likely& likely : likeliest(logits, count)) {
      OrderedJson one = token(likely.id);
      one["logit"] = likely.logit;
      one["probability"] = likely.probability;
      all.push_back(std::move(one));
    }
    return all;
  }

  // The forward pass over `ids`, each checkpoint handed to `listener` (if there is one); the last row's logits.
  template <class Wants>
  void pass(Ops& ops, std::span<const TokenId> ids, const Wants& wants_logits, TracedOps::Listener listener,
            std::vector<float>* last_logits) {
    if (ids.empty()) fail("the text is empty: there is nothing to compute");
    const std::size_t most = listener ? std::min(kMostTracedTokens, context_) : context_;
    if (ids.size() > most) fail("the text has {} tokens, this page takes at most {}", ids.size(), most);
    std::optional<TracedOps> traced;
    if (listener) traced.emplace(ops, std::move(listener));
    Ops& used = traced ? *traced : ops;
    KvCache cache(kv_shape(model_.model().config, used.cache_type()));
    Batch batch;
    batch.add(ids, 0, cache, wants_logits);
    Forward forward(model_.model(), used, ids.size());
    const auto logits = forward.run(batch);
    if (last_logits != nullptr && logits.extent<Tokens>() > 0) {
      const auto row = logits[logits.extent<Tokens>() - 1].span();
      last_logits->assign(row.begin(), row.end());
    }
  }

  OrderedJson lens_rows(std::span<const float> stream, std::size_t rows, std::size_t count);

  CopiedFiles copied_;
  std::string name_;
  LoadedModel model_;
  Device device_;
  std::size_t context_ = 0;
  Changes changes_;
  std::optional<ChangedOps> changed_;
  std::optional<Session> session_;
};

// What the model would say if it ended here: final norm and head, of each row of the residual stream.
OrderedJson Page::lens_rows(std::span<const float> stream, std::size_t rows, std::size_t count) {
  const Model& model = model_.model();
  Buffer<float> x(stream.size()), logits(rows * model.config.vocab_size);
  const auto normed = x.as<Tokens, Hidden>(rows, model.config.hidden_size);
  std::copy(stream.begin(), stream.end(), normed.data());
  const auto out = logits.as<Tokens, Vocab>(rows, model.config.vocab_size);
  device_.ops().rms_norm(normed, normed, model.final_norm, {"final_norm"});
  device_.ops().linear(out, normed, model.head, {"logits"});
  OrderedJson all = OrderedJson::array();
  for (std::size_t t = 0; t < rows; ++t) all.push_back(candidates(out[t].span(), count));
  return all;
}

OrderedJson Page::trace(const OrderedJson& request, Arrays& arrays) {
  const std::vector<TokenId> ids = ids_of(request);
  const ModelConfig& config = model_.model().config;
  const auto layer = request.contains("layer") ? std::optional(request.at("layer").get<int>()) : std::nullopt;
  const OrderedJson values = request.value("values", OrderedJson(false));
  const bool wants_heads = request.value("attention", false);
  const std::size_t lens = request.value("lens", std::size_t{0});
  const auto wanted = [&](const std::string& name) {
    return values.is_boolean() ? values.get<bool>() : std::find(values.begin(), values.end(), name) != values.end();
  };
  OrderedJson tensors = OrderedJson::array(), attention = OrderedJson::array(), lenses = OrderedJson::array();
  std::vector<float> q;
  const auto listen = [&](const Checkpoint& at, const NamedTensor& x) {
    const std::string_view name = at.name;
    if (lens > 0 && (name == "embedding" || name == "output")) {
      lenses.push_back({{"layer", at.layer}, {"rows", lens_rows(x.values, ids.size(), lens)}});
    }
    if (layer && at.layer != *layer) return;
    const Statistics s = statistics(x.values);
    OrderedJson tensor{{"name", at.text()}, {"layer", at.layer}, {"axes", x.axes}, {"shape", x.shape},
                       {"min", s.min},      {"max", s.max},      {"rms", s.rms}};
    if (wanted(at.text())) tensor["values"] = arrays.keep({x.values.begin(), x.values.end()});
    tensors.push_back(std::move(tensor));
    if (!wants_heads) return;
    if (name == "q_rope") q.assign(x.values.begin(), x.values.end());
    if (name != "k_rope") return;
    const auto of_layer = static_cast<std::size_t>(at.layer);
    std::vector<float> weights = attention_weights({q.data(), {ids.size(), config.heads, config.head_dim}},
                                                   {x.values.data(), {ids.size(), config.kv_heads, config.head_dim}},
                                                   config.layers[of_layer].attention);
    attention.push_back({{"layer", at.layer}, {"heads", config.heads}, {"weights", arrays.keep(std::move(weights))}});
  };
  pass(changed_->ops(), ids, [&](std::size_t i) { return !layer || i + 1 == ids.size(); }, listen, nullptr);
  return {{"tokens", tokens_of(ids)},
          {"tensors", std::move(tensors)},
          {"attention", std::move(attention)},
          {"lens", std::move(lenses)}};
}

OrderedJson Page::compare(const OrderedJson& request) {
  const std::vector<TokenId> ids = ids_of(request);
  const std::size_t top = request.value("top", std::size_t{10});
  const auto all_rows = [](std::size_t) { return true; };
  learn::SideBySide both(model_.model().config.head_dim);
  std::vector<float> sound_logits, changed_logits;
  pass(device_.ops(), ids, all_rows, both.sound(), &sound_logits);
  pass(changed_->ops(), ids, all_rows, both.theirs(), &changed_logits);
  OrderedJson differences = OrderedJson::array(), answer{{"tokens", tokens_of(ids)}};
  for (const auto& [checkpoint, layer, distance] : both.distances()) {
    differences.push_back({{"name", checkpoint}, {"layer", layer}, {"distance", distance}});
  }
  if (both.first()) {
    answer["firstWrong"] = both.first()->checkpoint;
    answer["where"] = learn::to_json(*both.first());
    answer["patterns"] = OrderedJson::array();
    for (const learn::FoundPattern& found : both.first()->patterns) answer["patterns"].push_back(found.sentence);
  }
  answer["differences"] = std::move(differences);
  answer["sound"] = candidates(sound_logits, top);
  answer["changed"] = candidates(changed_logits, top);
  return answer;
}

OrderedJson Page::generate(const OrderedJson& request) {
  GenerateOptions options{.max_tokens = request.value("maxTokens", std::size_t{64})};
  Sampling sampling = model_.sampling();
  const std::pair<const char*, const char*> settings[]{{"temperature", "temperature"},
                                                       {"topK", "top-k"},
                                                       {"topP", "top-p"},
                                                       {"minP", "min-p"},
                                                       {"repeatPenalty", "repeat-penalty"}};
  for (const auto& [field, name] : settings) {
    if (!request.contains(field)) continue;
    for (const SamplingSetting& setting : sampling_settings()) {
      if (std::string_view(setting.name) == name) setting.set(sampling, request.at(field).get<double>());
    }
  }
  if (request.contains("seed")) sampling.seed = request.at("seed").get<std::uint64_t>();
  options.sampling = sampling;
  options.continues = true;
  const std::vector<TokenId> ids = ids_of(request);
  const auto text = [](std::string_view piece) { give_text(piece.data(), static_cast<int>(piece.size())); };
  const Generated g =
      rung::generate(*session_, model_.tokenizer(), ids, model_.completed(std::move(options)), {.text = text});
  return {{"text", g.text},
          {"ids", g.ids},
          {"reason", name_of(g.reason)},
          {"seed", g.seed},
          {"seconds", g.decode.seconds},
          {"tokensPerSecond", g.decode.tokens_per_second()},
          {"prefillTokensPerSecond", g.prefill.tokens_per_second()}};
}

// How much `work` does in a second: it is repeated for a twentieth of one, and the best of three counts.
template <class Work>
double per_second(const Work& work) {
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    const Clock::time_point start = Clock::now();
    double done = 0, seconds = 0;
    while ((seconds = seconds_since(start)) < 0.05) done += work();
    best = std::max(best, done / seconds);
  }
  return best;
}

OrderedJson measure() {
  const Kernels& kernels = chosen_kernels();
  const Buffer<float> memory(std::size_t{16} << 20);  // 64 MB: no cache holds it
  const auto* const bytes = reinterpret_cast<const std::byte*>(memory.data());
  const std::size_t count = memory.size() * sizeof(float);
  const auto read = [&] {
    kernels.peaks.read(bytes, count, 4, 0, 0);
    return static_cast<double>(count);
  };
  return {{"readBytesPerSecond", per_second(read)},
          {"int8PerSecond", per_second([&] { return static_cast<double>(kernels.peaks.int8(100000)); })},
          {"floatPerSecond", per_second([&] { return static_cast<double>(kernels.peaks.f32(100000)); })}};
}

OrderedJson all_mistakes() {
  OrderedJson all = OrderedJson::array();
  for (const MistakeInfo& info : mistakes()) {
    all.push_back({{"name", info.name}, {"description", info.description}});
  }
  return all;
}

OrderedJson answer_to(const OrderedJson& request, Arrays& arrays) {
  static std::unique_ptr<Page> page;
  const std::string verb = request.at("verb").get<std::string>();
  if (verb == "mistakes") return all_mistakes();
  if (verb == "measure") return measure();
  if (verb == "load") {
    page = std::make_unique<Page>(request);
    const std::span<std::byte> room = room_for_learners();
    give_surroundings(room.data(), static_cast<int>(room.size()));
    OrderedJson facts = page->facts();
    facts["room"] = reinterpret_cast<std::uintptr_t>(room.data());
    return facts;
  }
  const Listeners listeners{
      .text = [](std::string_view piece) { give_text(piece.data(), static_cast<int>(piece.size())); },
      .trying =
          [](std::string_view title, std::string_view input) {
            give_case(title.data(), static_cast<int>(title.size()), input.data(), static_cast<int>(input.size()));
          },
      .found = [](std::string_view report) { give_found(report.data(), static_cast<int>(report.size())); },
      .alive = give_sign_of_life};
  if (auto answer = answer_for_learners(verb, request, listeners)) return *std::move(answer);
  if (!page) fail("{}: no model is loaded", verb);
  if (verb == "tokenize") return page->tokenize(request);
  if (verb == "textOf") return page->text_of(request);
  if (verb == "logits") return page->logits(request, arrays);
  if (verb == "trace") return page->trace(request, arrays);
  if (verb == "compare") return page->compare(request);
  if (verb == "generate") return page->generate(request);
  if (verb == "switchOff") return page->switch_off(request);
  if (verb == "break") return page->make_mistake(request);
  fail("there is no verb '{}'", verb);
}

}  // namespace
}  // namespace rung

// The answer is there until the next call: {"answer": …, "arrays": [[address, floats], …]} or {"error": "one line"}.
extern "C" EMSCRIPTEN_KEEPALIVE const char* rung_call(const char* request) {
  using rung::OrderedJson;
  static std::string said;
  static rung::Arrays arrays;
  arrays.clear();
  try {
    OrderedJson answer = rung::answer_to(OrderedJson::parse(request), arrays);
    said = rung::to_json({{"answer", std::move(answer)}, {"arrays", arrays.places()}});
  } catch (const std::bad_alloc&) {
    said = rung::to_json({{"error", "there is no memory for this: a page may have 4 GB"}});
  } catch (const std::exception& e) {
    said = rung::to_json({{"error", e.what()}});
  }
  return said.c_str();
}
