// `rung generate`: a text → how the model goes on with it.  Milestone M3.
#include "engine/generate.h"

#include "base/error.h"
#include "base/signals.h"
#include "cli/answer.h"
#include "cli/answering.h"
#include "cli/command.h"
#include "cli/learn/tell.h"
#include "cli/messages.h"
#include "engine/chat_prompt.h"
#include "engine/device.h"

namespace rung {

namespace {

class Generate : public Command {
 public:
  const char* name() const override { return "generate"; }
  const char* summary() const override { return "go on with a text"; }
  const char* example() const override { return "rung generate -n 64 --temperature 0.8 --seed 7 \"The fox\""; }

  void add_options(Options& options) override {
    text_.add(options, "what the model goes on with (default: standard input)");
    model_.add(options);
    run_.add(options);
    run_.device.clear();  // as long as none is named
    end_.add(options, 256);
    sampling_.add(options);
    options.add("--chat", chat_, "wrap the text in the model's chat template, as a message to it");
    options.add("--system", system_, "with --chat: a message that sets the scene").type_name("TEXT");
    template_.add(options, "with --chat: ");
    options.add("--no-cache", no_cache_, "compute everything anew for each token, to see what the KV cache is for");
    options
        .add("--with", with_,
             "with the code that was solved in this folder of `rung learn` (on the device that it is for)")
        .type_name("FOLDER");
    options.add("--json", json_,
                "one JSON object a line: each piece of text as it comes, then all of it with the figures");
  }

  int run() override {
    if (!chat_ && !system_.empty()) throw UsageError("--system goes with --chat");
    if (!chat_ && template_.given()) throw UsageError("--template, --template-name and --set go with --chat");
    if (!with_.empty() && (chat_ || no_cache_ || end_.ignore_eos)) {
      throw UsageError("--with goes without --chat, --no-cache and --ignore-eos");
    }
    const std::string text = text_.read();
    if (!with_.empty()) return tell_with(with_, {{}, model_, run_, end_, sampling_, text, json_});
    const LoadedModel model = model_.load();
    const std::vector<TokenId> prompt = make_prompt(model, text);
    Device device = run_.open_device();
    Session session(model.model(), device.ops(), {.context = run_.context_for(model), .keep_cache = !no_cache_});
    GenerateOptions options = model.completed(end_.over(model, sampling_));
    options.continues = !chat_;

    const AnswerForm form = json_ ? AnswerForm::json : AnswerForm::text;
    Answering answering("reading the prompt", [form](std::string_view piece) { give_piece(piece, form); });
    if (!chat_) begin_answer(text, form);
    const Generated result = generate(session, model.tokenizer(), prompt, options, answering.callbacks());
    answering.end();
    end_answer(result, prompt.size(), form);
    return result.reason == StopReason::interrupted ? 128 + SignalWatch::caught() : 0;
  }

 private:
  std::vector<TokenId> make_prompt(const LoadedModel& model, const std::string& text) const {
    if (!chat_) return encode_prompt(model.tokenizer(), text);
    OrderedJson messages = OrderedJson::array();
    const std::string& system = system_.empty() ? model.files().system() : system_;
    if (!system.empty()) messages.push_back(make_message("system", system));
    messages.push_back(make_message("user", text));
    OrderedJson request = {{"messages", std::move(messages)}};
    template_.put_variables(request);
    const ChatPrompter prompter(model.files(), model.tokenizer(), template_.choice(has_tools(request)));
    return prompter.render(std::move(request)).ids;
  }

  ModelOption model_;
  RunOptions run_;
  EndOptions end_;
  SamplingOptions sampling_;
  TextArgument text_;
  bool chat_ = false;
  std::string system_;
  TemplateOptions template_;
  bool no_cache_ = false;
  std::string with_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_generate() { return std::make_unique<Generate>(); }

}  // namespace rung
