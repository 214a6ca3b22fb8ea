// `rung compare`: models that should say the same → how far from it they are, how large and how fast.  Milestone M5.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/signals.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/draw/quality_svg.h"
#include "cli/pieces.h"
#include "cli/terminal.h"
#include "cli/window_options.h"
#include "engine/chat_prompt.h"
#include "engine/device.h"
#include "engine/session.h"
#include "measure/divergence.h"

namespace rung {

namespace {

constexpr const char* kDefaultText = "/usr/share/common-licenses/GPL-3";  // every Debian has it

// MODEL@DEVICE. A file may be called so: then it is that.
struct Named {
  std::string model;
  std::string device;  // empty: the default
};

Named split_device(const std::string& argument) {
  std::error_code ignored;
  const std::size_t at = argument.rfind('@');
  if (at == std::string::npos || argument.find('/', at) != std::string::npos ||
      std::filesystem::exists(argument, ignored)) {
    return {argument, ""};
  }
  const std::string device = argument.substr(at + 1);
  if (at == 0 || !Device::exists(device)) {
    throw UsageError(fmt::format("found '{}', expected MODEL@DEVICE with one of these devices: {}", visible(argument),
                                 Device::names()));
  }
  return {argument.substr(0, at), device};
}

// A file that is no GGUF is a text.
bool is_text(const std::string& argument) {
  std::error_code ignored;
  if (argument == "-") return true;
  if (!std::filesystem::is_regular_file(argument, ignored)) return false;
  char magic[4] = {};
  std::ifstream(argument, std::ios::binary).read(magic, sizeof magic);
  return std::string_view(magic, sizeof magic) != "GGUF";
}

// "smollm2-q4_0" of "models/smollm2-q4_0.gguf" or "smollm2-q4_0/".
std::string short_name(const std::filesystem::path& path) {
  const std::filesystem::path whole = path.lexically_normal();
  const std::filesystem::path last = whole.has_filename() ? whole.filename() : whole.parent_path().filename();
  return last.extension() == ".gguf" ? last.stem().string() : last.string();
}

// At most so many columns, the middle left out: names often begin alike and end in what tells them apart.
std::string fitted(const std::string& name, std::size_t columns) {
  if (display_columns(name) <= columns || find_invalid_utf8(name)) return name;
  // Whole characters: those that end by the third of the columns, and those that begin where the rest of them is left.
  const std::size_t third = columns / 3, rest = name.size() - (columns - third - 1);
  std::size_t head = 0, tail = 0;
  for (std::size_t end = 0; end <= third; end += utf8_length(name[end])) head = end;
  for (tail = head; tail < rest;) tail += utf8_length(name[tail]);
  return name.substr(0, head) + "…" + name.substr(tail);
}

// The same tokens under the same ids, or their distributions cannot be compared.
void check_same_vocabulary(const LoadedModel& base, const LoadedModel& other) {
  if (&base == &other) return;
  const std::string a = base.files().path().string(), b = other.files().path().string();
  const std::size_t size = base.model().config.vocab_size, others_size = other.model().config.vocab_size;
  if (size != others_size) {
    fail("{} has a vocabulary of {} tokens, {} of {}: only models with the same vocabulary compare", a, size, b,
         others_size);
  }
  const std::size_t named = std::min(base.tokenizer().vocab_size(), other.tokenizer().vocab_size());
  for (TokenId id = 0; static_cast<std::size_t>(id) < named; ++id) {
    const std::string piece = base.tokenizer().piece(id), others = other.tokenizer().piece(id);
    if (piece != others) {
      fail("token {} is '{}' in {}, '{}' in {}: only models with the same vocabulary compare", id, visible(piece), a,
           visible(others), b);
    }
  }
}

class Compare : public Command {
 public:
  const char* name() const override { return "compare"; }
  const char* summary() const override { return "how far models are from one that they should equal"; }
  const char* example() const override { return "rung compare pebble@reference pebble@cpu --windows 4"; }
  const char* details() const override {
    return "The first model is the base. MODEL@DEVICE runs a model on a device of its own;\n"
           "one model alone is compared with itself, cpu with reference. A last argument\n"
           "that is a file but no model is the text (-: standard input); without one, it is\n"
           "the GPL-3 that every Debian has.\n"
           "KL      how far what the model expects is from what the base expects: nats a\n"
           "        token, 0 for the same distribution\n"
           "99%     one token in a hundred has a larger one\n"
           "same    how often both find the same token likeliest\n"
           "ppl x   the model's perplexity of the text over the base's\n"
           "read    tok/s, of windows; write: of one token after the other\n\n";
  }

  void add_options(Options& options) override {
    options.add("models", arguments_, "two models or more with the same vocabulary, and the text's file")
        .type_name("MODEL")
        .most(64);
    options.add("--pre", pre_, "the pre-tokenizer of GGUF files that do not name their own").type_name("NAME");
    run_.add(options, false);
    windows_.add(options);
    options.add("--out", out_, "draw quality against bytes, as a picture").type_name("FILE.svg");
    options.add("--json", json_, "one JSON object");
  }

