#include "measure/bench_runs.h"

#include <algorithm>

#include "base/signals.h"
#include "engine/session.h"
#include "model/forward.h"

namespace rung {

namespace {

constexpr double kEnoughSeconds = 0.25;

// Tokens, keys and values without a meaning: speed does not depend on it.
std::vector<std::int32_t> synthetic_tokens(std::size_t count, std::size_t vocab_size) {
  std::vector<std::int32_t> ids(count);
  for (std::size_t i = 0; i < count; ++i) ids[i] = static_cast<std::int32_t>((i * 7919 + 1) % vocab_size);
  return ids;
}

void fill(KvCache& cache, std::size_t tokens, Ops& ops) {
  const KvShape& shape = cache.shape();
  std::vector<float> values(shape.kv_heads * shape.head_dim);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 37 % 101) / 101.0f - 0.5f;
  const Tensor<const float, KvHeads, HeadDim> head(values.data(), {shape.kv_heads, shape.head_dim});
  cache.reserve(tokens, ops);
  for (std::size_t layer = 0; layer < shape.layers; ++layer) {
    for (std::size_t t = 0; t < tokens; ++t) cache.store(layer, t, head, head);
  }
}

bool go_on(std::size_t, std::size_t) {
  SignalWatch::check();
  return true;
}

bool enough(const BenchCase& what, std::size_t tokens, double seconds) {
  return what.tokens != 0 ? tokens == what.tokens : tokens == what.at_most || (tokens > 0 && seconds > kEnoughSeconds);
}

// A prompt, in the pieces that a session makes of it.
class Prefill : public BenchRun {
 public:
  Prefill(const BenchSetting& setting, const BenchCase& what)
      : BenchRun(setting, what),
        ids_(synthetic_tokens(what.tokens, setting.model.config.vocab_size)),
        session_(setting.model, setting.ops, {.context = setting.context}) {}

  Once run_once() override {
    session_.rewind(0);
    const Clock::time_point begin = start();
    session_.feed(ids_, go_on);
    return {ids_.size(), seconds_since(begin)};
  }

 protected:
  PassCost cost(std::size_t tokens) const override {
    PassCost sum;
    const std::size_t chunk = SessionOptions{}.chunk_tokens;
    const KvShape cache = kv_shape(setting_.model.config, setting_.ops.cache_type());
    for (std::size_t at = 0; at < tokens; at += chunk) {
      const std::size_t now = std::min(chunk, tokens - at);
      sum +=
          cost_of(setting_.model, cache, {.sequences = 1, .before = at, .tokens = now, .logits = at + now == tokens});
    }
    return sum;
  }

 private:
  std::vector<std::int32_t> ids_;
  Session session_;
};

// Sequences that write a token each, again and again, in one batch.
class Decode : public BenchRun {
 public:
  Decode(const BenchSetting& setting, const BenchCase& what)
      : BenchRun(setting, what), forward_(setting.model, setting.ops, setting.context) {
    for (std::size_t s = 0; s < what.batch; ++s) {
      caches_.emplace_back(kv_shape(setting.model.config, setting.ops.cache_type()));
      fill(caches_.back(), what.context, setting.ops);
    }
  }

  Once run_once() override {
    std::size_t tokens = 0;
    double seconds = 0;
    for (KvCache& cache : caches_) cache.truncate(what_.context);
    const Clock::time_point begin = start();
    while (!enough(what_, tokens, seconds)) {
      write(tokens++);
      seconds = seconds_since(begin);
      SignalWatch::check();
    }
    return {tokens, seconds};
  }

  std::optional<InTurns> run_once_in_turns(CeilingMeter& meter) override {
    std::size_t tokens = 0;
    CeilingMeter::Reading steps, reads;
    const auto step_bytes = static_cast<std::size_t>(cost(1).bytes());
    for (KvCache& cache : caches_) cache.truncate(what_.context);
    while (!enough(what_, tokens, steps.seconds)) {
      const Clock::time_point begin = Clock::now();
      write(tokens++);
      steps.seconds += seconds_since(begin);
      reads += meter.read_some(step_bytes);
      SignalWatch::check();
    }
    steps.bytes = cost(tokens).bytes();
    return InTurns{.gb_per_s = steps.gb_per_s(), .read_gb_per_s = reads.gb_per_s()};
  }

