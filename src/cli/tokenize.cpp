// `rung tokenize`: a text → its tokens, and back; a conversation → the prompt that its template makes.  Milestone M0.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <span>

#include "base/clock.h"
#include "base/error.h"
#include "cli/command.h"
#include "cli/messages.h"
#include "cli/pieces.h"
#include "cli/terminal.h"
#include "engine/chat_prompt.h"
#include "engine/request.h"

namespace rung {

namespace {

constexpr std::size_t kShownBytes = 16'384;  // of a longer text, people see figures, not its pieces

// "1,2,3", "1 2 3" or "[1, 2, 3]".
std::vector<TokenId> parse_ids(std::string_view list) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const auto skip = [&](std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
  };
  const auto refuse = [](std::string_view found) {
    throw UsageError(fmt::format("--decode: found '{}', expected token ids: 1,2,3", visible(found.substr(0, 20))));
  };
  std::string_view rest = list;
  rest.remove_suffix(rest.size() - std::min(rest.find_last_not_of(kSpaces) + 1, rest.size()));
  skip(rest);
  if (rest.size() > 1 && rest.front() == '[' && rest.back() == ']') rest = rest.substr(1, rest.size() - 2);
  skip(rest);
  std::vector<TokenId> ids;
  while (!rest.empty()) {
    TokenId id = 0;
    const auto [after, error] = std::from_chars(rest.data(), rest.data() + rest.size(), id);
    if (error != std::errc{}) refuse(rest);
    ids.push_back(id);
    rest.remove_prefix(static_cast<std::size_t>(after - rest.data()));
    skip(rest);
    if (rest.empty() || rest.front() != ',') continue;
    rest.remove_prefix(1);
    skip(rest);
    if (rest.empty()) refuse(",");
  }
  return ids;
}

class Tokenize : public Command {
 public:
  const char* name() const override { return "tokenize"; }
  const char* summary() const override { return "a text's tokens, and back"; }
  const char* example() const override { return "rung tokenize \"Hello, wörld 🦊 123\""; }

  void add_options(Options& options) override {
    text_.add(options, "the text (default: standard input)");
    model_.add(options);
    options.add("--file", file_, "read the text from a file").type_name("FILE");
    options.add("--json", json_, "one JSON object: ids and pieces");
    options.add(
        "--lines", lines_,
        "with --json: each line of the input is a JSON string to encode, an array of ids to decode, or an object with "
        "messages to render; one object a line comes out");
    options.add("--no-special", no_special_,
                "without the tokens that the model wants before or after a text (BOS, EOS)");
    options.add("--decode", decode_, "token ids (1,2,3; -: from standard input) back to text").type_name("IDS");
    options.add("--explain", explain_, "the merges, one a line, in the order in which they happen, each with its rank");
    options.add("--chat", chat_, "the text as a message in the model's chat template");
    options.add("--system", system_, "with --chat: a message that sets the scene").type_name("TEXT");
    options
        .add("--messages", messages_,
             "a conversation: a JSON list of messages, or an object with `messages` and what else the template reads")
        .type_name("FILE.json");
    options.add("--tools", tools_, "a JSON list of the tools that the model may call").type_name("FILE.json");
    template_.add(options, "");
  }

  int run() override {
    check_combination();
    const ModelFiles files = model_.open();
    const Tokenizer tokenizer = files.tokenizer(model_.chosen_pre());
    if (lines_) return run_lines(files, tokenizer);
    if (decode_) return run_decode(tokenizer);
    if (chats()) return run_chat(files, tokenizer);
    const std::string text = read_text();
    explain_ ? write_merges(text, tokenizer) : write_tokens(text, tokenizer);
    return 0;
  }

 private:
  bool chats() const { return chat_ || !messages_.empty() || !tools_.empty() || template_.given(); }

  void check_combination() const {
    if (text_.given() && !file_.empty()) throw UsageError("a text and --file: which of them?");
    if (text_.given() && (decode_ || lines_ || !messages_.empty())) {
      throw UsageError("a text beside --decode, --lines or --messages: which of them?");
    }
    if (int{decode_.has_value()} + int{explain_} + int{chats()} > 1) {
      throw UsageError("--decode, --explain and --chat: which of them?");
    }
    if (lines_ && !json_) throw UsageError("--lines goes with --json");
    if (lines_ && (decode_ || explain_ || chat_ || !messages_.empty())) {
      throw UsageError("with --lines each line says itself what it is");
    }
    if (!chats() && !system_.empty()) throw UsageError("--system goes with --chat");
  }

  std::string read_text() const { return file_.empty() ? text_.read() : read_file(file_); }
  EncodeOptions encoding() const { return {.add_special = !no_special_}; }

  void write_tokens(const std::string& text, const Tokenizer& tokenizer) const {
    const Clock::time_point start = Clock::now();
    const std::vector<TokenId> ids = tokenizer.encode(text, encoding());
    const double seconds = seconds_since(start);
    if (json_) return write_ids_json("{", ids, tokenizer);
    if (text.size() <= kShownBytes) write_cells(ids, tokenizer);
    write_out(fmt::format("{}{}, {}", style().dim, count_of(ids.size(), "token"), count_of(text.size(), "byte")));
    if (!ids.empty()) {
      write_out(
          fmt::format(", {:.2f} bytes a token", static_cast<double>(text.size()) / static_cast<double>(ids.size())));
    }
    write_out(text.size() > kShownBytes ? fmt::format(", in {:.2f} s (--json gives the ids)", seconds)
                                        : legend_of(ids, tokenizer));
    write_out(fmt::format("{}\n", style().reset));
  }

  // What the cells' star means, where there is one.
  static std::string legend_of(std::span<const TokenId> ids, const Tokenizer& tokenizer) {
    const auto control = [&](TokenId id) { return tokenizer.is_special(id); };
    return std::any_of(ids.begin(), ids.end(), control) ? "; * is a control token" : "";
  }