  int run() override {
    sort_arguments();
    const std::string text = read_text(file_);
    check_text(text, file_);  // before models are loaded for it
    load();
    const LoadedModel& base = *entries_.front().loaded;
    const WindowedText cut = windows_.cut(text, file_, base.tokenizer(), base.model().config);
    check_same_tokens(text, cut);
    const SignalWatch watch;
    std::optional<AtomicFile> picture;  // a place that cannot be written to is known before anything is measured
    if (!out_.empty()) picture.emplace(out_);
    const Comparison result = measure(cut);
    if (result.windows == 0) return interrupted();
    measure_writing(cut);
    json_ ? print_json(cut, result) : print(cut, result);
    if (picture && interrupted() == 0) draw(*picture, result);
    return interrupted();
  }

 private:
  struct Entry {
    std::string name;
    const LoadedModel* loaded;
    std::unique_ptr<Device> device;
    Timing writing = {};
  };

  static int interrupted() { return SignalWatch::caught() == 0 ? 0 : 128 + SignalWatch::caught(); }

  void sort_arguments() {
    if (!arguments_.empty() && is_text(arguments_.back())) {
      file_ = arguments_.back();
      arguments_.pop_back();
    }
    for (const std::string& argument : arguments_) named_.push_back(split_device(argument));
    if (named_.empty()) named_.push_back({"", ""});
    if (named_.size() == 1) {
      if (!named_[0].device.empty()) throw UsageError("one model on one device: compare it with what?");
      named_ = {{named_[0].model, std::string(Device::kReference)}, {named_[0].model, std::string(Device::kFast)}};
    }
    if (!file_.empty()) return;
    std::error_code ignored;
    if (!std::filesystem::exists(kDefaultText, ignored)) {
      throw UsageError("no text: give a file after the models, or - for standard input");
    }
    file_ = kDefaultText;
  }

  void load() {
    const bool same_device =
        std::all_of(named_.begin(), named_.end(), [&](const Named& n) { return n.device == named_[0].device; });
    for (const Named& n : named_) {
      std::unique_ptr<LoadedModel>& loaded = loaded_[n.model];  // on two devices, a model is loaded once
      const ModelOption option{n.model, pre_};
      if (!loaded) loaded.reset(new LoadedModel(option.load()));
      auto device = std::make_unique<Device>(run_.open_device(n.device));
      std::string name = short_name(loaded->files().path());
      if (!same_device) name += "@" + std::string(device->name());
      entries_.push_back({std::move(name), loaded.get(), std::move(device)});
      check_same_vocabulary(*entries_.front().loaded, *loaded);
    }
  }

  // Models with one vocabulary may still cut a text differently.
  void check_same_tokens(const std::string& text, const WindowedText& cut) const {
    for (const Entry& e : entries_) {
      if (e.loaded == entries_.front().loaded) continue;
      const std::string path = e.loaded->files().path().string();
      if (encode_prompt(e.loaded->tokenizer(), text) != cut.ids) {
        fail("{} and {} make different tokens of {}: only models with the same tokenizer compare",
             entries_.front().loaded->files().path().string(), path, file_);
      }
      const std::size_t context = e.loaded->model().config.longest_context(),
                        window = windows_.window_of(entries_.front().loaded->model().config);
      if (window > context) {
        fail("{} has a context of {}, a window takes {} (--context N makes windows smaller)", path, context, window);
      }
    }
  }

  Comparison measure(const WindowedText& cut) const {
    std::vector<Contestant> contestants;
    for (const Entry& e : entries_) contestants.push_back({e.loaded->model(), *e.device});
    Progress progress("comparing");
    return compare(contestants, cut, [&](const Comparison& so_far) {
      if (so_far.distances.back().count() > 0) {
        progress.update(so_far.windows, cut.windows.size(),
                        fmt::format("windows, KL {:.3g}", so_far.distances.back().mean_divergence().value));
      }
      return SignalWatch::caught() == 0;
    });
  }

  // One token after the other, as an answer is written: a few of the text, behind its beginning.
  void measure_writing(const WindowedText& cut) {
    constexpr std::size_t kTokens = 32, kPrompt = 64;
    constexpr double kEnoughSeconds = 2;
    for (Entry& e : entries_) {
      const std::size_t whole = std::min(cut.ids.size(), e.loaded->model().config.context),
                        prompt = std::min(kPrompt, whole / 2);
      Session session(e.loaded->model(), e.device->ops());
      session.feed(std::span(cut.ids).first(prompt));
      const Clock::time_point start = Clock::now();
      while (e.writing.tokens < std::min(kTokens, whole - prompt) && e.writing.seconds < kEnoughSeconds &&
             SignalWatch::caught() == 0) {
        session.feed(std::span(cut.ids).subspan(prompt + e.writing.tokens, 1));
        ++e.writing.tokens;
        e.writing.seconds = seconds_since(start);
      }
    }
  }