 protected:
  PassCost cost(std::size_t tokens) const override {
    PassCost sum;
    for (std::size_t t = 0; t < tokens; ++t) {
      sum += cost_of(setting_.model, caches_[0].shape(),
                     {.sequences = what_.batch, .before = what_.context + t, .tokens = 1});
    }
    return sum;
  }

 private:
  // A token of each sequence, after `tokens` others.
  void write(std::size_t tokens) {
    Batch batch;
    for (std::size_t s = 0; s < caches_.size(); ++s) {
      const std::size_t id = (tokens * what_.batch + s) * 7919 % setting_.model.config.vocab_size;
      batch.add(static_cast<std::int32_t>(id), static_cast<std::uint32_t>(what_.context + tokens), caches_[s], true);
    }
    forward_.run(batch);
  }

  Forward forward_;
  std::vector<KvCache> caches_;
};

// Without the cache: every token reads all that is before it again.
class DecodeAnew : public BenchRun {
 public:
  DecodeAnew(const BenchSetting& setting, const BenchCase& what)
      : BenchRun(setting, what),
        ids_(synthetic_tokens(what.context + (what.tokens == 0 ? what.at_most : what.tokens),
                              setting.model.config.vocab_size)) {}

  Once run_once() override {
    Session session(setting_.model, setting_.ops, {.context = setting_.context, .keep_cache = false});
    if (what_.context > 0) session.feed(std::span(ids_).first(what_.context), go_on);
    std::size_t tokens = 0;
    double seconds = 0;
    const Clock::time_point begin = start();
    while (!enough(what_, tokens, seconds)) {
      session.feed(std::span(ids_).subspan(what_.context + tokens, 1), go_on);
      ++tokens;
      seconds = seconds_since(begin);
    }
    return {tokens, seconds};
  }

 protected:
  PassCost cost(std::size_t tokens) const override {
    PassCost sum;
    const std::size_t chunk = SessionOptions{}.chunk_tokens;
    const KvShape cache = kv_shape(setting_.model.config, setting_.ops.cache_type());
    for (std::size_t t = 0; t < tokens; ++t) {
      const std::size_t all = what_.context + t + 1;
      for (std::size_t at = 0; at < all; at += chunk) {
        const std::size_t now = std::min(chunk, all - at);
        sum += cost_of(setting_.model, cache, {.sequences = 1, .before = at, .tokens = now, .logits = at + now == all});
      }
    }
    return sum;
  }

 private:
  std::vector<std::int32_t> ids_;
};

}  // namespace

Limit limit_of(const PassCost& cost, const Ceilings& ceilings) {
  return {.memory_seconds = cost.bytes() / (ceilings.read_gb_per_s * 1e9),
          .compute_seconds = cost.int8_operations / (ceilings.int8_gop_per_s * 1e9) +
                             cost.bf16_operations / (ceilings.bf16_gflop_per_s * 1e9) +
                             cost.float_operations / (ceilings.f32_gflop_per_s * 1e9)};
}

void BenchRun::run() {
  runs_.push_back(run_once());
  if (setting_.clocks != nullptr) runs_.back().times = setting_.clocks->times();
}

void BenchRun::run_in_turns(CeilingMeter& meter) {
  const std::optional<InTurns> once = run_once_in_turns(meter);
  if (!once) return;
  const auto less = [](const InTurns& a, const InTurns& b) { return a.share() < b.share(); };
  runs_in_turns_.insert(std::upper_bound(runs_in_turns_.begin(), runs_in_turns_.end(), *once, less), *once);
}

BenchResult BenchRun::result() const {
  std::vector<Once> sorted = runs_;
  std::sort(sorted.begin(), sorted.end(), [](const Once& a, const Once& b) {
    return a.seconds * static_cast<double>(b.tokens) < b.seconds * static_cast<double>(a.tokens);
  });
  const Once& median = sorted[sorted.size() / 2];
  return {.what = what_,
          .tokens = median.tokens * what_.batch,
          .seconds = median.seconds,
          .cost = cost(median.tokens),
          .times = median.times,
          .in_turns = runs_in_turns_.empty() ? std::nullopt : std::optional(runs_in_turns_[runs_in_turns_.size() / 2])};
}

std::unique_ptr<BenchRun> make_bench_run(const BenchSetting& setting, const BenchCase& what) {
  if (what.prefill) return std::make_unique<Prefill>(setting, what);
  if (!setting.keep_cache) return std::make_unique<DecodeAnew>(setting, what);
  return std::make_unique<Decode>(setting, what);
}

}  // namespace rung
