#include "measure/metal_check.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <random>

#include "base/error.h"
#include "base/json.h"
#include "engine/session.h"
#include "ops/metal/metal.h"
#include "ops/reference.h"
#include "ops/statistics.h"
#include "tensor/blocks.h"

namespace rung {

namespace {

constexpr double kVerb = 1e-5;   // of a verb: a few roundings more or less
constexpr double kModel = 1e-4;  // of a model's logits: the contract (docs/design.md)

std::string system_name() {
  utsname system{};
  ::uname(&system);
  return fmt::format("{} {} {}", system.sysname, system.release, system.machine);
}

class Checker {
 public:
  explicit Checker(const std::function<void(const MetalCheck&)>& progress) : progress_(progress) {}

  void embed_and_linear(DType type);
  void elements();
  void attention(DType cache);
  void model(const Model& model);

  // `look`, whose checks begin with `name`.
  template <class Look>
  void each(const std::string& name, Look look) {
    try {
      look();
    } catch (const Error& error) {
      forget();
      add({name, 0, 0, error.what()});
    }
  }

  MetalReport report() && {
    return {std::string(metal_.kernels()), system_name(), metal_.is_virtual(), std::move(checks_)};
  }

 private:
  // What a check that failed has recorded knows of memory that is gone.
  void forget() {
    try {
      metal_.finish();
    } catch (const std::exception&) {  // the check has said what is wrong
    }
  }
  std::vector<float> some(std::size_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& x : values) x = normal(random_);
    return values;
  }
  Buffer<float> lent(const std::vector<float>& values) {
    Buffer<float> buffer(values.size(), metal_.memory(values.size() * sizeof(float)));
    std::copy(values.begin(), values.end(), buffer.data());
    return buffer;
  }
  std::span<const float> done(const Buffer<float>& buffer) {
    metal_.finish();
    return {buffer.data(), buffer.size()};
  }
  void add(MetalCheck check) {
    checks_.push_back(std::move(check));
    progress_(checks_.back());
  }
  void add(std::string name, double distance, double allowed) { add({std::move(name), distance, allowed}); }
  void add_bits(std::string name, std::span<const float> ours, std::span<const float> expected) {
    double others = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) others += ours[i] == expected[i] ? 0 : 1;
    add(std::move(name), others, 0);
  }
  std::vector<std::byte> random_rows(DType type, std::size_t rows, std::size_t columns);

  const std::function<void(const MetalCheck&)>& progress_;
  std::vector<MetalCheck> checks_;
  std::mt19937 random_{1};
  ThreadTeam team_{1};
  ReferenceOps reference_{team_};
  MetalOps metal_;
};

// Any bits are a block; but its scales are to be numbers of a sensible size.
std::vector<std::byte> Checker::random_rows(DType type, std::size_t rows, std::size_t columns) {
  const DTypeInfo& i = info(type);
  std::vector<std::byte> bytes(rows * row_bytes(type, columns));
  const auto scale = [&] { return static_cast<std::uint16_t>(0x2800 + (random_() & 0x3ff)); };  // an f16 around 0.03
  if (!is_quantised(type)) {  // the upper bits of a sensible float, or of a sensible f16
    for (std::size_t at = 0; at < bytes.size(); at += i.bytes_per_block) {
      const auto high = static_cast<std::uint16_t>((type == DType::f16 ? 0x2800 : 0x3e00) + (random_() & 0x81ff));
      std::memcpy(&bytes[at + i.bytes_per_block - 2], &high, 2);
    }
    return bytes;
  }
  for (std::byte& b : bytes) b = static_cast<std::byte>(random_() & 255);
  for (std::size_t block = 0; block < bytes.size(); block += i.bytes_per_block) {
    if (type == DType::mxfp4) bytes[block] = static_cast<std::byte>(120 + random_() % 10);
    if (type == DType::iq1_m) {  // its scale is in the upper four bits of four numbers
      const std::uint16_t half = scale();
      for (std::size_t n = 0; n < 4; ++n) {
        std::byte& high = bytes[block + 49 + 2 * n];
        high = (high & std::byte{15}) | static_cast<std::byte>(((half >> (4 * n)) & 15) << 4);
      }
    }
    std::size_t at = block;
    for (const BlockField& field : block_fields(type)) {
      const std::uint16_t half = scale();
      if (field.is_f16()) std::memcpy(&bytes[at], &half, 2);
      at += field.bytes;
    }
  }
  return bytes;
}