  void print(const WindowedText& cut, const Comparison& c) const {
    const ModelConfig& config = entries_.front().loaded->model().config;
    write_out(
        fmt::format("{}: {}; {}\n", visible(file_), count_of(cut.ids.size(), "token"), windows_.describe(cut, config)));
    if (c.windows < cut.windows.size()) {
      write_out(fmt::format("interrupted: what follows is about the first {}\n", count_of(c.windows, "window")));
    }
    write_out(fmt::format("base {}: perplexity {:.4f} ± {:.4f}\n\n", visible(entries_[0].name),
                          c.base_losses.perplexity(), c.base_losses.perplexity_error()));
    write_out(fmt::format("{}{:<22} {:>9} {:>8} {:>8} {:>6} {:>7} {:>6} {:>6}{}\n", style().dim, "model", "size", "KL",
                          "99%", "same", "ppl ×", "read", "write", style().reset));
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const std::string name = fitted(visible(entries_[i].name), 22);
      std::string figures(32, ' ');
      if (i > 0) {
        const Distance& d = c.distances[i - 1];
        figures = fmt::format("{:>8} {:>8} {:>5.1f}% {:>7.4f}", small_number(d.mean_divergence().value),
                              small_number(d.percentile(0.99)), 100 * d.same_first().value, d.perplexity_ratio().value);
      }
      write_out(fmt::format("{}{}{}{} {:>9} {} {:>6} {:>6}\n", i == 0 ? style().dim : style().bold, name, style().reset,
                            std::string(22 - std::min<std::size_t>(22, display_columns(name)), ' '),
                            human_bytes(entries_[i].loaded->model().weight_bytes()), figures,
                            speed(c.readings[i].tokens_per_second()), speed(entries_[i].writing.tokens_per_second())));
    }
  }

  static std::string small_number(double value) {
    return value != 0 && value < 1e-4 ? fmt::format("{:.1e}", value) : fmt::format("{:.5f}", value);
  }
  static std::string speed(double tokens_per_second) {
    return fmt::format("{:.{}f}", tokens_per_second, tokens_per_second < 100 ? 1 : 0);
  }

  static OrderedJson json_of(const Estimate& e) { return {{"value", e.value}, {"error", e.error}}; }

  OrderedJson json_of(std::size_t i, const Comparison& c) const {
    const Entry& e = entries_[i];
    const Model& model = e.loaded->model();
    const Losses& losses = i == 0 ? c.base_losses : c.distances[i - 1].losses();
    OrderedJson object{{"name", e.name},
                       {"model", e.loaded->files().path().string()},
                       {"device", e.device->name()},
                       {"kernels", e.device->kernels()},
                       {"threads", e.device->threads()},
                       {"weight_bytes", model.weight_bytes()},
                       {"parameters", model.parameters()},
                       {"perplexity", json_of(Estimate{losses.perplexity(), losses.perplexity_error()})}};
    if (i > 0) {
      const Distance& d = c.distances[i - 1];
      object["divergence"] = json_of(d.mean_divergence());
      object["divergence"]["percentile_99"] = d.percentile(0.99);
      object["divergence"]["largest"] = d.largest();
      object["same_first"] = json_of(d.same_first());
      object["perplexity_ratio"] = json_of(d.perplexity_ratio());
    }
    object["read_tokens_per_second"] = c.readings[i].tokens_per_second();
    object["write_tokens_per_second"] = e.writing.tokens_per_second();
    return object;
  }

  void print_json(const WindowedText& cut, const Comparison& c) const {
    OrderedJson line{{"file", file_}};
    windows_.add_json(line, cut, entries_.front().loaded->model().config);
    line["windows"] = c.windows;
    line["interrupted"] = c.windows < cut.windows.size();
    line["counted_tokens"] = c.base_losses.count();
    line["base"] = json_of(0, c);
    line["models"] = OrderedJson::array();
    for (std::size_t i = 1; i < entries_.size(); ++i) line["models"].push_back(json_of(i, c));
    write_line(line);
  }

  void draw(AtomicFile& picture, const Comparison& c) const {
    std::vector<QualityPoint> points;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const std::uint64_t bytes = entries_[i].loaded->model().weight_bytes();
      points.push_back({entries_[i].name, "", bytes, 0});
      if (i == 0) continue;
      const Distance& d = c.distances[i - 1];
      points.back().note = fmt::format("{}, same first choice {:.1f}%", human_bytes(bytes), 100 * d.same_first().value);
      points.back().divergence = d.mean_divergence().value;
    }
    picture.write(quality_svg(points.front(), {points.begin() + 1, points.end()}));
    picture.commit();
  }

  RunOptions run_;
  WindowOptions windows_;
  std::vector<std::string> arguments_;
  std::string pre_, file_, out_;
  bool json_ = false;
  std::vector<Named> named_;
  std::map<std::string, std::unique_ptr<LoadedModel>> loaded_;
  std::vector<Entry> entries_;
};

}  // namespace

std::unique_ptr<Command> make_compare() { return std::make_unique<Compare>(); }

}  // namespace rung
