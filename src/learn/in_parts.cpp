#include "learn/in_parts.h"

#include <algorithm>

#include "kernels/scalar/scalar.h"
#include "learn/seams.h"

namespace rung::learn {

namespace {

void rungs_softmax(std::span<float> scores) {
  const float sum = scalar::kernels.exponentiate(scores.data(), scores.size()).sum;
  for (float& s : scores) s /= sum;
}

// One head of a run: all its tokens' scores at once.
class HeadOfRun {
 public:
  HeadOfRun(const AttentionParts& parts, const Run& run, std::size_t layer, std::size_t kv_head,
            const AttentionSettings& settings)
      : parts_(parts),
        run_(run),
        settings_(settings),
        head_dim_(run.cache->shape().head_dim),
        seen_(run.first + run.count),
        keys_(keys_of(*run.cache, layer, kv_head, seen_)),
        values_(values_of(*run.cache, layer, kv_head, seen_)) {}

  void attend(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
              std::size_t h) const {
    std::vector<float> scores(run_.count * seen_);
    for (std::size_t t = 0; t < run_.count; ++t) {
      for (std::size_t j = 0; j < seen_; ++j) {
        scores[t * seen_ + j] =
            settings_.scale * scalar::kernels.dot(q[run_.begin + t][h].data(), &keys_[j * head_dim_], head_dim_);
      }
    }
    if (parts_.mask) parts_.mask(scores, run_.count, seen_, run_.first);
    for (std::size_t t = 0; t < run_.count; ++t) {
      const std::size_t begin = first_seen(t), end = parts_.mask ? seen_ : run_.first + t + 1;
      const std::span<float> row = std::span(scores).subspan(t * seen_ + begin, end - begin);
      parts_.softmax ? parts_.softmax(row) : rungs_softmax(row);
      const std::span<float> mixed = out[run_.begin + t][h].span();
      std::fill(mixed.begin(), mixed.end(), 0.0f);
      for (std::size_t j = begin; j < end; ++j) {
        scalar::kernels.add_scaled(mixed.data(), row[j - begin], &values_[j * head_dim_], head_dim_);
      }
    }
  }

  // The whole head is somebody else's.
  void attend_alone(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                    std::size_t h) const {
    for (std::size_t t = 0; t < run_.count; ++t) {
      const std::size_t begin = first_seen(t) * head_dim_, count = (run_.first + t + 1) * head_dim_ - begin;
      parts_.head(out[run_.begin + t][h].span(), q[run_.begin + t][h].span(), std::span(keys_).subspan(begin, count),
                  std::span(values_).subspan(begin, count), settings_.scale);
    }
  }

 private:
  // Never behind the token itself, whatever anybody answers: there would be nothing to attend to.
  std::size_t first_seen(std::size_t t) const {
    const std::size_t position = run_.first + t, window = settings_.window_tokens;
    if (parts_.first_seen) return std::min(parts_.first_seen(position, window), position);
    return window != 0 && position + 1 > window ? position + 1 - window : 0;
  }

  const AttentionParts& parts_;
  const Run& run_;
  const AttentionSettings& settings_;
  std::size_t head_dim_, seen_;
  std::vector<float> keys_, values_;  // [seen, head_dim]
};

}  // namespace

namespace {

// What stands in the seam, so that another part can be added to it.
struct InParts {
  AttentionParts parts;
  void operator()(Tensor<float, Tokens, Heads, HeadDim> out, Tensor<const float, Tokens, Heads, HeadDim> q,
                  const BatchRows& rows, std::size_t layer, const AttentionSettings& settings) const {
    attend_in_parts(parts, out, q, rows, layer, settings);
  }
};

}  // namespace

void place_part(Seams& seams, const std::function<void(AttentionParts& parts)>& add) {
  const InParts* const there = seams.verbs.attention.target<InParts>();
  InParts all = there == nullptr ? InParts{} : *there;
  add(all.parts);
  seams.verbs.attention = std::move(all);
}

std::vector<Run> runs_of(const BatchRows& rows) {
  std::vector<Run> runs;
  for (std::size_t t = 0; t < rows.size(); ++t) {
    const bool goes_on = !runs.empty() && runs.back().cache == rows.caches[t] &&
                         runs.back().first + runs.back().count == rows.positions[t];
    if (goes_on) {
      ++runs.back().count;
    } else {
      runs.push_back({t, 1, rows.positions[t], rows.caches[t]});
    }
  }
  return runs;
}

void attend_in_parts(const AttentionParts& parts, Tensor<float, Tokens, Heads, HeadDim> out,
                     Tensor<const float, Tokens, Heads, HeadDim> q, const BatchRows& rows, std::size_t layer,
                     const AttentionSettings& settings) {
  const std::size_t heads = q.extent<Heads>();
  for (const Run& run : runs_of(rows)) {
    const std::size_t kv_heads = run.cache->shape().kv_heads;
    for (std::size_t h = 0; h < heads; ++h) {
      const std::size_t chosen = parts.key_head ? parts.key_head(h, heads, kv_heads) : h * kv_heads / heads;
      const HeadOfRun head(parts, run, layer, std::min(chosen, kv_heads - 1), settings);
      parts.head ? head.attend_alone(out, q, h) : head.attend(out, q, h);
    }
  }
}

}  // namespace rung::learn