void Checker::embed_and_linear(DType type) {
  constexpr std::size_t kRows = 37, kColumns = 1280, kTokens = 40;
  const std::vector<std::byte> bytes = random_rows(type, kRows, kColumns);
  PanelStore panels;
  PackedMatrix w{.name = "check",
                 .dtype = type,
                 .rows = kRows,
                 .columns = kColumns,
                 .data = bytes.data(),
                 .bias = {},
                 .panels = &panels,
                 .id = panels.add()};
  const std::string name(info(type).name);

  const std::vector<std::int32_t> ids{3, 0, 36};
  std::vector<float> expected(ids.size() * kColumns);
  const Buffer<float> rows = lent(expected);
  reference_.do_embed({expected.data(), {ids.size(), kColumns}}, ids, w, 1.5f);
  metal_.do_embed({rows.data(), {ids.size(), kColumns}}, ids, w, 1.5f);
  add("embed " + name, relative_distance(done(rows), expected), kVerb);

  const std::vector<float> x = some(kTokens * kColumns);
  const Buffer<float> from = lent(x), one = lent(std::vector<float>(kRows)),
                      many = lent(std::vector<float>(kTokens * kRows));
  expected.assign(kTokens * kRows, 0.0f);
  reference_.do_linear({expected.data(), {kTokens, kRows}}, {x.data(), {kTokens, kColumns}}, w);
  metal_.do_linear({one.data(), {1, kRows}}, {from.data(), {1, kColumns}}, w);
  metal_.do_linear({many.data(), {kTokens, kRows}}, {from.data(), {kTokens, kColumns}}, w);
  add("linear " + name + ", one token", relative_distance(done(one), std::span(expected).first(kRows)), kVerb);
  add(fmt::format("linear {}, {} tokens", name, kTokens), relative_distance(done(many), expected), kVerb);
  add_bits("linear " + name + ": a token alone and in company", done(one), done(many).first(kRows));
}

void Checker::elements() {
  constexpr std::size_t kRows = 3, kColumns = 512;
  const std::vector<float> x = some(kRows * kColumns), y = some(kRows * kColumns);
  const Buffer<float> out = lent(x), other = lent(y);
  std::vector<float> expected = x;
  const Matrix ours(out.data(), {kRows, kColumns}), theirs(expected.data(), {kRows, kColumns});
  const Matrix our_y(other.data(), {kRows, kColumns});
  std::vector<float> y_copy = y;
  const Matrix their_y(y_copy.data(), {kRows, kColumns});

  const Norm norm{"check", some(kColumns), 1e-5f};
  metal_.do_rms_norm(ours, ours, norm);
  reference_.do_rms_norm(theirs, theirs, norm);
  add("rms_norm", relative_distance(done(out), expected), kVerb);

  Rope rope;
  for (std::size_t i = 0; i < 64; ++i) {
    rope.inverse_frequencies.push_back(std::pow(10000.0f, -static_cast<float>(i) / 64.0f));
  }
  const std::vector<std::uint32_t> positions{0, 77, 100'000};
  metal_.do_rope({out.data(), {kRows, 4, 128}}, positions, rope);
  reference_.do_rope({expected.data(), {kRows, 4, 128}}, positions, rope);
  add("rope", relative_distance(done(out), expected), kVerb);

  for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
    metal_.do_gate(ours, ours, our_y, activation);
    reference_.do_gate(theirs, theirs, their_y, activation);
    add(activation == Activation::silu ? "gate silu" : "gate gelu", relative_distance(done(out), expected), kVerb);
    metal_.do_add(ours, our_y);
    reference_.do_add(theirs, their_y);
    add("add", relative_distance(done(out), expected), kVerb);
  }
}

void Checker::attention(DType cache) {
  constexpr std::size_t kHeads = 8, kKvHeads = 2, kHeadDim = 64, kPositions = 200;
  const KvShape shape{1, kKvHeads, kHeadDim, cache};
  KvCache ours(shape), theirs(shape);
  ours.reserve(kPositions, metal_);
  theirs.reserve(kPositions);
  const std::vector<KvCache*> our_rows(kPositions, &ours), their_rows(kPositions, &theirs);
  std::vector<std::uint32_t> positions;
  for (std::uint32_t p = 0; p < kPositions; ++p) positions.push_back(p);
  const std::vector<float> k = some(kPositions * kKvHeads * kHeadDim), v = some(k.size());
  const std::vector<float> q = some(kPositions * kHeads * kHeadDim);
  const Buffer<float> our_k = lent(k), our_v = lent(v), our_q = lent(q), all = lent(q);
  const Tensor<float, Tokens, KvHeads, HeadDim>::Extents kv{kPositions, kKvHeads, kHeadDim};
  const Tensor<float, Tokens, Heads, HeadDim>::Extents of_q{kPositions, kHeads, kHeadDim};
  metal_.do_store_kv({positions, our_rows}, 0, {our_k.data(), kv}, {our_v.data(), kv});
  reference_.do_store_kv({positions, their_rows}, 0, {k.data(), kv}, {v.data(), kv});

  const std::string name(info(cache).name);
  const AttentionSettings settings{.scale = 0.125f, .window_tokens = 150};
  std::vector<float> expected(q.size());
  reference_.do_attention({expected.data(), of_q}, {q.data(), of_q}, {positions, their_rows}, 0, settings);
  metal_.do_attention({all.data(), of_q}, {our_q.data(), of_q}, {positions, our_rows}, 0, settings);
  add("attention " + name + ", a prompt", relative_distance(done(all), expected), kVerb);
  constexpr std::size_t kRow = kHeads * kHeadDim, kLast = kPositions - 1;
  const Buffer<float> one = lent(std::vector<float>(kRow));
  metal_.do_attention({one.data(), {1, kHeads, kHeadDim}}, {our_q.data() + kLast * kRow, {1, kHeads, kHeadDim}},
                      {std::span(positions).last(1), std::span(our_rows).last(1)}, 0, settings);
  add("attention " + name + ", one token", relative_distance(done(one), std::span(expected).last(kRow)), kVerb);
  add_bits("attention " + name + ": a token alone and in company", done(one), done(all).last(kRow));
}

