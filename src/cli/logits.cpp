// `rung logits`: a text → what may come next, and how likely.  Milestone M2.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "cli/command.h"
#include "cli/pieces.h"
#include "cli/positive.h"
#include "cli/terminal.h"
#include "engine/chat_prompt.h"
#include "engine/device.h"
#include "engine/likeliest.h"
#include "engine/sampler.h"
#include "files/write_safetensors.h"
#include "model/forward.h"

namespace rung {

namespace {

class Logits : public Command {
 public:
  const char* name() const override { return "logits"; }
  const char* summary() const override { return "the likeliest next tokens of a text"; }
  const char* example() const override { return "rung logits \"There was a\""; }

  void add_options(Options& options) override {
    text_.add(options, "the text (default: standard input)");
    model_.add(options);
    run_.add(options, false);
    options.add("--top", top_, "how many to show").type_name("N").show_default().check(positive);
    options.add("--out", out_, "write the logits after every token: tensor `logits` [tokens, vocab], f32")
        .type_name("FILE.safetensors");
    options.add("--json", json_, "one JSON object");
  }

  int run() override {
    const std::string text = text_.read();
    const LoadedModel model = model_.load();
    const std::vector<TokenId> ids = encode_prompt(model.tokenizer(), text);
    if (ids.empty()) fail("the text is empty: nothing comes before the next token");
    if (ids.size() > model.model().config.longest_context()) {
      fail("the text has {} tokens, the context holds {}", ids.size(), model.model().config.longest_context());
    }
    Device device = run_.open_device();
    Forward forward(model.model(), device.ops(), ids.size());
    KvCache cache(kv_shape(model.model().config, device.ops().cache_type()));
    Batch batch;
    batch.add(ids, 0, cache, [&](std::size_t i) { return !out_.empty() || i + 1 == ids.size(); });
    const auto logits = forward.run(batch);
    refuse_overflow(logits, cache);
    if (!out_.empty()) {
      const OutputTensor all{
          "logits", {logits.extent<Tokens>(), logits.extent<Vocab>()}, {Tokens::name, Vocab::name}, logits.span()};
      write_safetensors(out_, {&all, 1});
    }
    check_logits(logits[logits.extent<Tokens>() - 1].span());
    const std::vector<Likely> choices = likeliest(logits[logits.extent<Tokens>() - 1].span(), top_);
    json_ ? print_json(choices, model.tokenizer(), ids) : print_bars(choices, model.tokenizer());
    return 0;
  }

 private:
  void print_json(const std::vector<Likely>& choices, const Tokenizer& tokenizer,
                  const std::vector<TokenId>& ids) const {
    OrderedJson next = OrderedJson::array();
    for (const Likely& c : choices) {
      OrderedJson entry;
      entry["id"] = c.id;
      put_text(entry, "piece", tokenizer.piece(c.id));
      entry["logit"] = c.logit;
      entry["probability"] = c.probability;
      next.push_back(std::move(entry));
    }
    write_line({{"ids", ids}, {"next", std::move(next)}});
  }

  // Of a narrow terminal the bars give up columns first, then the pieces.
  void print_bars(const std::vector<Likely>& choices, const Tokenizer& tokenizer) const {
    constexpr std::size_t kFigures = 18, kLongestBar = 30, kShortestBar = 10, kShortestPiece = 8;
    const std::size_t room = std::max(terminal_columns(), kFigures + kShortestPiece + 2 + kShortestBar) - kFigures - 2;
    std::vector<std::string> pieces;
    std::size_t width = 0;
    for (const Likely& c : choices) {
      pieces.push_back("'" + clipped(visible(tokenizer.piece(c.id)), room - kShortestBar - 2) + "'");
      width = std::max(width, display_columns(pieces.back()));
    }
    const std::size_t longest = std::min(kLongestBar, room - width);
    for (std::size_t i = 0; i < choices.size(); ++i) {
      const Likely& c = choices[i];
      write_out(fmt::format("{:6.2f}%  {}{:>7}{}  {}{}{}{}  {}{}{}\n", 100 * c.probability, style().dim, c.id,
                            style().reset, style().bold, pieces[i], style().reset,
                            std::string(width - display_columns(pieces[i]), ' '), style().cyan,
                            bar(c.probability, longest), style().reset));
    }
  }

  static std::string bar(double share, std::size_t columns) {
    constexpr const char* kPartial[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const auto eighths = static_cast<std::size_t>(std::lround(share * static_cast<double>(8 * columns)));
    std::string out;
    for (std::size_t i = 0; i < eighths / 8; ++i) out += "█";
    return out + kPartial[eighths % 8];
  }

  ModelOption model_;
  RunOptions run_;
  TextArgument text_;
  std::size_t top_ = 10;
  std::string out_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_logits() { return std::make_unique<Logits>(); }

}  // namespace rung
