// Attention, plainly, with one of its parts done by somebody else: for exercises that are a part of it.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "ops/ops.h"

namespace rung::learn {

struct Seams;

// Rows of a batch that follow each other in one sequence: row begin + i stands at position first + i.
struct Run {
  std::size_t begin, count, first;
  KvCache* cache;
};
std::vector<Run> runs_of(const BatchRows& rows);

// What is empty is Rung's own.
struct AttentionParts {
  // One token, one head: q [d], keys and values [n, d] of what it sees → out [d]. The other parts are then idle.
  std::function<void(std::span<float> out, std::span<const float> q, std::span<const float> keys,
                     std::span<const float> values, float scale)>
      head = {};
  // scores [tokens, keys]: row t stands at position first + t, column j at j.
  std::function<void(std::span<float> scores, std::size_t tokens, std::size_t keys, std::size_t first)> mask = {};
  std::function<void(std::span<float> scores)> softmax = {};  // in place
  std::function<std::size_t(std::size_t head, std::size_t heads, std::size_t kv_heads)> key_head = {};
  std::function<std::size_t(std::size_t position, std::size_t window)> first_seen = {};
};

// Adds a part to what attends: other learners' parts that are there stay.
void place_part(Seams& seams, const std::function<void(AttentionParts& parts)>& add);

void attend_in_parts(const AttentionParts& parts, Tensor<float, Tokens, Heads, HeadDim> out,
                     Tensor<const float, Tokens, Heads, HeadDim> q, const BatchRows& rows, std::size_t layer,
                     const AttentionSettings& settings);

}  // namespace rung::learn