// Logits of a prompt, then tokens one by one, each the likeliest: the words are to be the same.
void Checker::model(const Model& model) {
  constexpr std::size_t kPrompt = 100, kTokens = 16;
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < kPrompt; ++i) {
    ids.push_back(static_cast<std::int32_t>((i * 7919 + 1) % model.config.vocab_size));
  }
  Session ours(model, metal_, {.cache_type = DType::f32}), theirs(model, reference_, {.cache_type = DType::f32});
  double farthest = 0, other_choices = 0;
  for (std::size_t i = 0; i < kTokens; ++i) {
    const std::span<const float> logits = ours.feed(ids), expected = theirs.feed(ids);
    farthest = std::max(farthest, relative_distance(logits, expected));
    const auto choice = std::max_element(expected.begin(), expected.end()) - expected.begin();
    if (std::max_element(logits.begin(), logits.end()) - logits.begin() != choice) ++other_choices;
    ids.assign(1, static_cast<std::int32_t>(choice));
  }
  add("model: logits", farthest, kModel);
  add(fmt::format("model: {} tokens, each the likeliest", kTokens), other_choices, 0);
}

}  // namespace

std::size_t MetalReport::failures() const {
  return static_cast<std::size_t>(
      std::count_if(checks.begin(), checks.end(), [](const MetalCheck& check) { return !check.passed(); }));
}

MetalReport check_metal(const LoadedModel& model, const std::function<void(const MetalCheck&)>& progress) {
  Checker checker(progress);
  for (const DTypeInfo& type : kDTypes) {
    checker.each("linear " + std::string(type.name), [&] { checker.embed_and_linear(type.type); });
  }
  checker.each("norm, rope, gates, sums", [&] { checker.elements(); });
  for (const DType cache : {DType::f32, DType::f16, DType::q8_0}) {
    checker.each("attention " + std::string(info(cache).name), [&] { checker.attention(cache); });
  }
  checker.each("model", [&] { checker.model(model.model()); });
  return std::move(checker).report();
}

OrderedJson json_of(const MetalReport& report) {
  OrderedJson json{{"gpu", report.gpu}, {"virtual", report.is_virtual}, {"system", report.system}};
  json["rung"] = RUNG_VERSION;
  json["passed"] = report.failures() == 0;
  json["failures"] = report.failures();
  json["checks"] = OrderedJson::array();
  for (const MetalCheck& check : report.checks) {
    OrderedJson row{{"name", check.name}, {"passed", check.passed()}};
    if (check.problem.empty()) {
      row["distance"] = check.distance;
      row["allowed"] = check.allowed;
    } else {
      row["problem"] = check.problem;
    }
    json["checks"].push_back(std::move(row));
  }
  return json;
}

std::optional<std::string> doubt_about_metal(std::string_view gpu, const std::filesystem::path& kept) {
  std::ifstream file(kept);
  const Json verdict = Json::parse(file, nullptr, false);  // no file, or no JSON: as if there were none
  if (!verdict.is_object()) {
    return fmt::format("nobody has checked yet whether {} computes what it should: `rung metal-check` does", gpu);
  }
  if (string_in(verdict, "gpu") != gpu || string_in(verdict, "system") != system_name() ||
      string_in(verdict, "rung") != RUNG_VERSION) {
    return "`rung metal-check` has last looked at another GPU, system or version of Rung: run it again";
  }
  const auto passed = verdict.find("passed");
  if (passed != verdict.end() && *passed == true) return std::nullopt;
  return fmt::format("`rung metal-check` found that {} does not compute what it should: take --device cpu", gpu);
}

}  // namespace rung
