// The same bits whatever the company: threads, chunks, other sequences in the batch, with the cache or without.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "downloads.h"
#include "engine/device.h"
#include "engine/session.h"
#include "model/golden_model.h"
#include "model_path.h"

namespace rung {
namespace {

// Long enough to cross two blocks of attention, and every window of the tiny models. (Longer ones:
// tests/ops/long_attention_test.cpp.)
constexpr std::size_t kTokens = 150;

std::vector<std::int32_t> some_ids(std::size_t count, std::size_t vocab, std::uint32_t seed) {
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < count; ++i) {
    seed = seed * 1664525u + 1013904223u;
    ids.push_back(static_cast<std::int32_t>((seed >> 8) % vocab));
  }
  return ids;
}

using Values = std::vector<float>;
Values copy(std::span<const float> x) { return {x.begin(), x.end()}; }

struct Case {
  std::string device;
  std::string model;  // of tests/golden/models, or pebble, or kReal
  DType cache;
};

const std::string kReal = "smollm2.gguf";

std::filesystem::path path_of(const std::string& model) { return model == kReal ? download(model) : model_path(model); }

class Bits : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (GetParam().model == kReal) {
      RUNG_NEEDS_DOWNLOAD(kReal);
    }
    files_.emplace(path_of(GetParam().model));
    model_ = bind_weights(files_->plan, files_->tensors());
    ids_ = some_ids(kTokens, model_.config.vocab_size, 7);
  }

  // The logits after all of ids_, fed in pieces of `chunk`.
  Values last_logits(std::size_t threads, std::size_t chunk, bool keep_cache = true) {
    Device device(GetParam().device, threads, GetParam().cache);
    Session session(model_, device.ops(), {.keep_cache = keep_cache, .chunk_tokens = chunk});
    return copy(session.feed(ids_));
  }

  std::optional<GoldenFiles> files_;
  Model model_;
  std::vector<std::int32_t> ids_;
};

TEST_P(Bits, AreTheSameForAnyNumberOfThreads) {
  const Values one = last_logits(1, kTokens);
  for (const std::size_t threads : {2u, 3u, 4u}) EXPECT_EQ(last_logits(threads, kTokens), one) << threads << " threads";
}

TEST_P(Bits, AreTheSameForAnyChunkOfThePrefill) {
  const Values whole = last_logits(2, kTokens);
  for (const std::size_t chunk : {1u, 3u, 64u}) EXPECT_EQ(last_logits(2, chunk), whole) << "chunks of " << chunk;
}

TEST_P(Bits, AreTheSameWithAndWithoutTheCache) {
  Device device(GetParam().device, 2, GetParam().cache);
  Session cached(model_, device.ops());
  Session uncached(model_, device.ops(), {.keep_cache = false, .chunk_tokens = 64});
  cached.feed(std::span(ids_).first(70));
  uncached.feed(std::span(ids_).first(70));
  for (std::size_t i = 70; i < 80; ++i) {
    const Values with = copy(cached.feed(std::span(ids_).subspan(i, 1)));
    EXPECT_EQ(copy(uncached.feed(std::span(ids_).subspan(i, 1))), with) << "token " << i;
  }
}

TEST_P(Bits, AreTheSameWhenTheSessionWentBackAndReusedItsBeginning) {
  Device device(GetParam().device, 2, GetParam().cache);
  Session session(model_, device.ops());
  std::vector<std::int32_t> other(ids_.begin(), ids_.begin() + 67);
  other.insert(other.end(), {1, 2, 3, 4, 5});
  session.become(other);
  EXPECT_EQ(copy(session.become(ids_)), last_logits(2, kTokens));
  EXPECT_EQ(copy(session.become(ids_)), last_logits(2, kTokens)) << "the same tokens once more";
}

// One batch of a 7-row prefill, a 1-row prefill and two decodes of other sequences is what the four would be alone.
TEST_P(Bits, AreTheSameInABatchOfSeveralSequences) {
  Device device(GetParam().device, 2, GetParam().cache);
  const ModelConfig& config = model_.config;
  struct Sequence {
    std::vector<std::int32_t> ids;
    std::size_t already;  // how many of them the cache holds before
    KvCache cache;
  };
  std::vector<Sequence> sequences;
  sequences.push_back({some_ids(7, config.vocab_size, 1), 0, KvCache(kv_shape(config, GetParam().cache))});
  sequences.push_back({some_ids(1, config.vocab_size, 2), 0, KvCache(kv_shape(config, GetParam().cache))});
  sequences.push_back({some_ids(66, config.vocab_size, 3), 65, KvCache(kv_shape(config, GetParam().cache))});
  sequences.push_back({some_ids(130, config.vocab_size, 4), 129, KvCache(kv_shape(config, GetParam().cache))});

  Forward forward(model_, device.ops());
  Batch together;
  for (Sequence& s : sequences) {
    Batch before;
    for (std::size_t i = 0; i < s.already; ++i) before.add(s.ids[i], static_cast<std::uint32_t>(i), s.cache);
    if (s.already > 0) forward.run(before);
    for (std::size_t i = s.already; i < s.ids.size(); ++i) {
      together.add(s.ids[i], static_cast<std::uint32_t>(i), s.cache, i + 1 == s.ids.size());
    }
  }
  const auto logits = forward.run(together);
  ASSERT_EQ(logits.extent<Tokens>(), sequences.size());

  std::vector<Values> of_batch;
  for (std::size_t s = 0; s < sequences.size(); ++s) of_batch.push_back(copy(logits[s].span()));
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    Session alone(model_, device.ops());
    EXPECT_EQ(copy(alone.feed(sequences[s].ids)), of_batch[s]) << "sequence " << s;
  }
}

TEST_P(Bits, ShowThatTheCacheRounds) {
  Device device(GetParam().device, 2);
  Session unrounded(model_, device.ops(), {.cache_type = DType::f32});
  const Values exact = copy(unrounded.feed(ids_));
  if (GetParam().cache == DType::f32) {
    EXPECT_EQ(last_logits(2, kTokens), exact);
  } else {
    EXPECT_NE(last_logits(2, kTokens), exact);
  }
}

std::string name_of(const testing::TestParamInfo<Case>& parameter) {
  std::string name =
      parameter.param.device + "_" + parameter.param.model + "_" + std::string(rung::info(parameter.param.cache).name);
  for (const char c : {'-', '.'}) std::replace(name.begin(), name.end(), c, '_');
  return name;
}

}  // namespace
}  // namespace rung
