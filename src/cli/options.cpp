// The options that several verbs share, and what they come to.
#include <fcntl.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/environment.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/model_name.h"
#include "cli/positive.h"
#include "cli/terminal.h"
#include "engine/device.h"
#include "measure/metal_check.h"

namespace rung {

namespace {

std::string read_all(int descriptor, std::string_view name) {
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = ::read(descriptor, buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || wait_until_ready(descriptor, POLLIN))) continue;
    if (n < 0) fail("{}: {}", name, std::strerror(errno));
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

std::optional<DType> cache_type_named(std::string_view name) {
  for (const DType type : {DType::f32, DType::f16, DType::q8_0}) {
    if (name == info(type).name) return type;
  }
  return std::nullopt;
}

}  // namespace

void ModelOption::add(Options& options) {
  options.add("-m,--model", model, fmt::format("{} (default: pebble, which is in the program)", kModelForms))
      .type_name("MODEL");
  options.add("--pre", pre, "the pre-tokenizer of a GGUF file that does not name its own").type_name("NAME");
}

ModelFiles ModelOption::open() const {
  std::error_code ignored;
  const bool is_pebble = model.empty() || (model == "pebble" && !std::filesystem::exists(model, ignored));
  return is_pebble ? ModelFiles::pebble() : open_model(model);
}

LoadedModel ModelOption::load() const {
  ModelFiles files = open();
  say_what_is_left_out(files);
  return LoadedModel(std::move(files), chosen_pre());
}

void say_what_is_left_out(const ModelFiles& files) {
  const LeftOut left = files.left_out();
  if (left.tensors == 0) return;
  const std::string line =
      fmt::format("{}: the text part runs; left out: {}\n", visible(files.path().string()), left_out_text(left));
  std::fputs(line.c_str(), stderr);
}

std::string left_out_text(const LeftOut& left) {
  return fmt::format("the parts for pictures ({}*), {} tensors, {}", fmt::join(left.beginnings, "*, "), left.tensors,
                     human_bytes(left.bytes));
}

std::optional<std::string_view> ModelOption::chosen_pre() const {
  return pre.empty() ? std::nullopt : std::optional<std::string_view>(pre);
}

void CacheOption::add(Options& options, const char* what) {
  options.add("--cache", name, what).type_name("TYPE").check([](const std::string& text) {
    return cache_type_named(text) ? std::string() : "found '" + visible(text) + "', expected f32, f16 or q8_0";
  });
}

std::optional<DType> CacheOption::type() const { return cache_type_named(name); }

void RunOptions::add(Options& options, bool with_context) {
  device = Device::kFast;
  options.add("--device", device, Device::descriptions())
      .type_name("NAME")
      .show_default()
      .check([](const std::string& text) {
        return text.empty() || Device::exists(text)
                   ? std::string()
                   : fmt::format("found '{}', expected one of: {}", visible(text), Device::names());
      });
  options.add("--threads", threads, "how many threads (default: one for each physical core that this process may use)")
      .type_name("N")
      .check([](const std::string& text) { return from_1_to(Device::kMostThreads, text); });
  cache.add(options,
            "what the keys and values are kept as: f32, f16, or q8_0, half of f16 (default: f16; f32 on the reference "
            "device)");
  if (with_context) {
    options.add("--context", context, "how many tokens prompt and answer may have together (default: the model's)")
        .type_name("N")
        .check(positive);
  }
}

Device RunOptions::open_device(const std::string& name) const {
  const std::string& wanted = name.empty() ? device : name;
  Device opened(wanted.empty() ? Device::kFast : wanted, threads, cache.type());
  const std::filesystem::path& folder = environment().cache_folder;
  if (opened.name() == Device::kMetal && !folder.empty()) {
    const auto doubt = doubt_about_metal(opened.kernels(), folder / kVerdictFile);
    if (doubt) write_error("rung: " + *doubt + "\n");
  }
  return opened;
}

std::size_t RunOptions::context_for(const LoadedModel& model) const {
  if (context != 0) return context;
  return std::min(model.generation().context.value_or(0), model.model().config.longest_context());
}

void SamplingOptions::add(Options& options) {
  constexpr const char* kGroup = "sampling (defaults: the model's)";
  for (std::size_t i = 0; i < values.size(); ++i) {
    const SamplingSetting& setting = sampling_settings()[i];
    options.add(fmt::format("--{}", setting.name), values[i], setting.help)
        .type_name(setting.unit)
        .group(kGroup)
        .check(setting.is_count() ? zero_or_more : a_number);
  }
  options.add("--seed", seed, "the same seed, the same answer (default: another each time)")
      .type_name("N")
      .group(kGroup)
      .check(any_seed);
}

Sampling SamplingOptions::over(Sampling s) const {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].empty()) sampling_settings()[i].set(s, std::stod(values[i]));
  }
  s.seed = seed ? *seed : s.seed.value_or(another_seed());
  try {
    check(s);
  } catch (const Error& e) {
    throw UsageError(fmt::format("--{}", e.what()));  // the model's own were checked where they were read
  }
  return s;
}

void EndOptions::add(Options& options, std::size_t max_tokens_of_ours) {
  otherwise = max_tokens_of_ours;
  options
      .add("-n,--max-tokens", max_tokens,
           fmt::format("at most this many new tokens an answer (0: until the model ends, or the context is full; "
                       "default: the model's, else {})",
                       otherwise))
      .type_name("N")
      .check([](const std::string& text) { return text == "-1" ? std::string() : zero_or_more(text); });
  options.add("--stop", stop, "end where this text, or this token, comes (may be given more than once)")
      .type_name("TEXT");
  options.add("--ignore-eos", ignore_eos, "go on where the model would end");
}

GenerateOptions EndOptions::over(const LoadedModel& model, const SamplingOptions& sampling) const {
  const GenerationConfig& theirs = model.generation();
  GenerateOptions options{.sampling = sampling.over(theirs.sampling), .ignore_ends = ignore_eos};
  if (!max_tokens.empty()) {
    options.max_tokens = max_tokens == "-1" ? 0 : static_cast<std::size_t>(std::stoull(max_tokens));  // -1: llama.cpp's
  } else if (!theirs.max_tokens && !theirs.max_length) {
    options.max_tokens = otherwise;
  }
  for (const std::string& text : stop) {
    if (find_invalid_utf8(text)) throw UsageError(fmt::format("--stop: '{}' is no whole text", to_valid_utf8(text)));
    options.stop.push_back(text);
  }
  if (!theirs.undone.empty()) {
    write_error(fmt::format("rung: {}: not done, though it would change the text: {}\n", theirs.where,
                            fmt::join(theirs.undone, ", ")));
  }
  return options;
}

void TextArgument::add(Options& options, const char* what) { options.add("text", value, what).type_name("TEXT"); }

std::string TextArgument::read() const {
  if (value) return *value;
  if (stdin_is_terminal()) throw UsageError("no text: give it as the last argument, or on standard input");
  return read_stdin();
}

std::string read_stdin() { return read_all(STDIN_FILENO, "stdin"); }

std::string read_file(const std::string& path) {
  if (path == "-") return read_stdin();
  std::error_code ignored;
  if (!std::filesystem::is_fifo(path, ignored)) return std::string(MappedFile(path).text());
  // `--file <(command)`: what is no file on a disk cannot be mapped
  const int pipe = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (pipe < 0) fail("{}: {}", path, std::strerror(errno));
  std::string text = read_all(pipe, path);
  ::close(pipe);
  return text;
}

}  // namespace rung
