#include "learn/seams.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/utf8.h"
#include "engine/chat_prompt.h"
#include "model/forward.h"
#include "model/tensor_table.h"
#include "tensor/blocks.h"

namespace rung::learn {

namespace {

constexpr std::uint64_t kSeed = 7;
constexpr std::size_t kDecodedAlone = 3;  // of a trace: tokens that go through one at a time, as an answer's do

// What comes after the model's last token: the text that may be shown, and whether that is the end.
class Shown {
 public:
  Shown(const Seams& seams, const Tokenizer& tokenizer, const TellOptions& options, Story& story)
      : seams_(seams),
        tokenizer_(tokenizer),
        options_(options),
        story_(story),
        stream_(tokenizer),
        matcher_(seams.stops) {}

  void prompt(std::span<const TokenId> ids) {
    for (const TokenId id : ids) give(text_of(id));
    story_.prompt_bytes = story_.text.size();
    in_answer_ = true;
  }
  void answer(TokenId id) { give_until_stop(text_of(id)); }
  void finish() {
    if (!seams_.decode) give_until_stop(stream_.finish());
    if (stopped_) return;
    give(seams_.stop ? std::exchange(unsure_, "") : matcher_.finish());
  }
  bool stopped() const { return stopped_; }

 private:
  std::string text_of(TokenId id) {
    if (!seams_.decode) return stream_.push(id);
    return tokenizer_.is_special(id) ? "" : seams_.decode(held_, tokenizer_.piece(id));
  }
  void give(const std::string& text) {
    story_.text += text;
    if (text.empty()) return;
    if (options_.text) options_.text(text);
    if (options_.answer && in_answer_) options_.answer(text);
  }
  void give_until_stop(const std::string& text) {
    if (!seams_.stop) {
      give(matcher_.push(text));
      stopped_ = matcher_.stopped();
      return;
    }
    unsure_ += text;
    const StopAnswer answer = seams_.stop(unsure_, seams_.stops);
    const std::size_t certain = std::min(answer.certain, unsure_.size());
    give(unsure_.substr(0, certain));
    unsure_.erase(0, certain);
    stopped_ = answer.stopped;
  }

  const Seams& seams_;
  const Tokenizer& tokenizer_;
  const TellOptions& options_;
  Story& story_;
  Tokenizer::Stream stream_;
  StopMatcher matcher_;
  std::string held_;    // bytes of a character that is not whole
  std::string unsure_;  // text that may begin a stop string
  bool in_answer_ = false;
  bool stopped_ = false;
};

void step() {
  if (on_step != nullptr) on_step();
}

std::vector<float> decoded(const PackedMatrix& matrix) {
  std::vector<float> values(matrix.rows * matrix.columns);
  for (std::size_t r = 0; r < matrix.rows; ++r) {
    decode_row({&values[r * matrix.columns], matrix.columns}, matrix.dtype, matrix.row(r));
  }
  return values;
}

template <class Rows>
std::vector<float> gathered(const KvCache& cache, std::size_t count, const Rows& rows) {
  const std::size_t head_dim = cache.shape().head_dim;
  std::vector<float> all(count * head_dim), scratch(kKvBlock * head_dim);
  for (std::size_t first = 0; first < count; first += kKvBlock) {
    const std::size_t here = std::min(kKvBlock, count - first);
    const float* const block = rows(first / kKvBlock, here, scratch.data());
    std::copy_n(block, here * head_dim, all.begin() + static_cast<std::ptrdiff_t>(first * head_dim));
  }
  return all;
}

}  // namespace

std::span<const float> floats_of(const PackedMatrix& matrix, std::vector<float>& scratch) {
  if (matrix.dtype == DType::f32 && matrix.neighbours_head_dim == 0) {
    return {reinterpret_cast<const float*>(matrix.data), matrix.rows * matrix.columns};
  }
  scratch = decoded(matrix);
  return scratch;
}

std::vector<float> keys_of(const KvCache& cache, std::size_t layer, std::size_t kv_head, std::size_t count) {
  return gathered(cache, count, [&](std::size_t block, std::size_t here, float* scratch) {
    return cache.keys(layer, block, kv_head, here, scratch);
  });
}

std::vector<float> values_of(const KvCache& cache, std::size_t layer, std::size_t kv_head, std::size_t count) {
  return gathered(cache, count, [&](std::size_t block, std::size_t here, float* scratch) {
    return cache.values(layer, block, kv_head, here, scratch);
  });
}

struct SeamedEngine::InFloats {
  Model model;
  std::vector<std::vector<float>> values;

  InFloats(const LoadedModel& files, const Seams& seams)
      : model(bind_weights(files.files().plan(), files.files().tensors())) {
    for_each_tensor(model, [&](const TensorEntry&, LayerIndex, auto& place) {
      if constexpr (requires { place.matrix; }) convert(place.matrix, files, seams);
    });
    if (model.tied) {
      const PackedMatrix& table = model.embedding.matrix;
      model.head.matrix.dtype = table.dtype;
      model.head.matrix.data = table.data;
    }
  }

