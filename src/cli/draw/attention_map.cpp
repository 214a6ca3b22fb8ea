#include "cli/draw/attention_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/utf8.h"
#include "cli/pieces.h"
#include "cli/terminal.h"
#include "ops/attention_weights.h"

namespace rung {

namespace {

constexpr std::size_t kMostTokens = 1024;  // a megabyte of weights a head
constexpr std::size_t kLabelColumns = 14;

// "  lantern  7 ", cut to kLabelColumns.
std::string row_label(TokenId id, std::size_t index, const Tokenizer& tokenizer) {
  std::string piece;
  for (const char c : visible(tokenizer.piece(id))) c == ' ' ? piece += "·" : piece += c;
  const std::string number = fmt::format("{:>4} ", index);
  const std::size_t room = kLabelColumns - number.size();
  while (display_columns(piece) > room) {
    piece.resize(static_cast<std::size_t>(previous_utf8(piece.data() + piece.size()) - piece.data()));
  }
  return std::string(room - display_columns(piece), ' ') + piece + number;
}

// One cell, two columns wide. The square root lets small weights be seen.
std::string cell(float weight) {
  const double shade = std::sqrt(static_cast<double>(weight));
  if (style().reset.empty()) {
    constexpr std::string_view kShades[] = {"  ", "··", "░░", "▒▒", "▓▓", "██"};
    return std::string(kShades[static_cast<std::size_t>(std::lround(shade * 5))]);
  }
  constexpr int kColours[] = {16, 17, 18, 54, 90, 126, 162,
                              // of the 256 that terminals know: black, violet, yellow
                              198, 203, 209, 215, 221, 227, 230};
  return fmt::format("\033[48;5;{}m  ",
                     kColours[static_cast<std::size_t>(std::lround(shade * (std::size(kColours) - 1)))]);
}

}  // namespace

AttentionMaps::AttentionMaps(const ModelConfig& config, std::span<const TokenId> ids, const Tokenizer& tokenizer,
                             bool json)
    : config_(config), ids_(ids), tokenizer_(tokenizer), json_(json) {
  if (ids.size() > kMostTokens) fail("the text has {} tokens, --heads shows at most {}", ids.size(), kMostTokens);
}

void AttentionMaps::look_at(const Checkpoint& at, const NamedTensor& x) {
  const std::string_view name = at.name;
  if (name == "q_rope") q_.assign(x.values.begin(), x.values.end());
  if (name != "k_rope") return;
  const auto layer = static_cast<std::size_t>(at.layer);
  const Tensor<const float, Tokens, Heads, HeadDim> q(q_.data(), {ids_.size(), config_.heads, config_.head_dim});
  const Tensor<const float, Tokens, KvHeads, HeadDim> k(x.values.data(),
                                                        {ids_.size(), config_.kv_heads, config_.head_dim});
  const std::vector<float> weights = attention_weights(q, k, config_.layers[layer].attention);
  const std::size_t square = ids_.size() * ids_.size();
  for (std::size_t head = 0; head < config_.heads; ++head) {
    show(layer, head, std::span(weights).subspan(head * square, square));
  }
}

void AttentionMaps::show(std::size_t layer, std::size_t head, std::span<const float> weights) {
  if (!json_) return draw(layer, head, weights);
  OrderedJson rows = OrderedJson::array();
  for (std::size_t t = 0; t < ids_.size(); ++t) {
    const auto row = weights.subspan(t * ids_.size(), t + 1);  // what comes after a token it cannot see
    rows.push_back(std::vector<float>(row.begin(), row.end()));
  }
  maps_.push_back({{"layer", layer}, {"head", head}, {"weights", std::move(rows)}});
}

void AttentionMaps::draw(std::size_t layer, std::size_t head, std::span<const float> weights) const {
  const std::size_t room = terminal_columns() < kLabelColumns + 2 ? 1 : (terminal_columns() - kLabelColumns) / 2;
  const std::size_t first = ids_.size() - std::min(ids_.size(), room);  // where not all fit, the last ones
  write_out(fmt::format("{}layer {} head {}{}{}\n", style().bold, layer, head, style().reset,
                        first == 0 ? "" : fmt::format(": the last {} of {} tokens", ids_.size() - first, ids_.size())));
  std::string numbers(kLabelColumns + 2 * (ids_.size() - first) + 4, ' ');
  for (std::size_t j = (first + 4) / 5 * 5; j < ids_.size(); j += 5) {  // every fifth has room for its number
    const std::string number = std::to_string(j);
    numbers.replace(kLabelColumns + 2 * (j - first), number.size(), number);
  }
  numbers.erase(numbers.find_last_not_of(' ') + 1);
  write_out(fmt::format("{}{}{}\n", style().dim, numbers, style().reset));
  for (std::size_t t = first; t < ids_.size(); ++t) {
    std::string line = row_label(ids_[t], t, tokenizer_);
    for (std::size_t j = first; j <= t; ++j) line += cell(weights[t * ids_.size() + j]);
    write_out(fmt::format("{}{}\n", line, style().reset));
  }
  write_out("\n");
}

void AttentionMaps::finish() {
  if (!json_) return;
  OrderedJson pieces = OrderedJson::array();
  for (const TokenId id : ids_) pieces.push_back(tokenizer_.piece(id));
  write_line({{"ids", std::vector<TokenId>(ids_.begin(), ids_.end())},
              {"pieces", std::move(pieces)},
              {"attention", std::move(maps_)}});
}

}  // namespace rung
