// `rung chat`: a conversation with a model, a line a message.  Milestone M8.
#include "engine/chat.h"

#include <fmt/format.h>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/signals.h"
#include "cli/answering.h"
#include "cli/command.h"
#include "cli/figures.h"
#include "cli/line_editor.h"
#include "cli/messages.h"
#include "cli/terminal.h"
#include "engine/device.h"

namespace rung {

namespace {

constexpr const char* kHelp =
    "/system TEXT   sets the scene for the whole conversation (without TEXT: no more)\n"
    "/reset         forget what was said\n"
    "/save FILE     write the messages as JSON, for rung chat --messages FILE\n"
    "/stats         how fast, how full\n"
    "/help          this\n"
    "/quit          leave; so do Ctrl-D and Ctrl-C twice\n"
    "//…            a message that begins with /\n"
    "Ctrl-C         stop the answer; what was said of it stays\n";

void note(std::string_view text) { write_error(fmt::format("{}\n", text)); }

// What the verb's options made, for as long as the conversation lasts.
struct Conversation {
  const LoadedModel& model;
  Session& session;
  Chat& chat;
  GenerateOptions options;
  Reply last = {};
  std::size_t turns = 0;
  bool failed = false;
};

class ChatCommand : public Command {
 public:
  const char* name() const override { return "chat"; }
  const char* summary() const override { return "talk with a model"; }
  const char* example() const override { return "printf 'Hi!\\nWho are you?\\n' | rung chat --seed 7"; }
  const char* details() const override {
    return "On a terminal lines are edited, ↑ brings earlier ones, /help shows the commands.\n"
           "From anywhere else each line is a message, and only the answers are printed.\n\n";
  }

  void add_options(Options& options) override {
    model_.add(options);
    run_.add(options);
    end_.add(options, 1024);
    sampling_.add(options);
    options.add("--system", system_, "a message that sets the scene").type_name("TEXT");
    options
        .add("--messages", messages_,
             "go on with this conversation: a JSON list of messages, or an object with `messages` and what else the "
             "template reads")
        .type_name("FILE.json");
    template_.add(options, "");
    options.add("--json", json_, "one JSON object an answer");
  }

  int run() override {
    const LoadedModel model = model_.load();
    Device device = run_.open_device();
    Session session(model.model(), device.ops(), {.context = run_.context_for(model)});
    OrderedJson request = messages_.empty() ? OrderedJson::object() : read_request(messages_);
    OrderedJson messages = request.value("messages", OrderedJson::array());
    const OrderedJson others = variables(std::move(request));
    Chat chat(model, session, template_.choice(has_tools(others)), others);
    chat.set_messages(std::move(messages));
    const std::string& system = system_.empty() && messages_.empty() ? model.files().system() : system_;
    if (!system.empty()) chat.set_system(system);
    Conversation c{model, session, chat, end_.over(model, sampling_)};
    return talk(c);
  }

 private:
  // What a file of messages says beside them, and --set. The next message is the user's, and then comes an answer.
  OrderedJson variables(OrderedJson request) const {
    const auto open = request.find("continue_final_message");
    if (open != request.end() && *open != false && !open->is_null()) {
      fail("{}: continue_final_message is for rung tokenize: in a chat the next message is yours", messages_);
    }
    for (const char* key : {"messages", "add_generation_prompt", "continue_final_message"}) request.erase(key);
    template_.put_variables(request);
    return request;
  }

  int talk(Conversation& c) const {
    LineEditor editor;
    const bool is_terminal = stdin_is_terminal();
    if (is_terminal) {
      note(fmt::format("{}, a context of {} tokens. /help shows the commands.",
                       c.model.files().path().filename().string(), c.session.context()));
    }
    bool warned = false;
    for (;;) {
      std::optional<std::string> line;
      {
        const SignalWatch watch;
        line = editor.read("> ");
        if (!line && is_terminal) note("");
        if (const int signal = SignalWatch::caught(); signal != 0) {
          if (signal != SIGINT || !is_terminal || warned) throw Interrupted{signal};
          note("Ctrl-C again, or Ctrl-D, leaves.");
          warned = true;
          continue;
        }
      }
      warned = false;
      if (!line || *line == "/quit" || *line == "/exit") return c.failed ? 1 : 0;
      if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
      try {
        const bool is_command = line->front() == '/' && !line->starts_with("//");
        is_command ? obey(*line, c) : answer(line->starts_with("//") ? line->substr(1) : *line, c);
      } catch (const Error& e) {  // this turn failed; the conversation goes on
        if (json_) write_line({{"error", e.what()}});
        note(fmt::format("rung: {}", e.what()));
        c.failed = !is_terminal;
      }
    }
  }