  void convert(PackedMatrix& matrix, const LoadedModel& files, const Seams& seams) {
    values.push_back(decoded(matrix));
    if (seams.load) seams.load(files, matrix, values.back());
    matrix.dtype = DType::f32;
    matrix.neighbours_head_dim = 0;
    matrix.data = reinterpret_cast<const std::byte*>(values.back().data());
    step();
  }
};

SeamedEngine::SeamedEngine(Seams seams, std::unique_ptr<const LoadedModel> model, std::size_t threads,
                           std::size_t context)
    : seams_(std::move(seams)),
      files_(model ? std::move(model) : std::make_unique<const LoadedModel>(ModelFiles::pebble())),
      in_floats_(seams_.load || seams_.verbs.embed || seams_.verbs.linear ? std::make_unique<InFloats>(*files_, seams_)
                                                                          : nullptr),
      device_(seams_.device, threads, seams_.cache_type),
      ops_(device_.ops(), seams_.verbs),
      session_(used(), ops_, {.context = context}) {
  step();
}

SeamedEngine::~SeamedEngine() = default;

const Model& SeamedEngine::used() const { return in_floats_ ? in_floats_->model : files_->model(); }

std::vector<TokenId> SeamedEngine::encode(std::string_view text) const {
  const Tokenizer& tokenizer = files_->tokenizer();
  if (!seams_.encode) return encode_prompt(tokenizer, text);
  // Rung's own refuses it by itself; a learner's function, and what goes with it, is not made for it.
  if (const auto bad = find_invalid_utf8(text)) fail("text: byte {} is no valid UTF-8", *bad);
  std::vector<TokenId> ids = seams_.encode(*files_, text);
  step();
  if (tokenizer.adds_bos() && tokenizer.bos()) ids.insert(ids.begin(), *tokenizer.bos());
  return ids;
}

std::vector<float> SeamedEngine::trace(std::span<const TokenId> ids, const TracedOps::Listener& listener) {
  check_ids(ids, used().config);
  TracedOps traced(ops_, listener);
  KvCache cache(kv_shape(used().config, seams_.cache_type));
  Forward forward(used(), traced, ids.size());
  const std::size_t alone = std::min(kDecodedAlone, ids.size() - std::min<std::size_t>(ids.size(), 1));
  std::vector<float> last;
  for (std::size_t at = 0; at < ids.size();) {
    const std::size_t count = at == 0 ? ids.size() - alone : 1;
    Batch batch;
    batch.add(ids.subspan(at, count), at, cache, [](std::size_t) { return true; });
    const auto logits = forward.run(batch);
    const auto row = logits[count - 1].span();
    last.assign(row.begin(), row.end());
    at += count;
    step();
  }
  return last;
}

std::span<const float> SeamedEngine::become(std::span<const TokenId> ids) {
  if (!seams_.reuse || ids.empty()) return session_.become(ids);
  const std::size_t kept = seams_.reuse(session_.tokens(), ids);
  // What is beyond cannot be kept, and the last token's logits are wanted: so it is computed in any case.
  session_.rewind(std::min({kept, session_.tokens().size(), ids.size() - 1}));
  return session_.feed(ids.subspan(session_.tokens().size()));
}

TokenId SeamedEngine::choose(std::span<const float> logits, Sampler& sampler, Random& random) const {
  if (!seams_.choose) return sampler.sample(logits, {.tokens = session_.tokens()});
  return seams_.choose(logits, random);
}

Story SeamedEngine::tell(const TellOptions& options) {
  Story story;
  story.prompt = encode(options.prompt);
  check_ids(story.prompt, used().config);
  Shown shown(seams_, files_->tokenizer(), options, story);
  Sampler sampler(options.sampling, files_->stop_ids());
  Random random(options.sampling.seed.value_or(kSeed));
  shown.prompt(story.prompt);
  const Clock::time_point begin = Clock::now();
  std::span<const float> logits = become(story.prompt);
  story.prefill = {story.prompt.size(), seconds_since(begin)};
  const Clock::time_point start = Clock::now();
  std::size_t passes = 0;
  for (;;) {
    const TokenId id = choose(logits, sampler, random);
    if (files_->stop_ids().contains(id)) {
      story.reason = StopReason::end_of_text;
      break;
    }
    check_ids({&id, 1}, used().config);
    story.ids.push_back(id);
    shown.answer(id);
    if (shown.stopped() || session_.tokens().size() == session_.context()) {
      story.reason = shown.stopped() ? StopReason::stop_string : StopReason::context_full;
      break;
    }
    if (story.ids.size() == options.tokens) break;
    logits = session_.feed({&id, 1});
    ++passes;
    step();
  }
  shown.finish();
  if (shown.stopped()) story.reason = StopReason::stop_string;
  story.decode = {passes, seconds_since(start)};
  return story;
}

}  // namespace rung::learn
