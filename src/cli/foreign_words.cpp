#include "cli/foreign_words.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace rung {

namespace {

struct Foreign {
  std::string_view names;  // between spaces
  std::string_view ours;
};

// llama.cpp's common/arg.cpp; Ollama's parameters (docs/modelfile) and its flags.
constexpr std::array kForeign = std::to_array<Foreign>({
    {" --temp ", "it is --temperature here"},
    {" --ctx-size --ctx_size --num_ctx --num-ctx --n-ctx --max-context -c ", "it is --context here"},
    {" --n-predict --predict --num_predict --num-predict --n_predict --max-new-tokens --max_new_tokens ",
     "it is -n or --max-tokens here"},
    {" -t --num_thread --num-thread --threads-batch -tb ", "it is --threads here"},
    {" -p --prompt ", "the text is the last argument here, without an option"},
    {" -f --file -bf --binary-file ", "a text from a file is given on standard input here: rung generate < FILE"},
    {" -s ", "it is --seed here"},
    {" -r --reverse-prompt ", "it is --stop here"},
    {" -sys --system-prompt ", "it is --system here, with --chat"},
    {" -cnv --conversation -i --interactive -if --interactive-first ", "a conversation is rung chat"},
    {" -no-cnv --no-conversation ", "rung generate is no conversation unless --chat says so"},
    {" --jinja ", "the model's own template is always rendered as Jinja here: leave it out"},
    {" --chat-template --chat-template-file ", "it is --template FILE.jinja here"},
    {" --repeat_penalty --repetition-penalty --repetition_penalty ", "it is --repeat-penalty here"},
    {" --presence_penalty ", "it is --presence-penalty here"},
    {" --frequency_penalty ", "it is --frequency-penalty here"},
    {" --top_k ", "it is --top-k here"},
    {" --top_p ", "it is --top-p here"},
    {" --min_p ", "it is --min-p here"},
    {" -ctk -ctv --cache-type-k --cache-type-v ", "it is --cache here, for keys and values alike"},
    {" -dev ", "it is --device here"},
    {" -hf -hfr --hf-repo -mu --model-url ", "a model is brought with rung pull, and named with -m"},
    {" -ngl --gpu-layers --n-gpu-layers --num_gpu --num-gpu -fa --flash-attn -b --batch-size -ub --ubatch-size --mlock "
     "--no-mmap --keep --no-warmup --no-display-prompt ",
     "Rung has none like it and needs none: leave it out"},
    {" --format ", "there is --json, which tells of the answer and does not shape it"},
    {" --verbose -v ", "the figures are on standard error after each answer: leave it out"},
});

}  // namespace

std::string answer_to_foreign_option(std::string_view argument) {
  if (argument.size() < 2 || argument[0] != '-') return "";
  std::string_view name = argument.substr(0, argument.find('='));
  if (name[1] != '-' && name.size() > 2 && name[2] >= '0' && name[2] <= '9') name = name.substr(0, 2);
  for (const auto& [names, ours] : kForeign) {
    if (names.find(fmt::format(" {} ", name)) != names.npos) {
      return fmt::format("no option is called '{}': {}", name, ours);
    }
  }
  return "";
}

}  // namespace rung