  void obey(const std::string& line, Conversation& c) const {
    const std::size_t space = line.find(' ');
    const std::string command = line.substr(0, space);
    const std::size_t begin = space == std::string::npos ? space : line.find_first_not_of(' ', space);
    const std::string argument = begin == std::string::npos ? "" : line.substr(begin);
    if (command == "/help") {
      write_error(kHelp);
    } else if (command == "/system") {
      c.chat.set_system(argument);
      note(argument.empty() ? "No system message." : "The system message is set.");
    } else if (command == "/reset") {
      c.chat.reset();
      note("Forgotten.");
    } else if (command == "/save") {
      if (argument.empty()) fail("/save FILE: which file?");
      AtomicFile file(argument);
      file.write(c.chat.messages().dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
      file.commit();
      note(fmt::format("{}: {} messages.", argument, c.chat.messages().size()));
    } else if (command == "/stats") {
      show_statistics(c);
    } else {
      fail("no command is called '{}' (/help shows them; a message that begins with / is written //)",
           visible(command));
    }
  }

  static void show_statistics(const Conversation& c) {
    if (c.turns > 0) write_error(figures_line(c.last.generated));
    note(fmt::format("context {} of {} tokens, cache {}, {} messages", c.session.tokens().size(), c.session.context(),
                     human_bytes(c.session.cache_bytes()), c.chat.messages().size()));
  }

  void answer(const std::string& text, Conversation& c) const {
    Answering answering("reading", [this](std::string_view piece) {
      if (!json_) write_text(piece);
    });
    GenerateOptions options = c.options;
    *options.sampling->seed += c.turns;  // each answer has its own draws, and the whole conversation can be had again
    c.last = c.chat.reply(text, options, answering.callbacks());
    answering.end();
    ++c.turns;
    report(c);
    const int signal = SignalWatch::caught();
    if (signal != 0 && (signal != SIGINT || !stdin_is_terminal())) throw Interrupted{signal};
  }

  void report(const Conversation& c) const {
    const Generated& result = c.last.generated;
    if (json_) {
      OrderedJson line = {{"role", "assistant"}};
      put_text(line, "content", result.text);
      line["ids"] = result.ids;
      line["stop"] = name_of(result.reason);
      line["seed"] = result.seed;
      line["dropped_turns"] = c.last.dropped_turns;
      line["context_tokens"] = c.last.context_tokens;
      add_figures(line, result);
      return write_line(line);
    }
    if (!result.text.ends_with('\n')) write_out("\n");
    if (c.last.dropped_turns > 0) {
      note(fmt::format("(The context of {} tokens was full: the oldest {} forgotten.)", c.last.whole_tokens,
                       dropped(c.last.dropped_turns)));
    }
    if (result.reason == StopReason::context_full) note("(The context is full: the answer ends here.)");
    if (result.reason == StopReason::max_tokens) {
      note(fmt::format("(Cut after {} tokens: -n allows more.)", result.ids.size()));
    }
    if (result.reason == StopReason::interrupted) note("(Stopped.)");
  }

  static std::string dropped(std::size_t turns) {
    return turns == 1 ? "turn was" : fmt::format("{} turns were", turns);
  }

  ModelOption model_;
  RunOptions run_;
  EndOptions end_;
  SamplingOptions sampling_;
  std::string system_, messages_;
  TemplateOptions template_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_chat() { return std::make_unique<ChatCommand>(); }

}  // namespace rung