  void write_merges(const std::string& text, const Tokenizer& tokenizer) const {
    const std::vector<MergeStep> steps = tokenizer.explain(text);
    OrderedJson list = OrderedJson::array();
    for (const MergeStep& step : steps) {
      if (json_) {
        OrderedJson entry = {{"rank", step.rank}};
        put_text(entry, "left", step.left);
        put_text(entry, "right", step.right);
        list.push_back(std::move(entry));
      } else {
        write_out(fmt::format("{}rank {:>7}{}  {} + {} → {}{}{}\n", style().dim, step.rank, style().reset,
                              cell(step.left), cell(step.right), style().bold, cell(step.left + step.right),
                              style().reset));
      }
    }
    if (json_) return write_line({{"merges", std::move(list)}});
    if (!steps.empty()) write_out("\n");
    write_tokens(text, tokenizer);
  }

  // Spaces as ·, as the cells show them.
  static std::string cell(std::string_view piece) {
    std::string out;
    for (const char c : visible(piece)) c == ' ' ? out += "·" : out += c;
    return out;
  }

  int run_decode(const Tokenizer& tokenizer) const {
    const std::string text = tokenizer.decode(parse_ids(*decode_ == "-" ? read_stdin() : *decode_));
    if (json_) {
      OrderedJson line;
      put_text(line, "text", text);
      write_line(line);
    } else {
      write_out(text);
      if (stdout_is_terminal()) write_out("\n");
    }
    return 0;
  }

  ChatPrompter prompter(const ModelFiles& files, const Tokenizer& tokenizer, bool tools) const {
    return {files, tokenizer, template_.choice(tools)};
  }

  OrderedJson request() const {
    OrderedJson r;
    if (messages_.empty()) {
      r["messages"] = OrderedJson::array({make_message("user", read_text())});
    } else {
      r = read_request(messages_);
    }
    if (!system_.empty()) r["messages"].insert(r["messages"].begin(), make_message("system", system_));
    if (!tools_.empty()) r["tools"] = read_tools(tools_);
    template_.put_variables(r);
    return r;
  }

  int run_chat(const ModelFiles& files, const Tokenizer& tokenizer) const {
    OrderedJson r = request();
    const ChatPrompt prompt = prompter(files, tokenizer, has_tools(r)).render(std::move(r));
    if (json_) {
      write_prompt_json(prompt, tokenizer);
      return 0;
    }
    write_prompt(prompt);
    write_cells(prompt.ids, tokenizer);
    write_out(fmt::format("{}{}, {}{}{}\n", style().dim, count_of(prompt.ids.size(), "token"),
                          count_of(prompt.text.size(), "byte"), legend_of(prompt.ids, tokenizer), style().reset));
    return 0;
  }

  static void write_prompt_json(const ChatPrompt& prompt, const Tokenizer& tokenizer) {
    write_ids_json(fmt::format("{{\"prompt\":{},", to_json(prompt.text)), prompt.ids, tokenizer);
  }

  // The rendered text: what people said in bold, what the template adds as it is.
  static void write_prompt(const ChatPrompt& prompt) {
    std::size_t at = 0;
    const std::string_view text = prompt.text;
    for (const ByteRange& words : prompt.untrusted) {
      write_out(text.substr(at, words.begin - at));
      write_out(fmt::format("{}{}{}", style().bold, text.substr(words.begin, words.end - words.begin), style().reset));
      at = words.end;
    }
    write_out(text.substr(at));
    write_out(text.ends_with('\n') ? "\n" : "\n\n");
  }

  using Prompters = std::map<bool, ChatPrompter>;  // with tools and without

  // What goes wrong in a line is that line's answer: whoever sends a million of them wants the others.
  int run_lines(const ModelFiles& files, const Tokenizer& tokenizer) const {
    Prompters prompters;
    const std::string input = file_.empty() ? read_stdin() : read_file(file_);
    std::size_t number = 0;
    for (std::string_view rest = input; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      ++number;
      try {
        run_line(parse_ordered_json(line, fmt::format("line {}", number)), files, tokenizer, prompters);
      } catch (const Error& e) {
        write_line({{"error", e.what()}});
      }
    }
    return 0;
  }

  void run_line(OrderedJson value, const ModelFiles& files, const Tokenizer& tokenizer, Prompters& prompters) const {
    if (value.is_string()) {
      write_ids_json("{", tokenizer.encode(value.get_ref<const std::string&>(), encoding()), tokenizer);
    } else if (value.is_array()) {
      OrderedJson line;
      put_text(line, "text", tokenizer.decode(ids_in(value)));
      write_line(line);
    } else {
      check_request(value, "the line");
      template_.put_variables(value);
      const bool tools = has_tools(value);
      if (!prompters.contains(tools)) prompters.emplace(tools, prompter(files, tokenizer, tools));
      write_prompt_json(prompters.at(tools).render(std::move(value)), tokenizer);
    }
  }

  static std::vector<TokenId> ids_in(const OrderedJson& list) {
    std::vector<TokenId> ids;
    for (const OrderedJson& id : list) {
      if (!id.is_number_integer()) fail("found {}, expected a token id", to_json(id));
      ids.push_back(id.get<TokenId>());
    }
    return ids;
  }

  ModelOption model_;
  TextArgument text_;
  std::string file_, system_, messages_, tools_;
  TemplateOptions template_;
  std::optional<std::string> decode_;
  bool json_ = false, lines_ = false, no_special_ = false, explain_ = false, chat_ = false;
};

}  // namespace

std::unique_ptr<Command> make_tokenize() { return std::make_unique<Tokenize>(); }

}  // namespace rung
