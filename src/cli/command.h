// A verb of the command line: its options, what it does, its help.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "engine/generate.h"
#include "engine/loaded_model.h"

namespace rung {

class Device;

class Command {
 public:
  virtual ~Command() = default;
  virtual const char* name() const = 0;
  virtual const char* summary() const = 0;            // one line
  virtual const char* example() const = 0;            // runs as it stands; the help ends in it
  virtual const char* details() const { return ""; }  // what the help says after the options
  virtual void add_options(Options& options) = 0;
  virtual int run() = 0;  // the exit status
};

// All verbs, in the order of the help. Each is made by its own file.
std::vector<std::unique_ptr<Command>> make_commands();
std::unique_ptr<Command> make_tokenize();
std::unique_ptr<Command> make_inspect();
std::unique_ptr<Command> make_logits();
std::unique_ptr<Command> make_trace();
std::unique_ptr<Command> make_generate();
std::unique_ptr<Command> make_chat();
std::unique_ptr<Command> make_eval();
std::unique_ptr<Command> make_compare();
std::unique_ptr<Command> make_bench();
std::unique_ptr<Command> make_metal_check();
std::unique_ptr<Command> make_pull();

// -m, --pre: which model.
struct ModelOption {
  std::string model;
  std::string pre;
  void add(Options& options);
  ModelFiles open() const;   // the default model is brought first, where nobody named one
  LoadedModel load() const;  // and says on stderr what the file holds beside the text model
  std::optional<std::string_view> chosen_pre() const;
};

std::string left_out_text(const LeftOut& left);      // "the parts for pictures (v.*, mm.*), 12 tensors, 1.2 MB"
void say_what_is_left_out(const ModelFiles& files);  // on stderr; nothing where there is nothing

// --cache: what the KV cache holds.
struct CacheOption {
  std::string name;  // empty: what is not asked for
  void add(Options& options, const char* what);
  std::optional<DType> type() const;
};

// --device, --threads, --cache, --context: where and how it runs.
struct RunOptions {
  std::string device;  // add() sets the default
  std::size_t threads = 0;
  CacheOption cache;
  std::size_t context = 0;
  void add(Options& options, bool with_context = true);
  // The one of this name, else `device`; says on stderr where a GPU's answers are not known to be right.
  Device open_device(const std::string& name = "") const;
  std::size_t context_for(const LoadedModel& model) const;  // what the model's own settings say, where nobody else does
};

// What names a model, for help.
inline constexpr const char* kModelForms =
    "a .gguf file, a folder with config.json and safetensors or with one .gguf, owner/name of the hub that `rung pull` "
    "or "
    "another program has brought, a name that `rung pull --list` knows, or ollama:name";

// --temperature and its like, an option for each of sampling_settings(). What is not given comes from the model.
struct SamplingOptions {
  std::vector<std::string> values = std::vector<std::string>(sampling_settings().size());  // empty: not given
  std::optional<std::uint64_t> seed;                                                       // not given: from the clock
  void add(Options& options);
  Sampling over(Sampling defaults) const;
};

// -n, --stop, --ignore-eos: where an answer ends.
struct EndOptions {
  std::string max_tokens;  // empty: not given
  std::vector<std::string> stop;
  bool ignore_eos = false;
  void add(Options& options, std::size_t max_tokens_of_ours);
  // What LoadedModel::completed() completes. Says on stderr what of the model's generation_config.json is not done.
  GenerateOptions over(const LoadedModel& model, const SamplingOptions& sampling) const;

 private:
  std::size_t otherwise = 0;
};

// The text: the last argument, or stdin where that is not a terminal.
struct TextArgument {
  std::optional<std::string> value;
  void add(Options& options, const char* what);
  bool given() const { return value.has_value(); }
  std::string read() const;  // throws UsageError: there is none
};

std::string read_stdin();
std::string read_file(const std::string& path);  // "-" is stdin

// argv → the exit status: 0, 1 (failed), 2 (usage), 130 (Ctrl-C).
int run_command_line(int argc, char** argv);

}  // namespace rung
