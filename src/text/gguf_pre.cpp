// The names are llama.cpp's (src/llama-vocab.cpp at 00ad355e009e; every one whose rule is a pattern over byte-level
// BPE), what they do is what the tokenizer.json of their models does; "as llama.cpp": none was at hand. llama.cpp
// itself never normalizes and knows other tables of Unicode; where its rule differs in more than that, a comment says
// so. An entry serves all names that do the same, the best-known first.
//
// No byte-level BPE, and so not here: gemma4, granite-embed-multi-311m, sarvam-moe, whitespace.
#include "text/gguf_pre.h"

#include <algorithm>

namespace rung {
namespace pre_parts {  // their names are short: only here do they say enough

using Cut = GgufPre::Cut;

Cut at(std::string pattern) { return {.pattern = std::move(pattern)}; }
const Cut each_digit{Cut::At::each_digit}, digits{Cut::At::digits}, punctuation{Cut::At::punctuation};
const Cut gpt2{Cut::At::gpt2};
constexpr NormalForm nfc = NormalForm::nfc, nfkc = NormalForm::nfkc;

// Of these most patterns are made: English endings, a word with what stands before it, symbols with the line ends
// behind them, white space of which the last character is left to the next word.
const std::string ending = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const std::string word = R"([^\r\n\p{L}\p{N}]?\p{L}+)";
const std::string symbols = R"( ?[^\s\p{L}\p{N}]+[\r\n]*)";
const std::string spaces = R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

std::string words(const std::string& numbers) {
  return ending + "|" + word + "|" + numbers + "|" + symbols + "|" + spaces;
}
const std::string llama3 = words(R"(\p{N}{1,3})"), qwen2 = words(R"(\p{N})");

// Capitals, then small letters: "HTTPServer" is one word, "camelCase" is two. A letter without case is both.
const std::string capitals = R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])", smalls = R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])";
std::string cased_words(const std::string& end) {
  const std::string before = R"([^\r\n\p{L}\p{N}]?)";
  return before + capitals + "*" + smalls + "+" + end + "|" + before + capitals + "+" + smalls + "*" + end + "|";
}
const std::string symbols_slash = R"( ?[^\s\p{L}\p{N}]+[\r\n/]*)";
const std::string tekken = cased_words("") + R"(\p{N}|)" + symbols_slash + "|" + spaces;
const std::string gpt4o = cased_words(ending + "?") + R"(\p{N}{1,3}|)" + symbols_slash + "|" + spaces;

// Marks are part of a word, as are Han characters of no other word.
const std::string qwen35 =
    ending + R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)" + spaces;
const std::string kimi_k2 = R"([\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*)"
                            R"([\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
                            R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+)"
                            R"([\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
                            R"(\p{N}{1,3}|)" +
                            symbols + "|" + spaces;

// DeepSeek's. Its first tokenizers list the letters that have a case.
const std::string cased_letters =
    R"(\s?[A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293}\x{295}-\x{2af})"
    R"(\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1})"
    R"(\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5})"
    R"(\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a})"
    R"(\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b})"
    R"(\x{1f5d}\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4}\x{1fc6}-\x{1fcc})"
    R"(\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4}\x{1ff6}-\x{1ffc}\x{2102}\x{2107})"
    R"(\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124}\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139})"
    R"(\x{213c}-\x{213f}\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4})"
    R"(\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f}\x{a771}-\x{a787})"
    R"(\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a})"
    R"(\x{10400}-\x{1044f}\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2})"
    R"(\x{118a0}-\x{118df}\x{1e900}-\x{1e943}]+)";
const std::string east_asian = R"([\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+)";
const std::string han_and_kana = "[一-龥぀-ゟ゠-ヿ]+";
const std::string deepseek_words = R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|)"
                                   "[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|";
const std::string deepseek_v3 = deepseek_words + " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";

// East Asian scripts, block by block.
const std::string blocks =
    R"([\x{4e00}-\x{9fff}\x{3400}-\x{4dbf}\x{f900}-\x{faff}\x{3040}-\x{30ff}\x{ff65}-\x{ff9f}\x{2f00}-\x{2fdf})"
    R"(\x{e40}-\x{e7f}\x{e80}-\x{eff}\x{1780}-\x{17ff}\x{1000}-\x{109f})"
    R"(\x{aa60}-\x{aa7f}\x{a9e0}-\x{a9ff}\x{ac00}-\x{d7af}\x{1100}-\x{11ff}]+)";

// What is neither white space nor the punctuation of many scripts.
const std::string bloom = " ?[^(\\s|[.,!?…。，、।۔،])]+";

const std::string three_or_fewer = R"(\p{N}{1,3})";

const std::vector<GgufPre> known_pres = {
    // There is no official tokenizer of this name: as llama.cpp.
    {.names = {"default"},
     .cuts = {at(R"([\p{P}\$\+<=>\^~\|]+)"),
              at(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))"), at(R"(\p{N}+)"),
              at("[0-9][0-9][0-9]")}},

    // GPT-2's words. As llama.cpp: a.x-4.0, exaone4, gigachat, granite-docling, jais, mellum, trillion.
    {.names = {"gpt-2", "phi-2", "roberta-bpe", "jina-v1-en", "jina-v2-code", "jina-v2-de", "jina-v2-es", "jina-de",
               "jina-es", "a.x-4.0", "exaone4", "gigachat", "granite-docling", "jais", "mellum", "trillion"},
     .cuts = {gpt2}},
    {.names = {"olmo", "mpt", "modern-bert"}, .cuts = {gpt2}, .form = nfc},
    // Every digit is a word. As llama.cpp: codeshell, minerva-7b.
    {.names = {"smollm", "starcoder", "refact", "mellum2", "codeshell", "minerva-7b"}, .cuts = {each_digit, gpt2}},
    {.names = {"command-r"}, .cuts = {each_digit, gpt2}, .form = nfc},
    {.names = {"exaone"}, .cuts = {each_digit, gpt2}, .form = nfkc},

    {.names = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "lfm2", "midm-2.0", "pixtral",
               "jina-v5-nano"},
     .cuts = {at(llama3)},
     .ignore_merges = true,
     .adds_bos = true},
    {.names = {"dbrx", "smaug-bpe", "glm4", "chatglm-bpe"}, .cuts = {at(llama3)}},
    {.names = {"jais-2"},  // as llama.cpp
     .cuts = {at(ending + "|" + word + R"(|\p{N}{1,3}|)" + symbols +
                 R"(|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|)"
                 R"(\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})")}},
    {.names = {"minicpm5"}, .cuts = {at(three_or_fewer), at(words(R"(\p{N}+)"))}, .ignore_merges = true},

    {.names = {"qwen2", "deepseek-r1-qwen", "f2llmv2", "hunyuan", "stablelm2"}, .cuts = {at(qwen2)}, .form = nfc},
    {.names = {"grok-2", "kormo", "megrez", "solar-open"}, .cuts = {at(qwen2)}},          // as llama.cpp
    {.names = {"ufakzeka"}, .cuts = {at(word + R"(|\p{N}|)" + symbols + "|" + spaces)}},  // as llama.cpp
    {.names = {"qwen35"}, .cuts = {at(qwen35)}, .form = nfc},
    // llama.cpp cuts line ends from what follows them.
    {.names = {"laguna"}, .cuts = {{.pattern = R"((?:\r?\n)+(?!\r?\n))", .with_next = true}, at(qwen2)}},
    {.names = {"seed-coder"},
     .cuts = {at(ending + "|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|" +
                 R"(\s+(?!\S)|\s+)")},
     .form = nfc},
    // llama.cpp gives characters back where these patterns do not (?+, ++).
    {.names = {"bailingmoe2"},
     .cuts = {at(R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}|)"
                 R"( ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)")},
     .form = nfc},
    {.names = {"bailingmoe", "llada-moe"},
     .cuts = {at(R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}|)"
                 R"( ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)")}},
    {.names = {"exaone-moe"},
     .cuts = {at(ending + R"(|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}|)"
                          R"( ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)")}},

    {.names = {"tekken"}, .cuts = {at(tekken)}, .ignore_merges = true, .adds_bos = true},
    {.names = {"gpt-4o", "llama4", "kanana2", "talkie"}, .cuts = {at(gpt4o)}},
    {.names = {"granite-embed-multi-97m"}, .cuts = {at(gpt4o)}, .ignore_merges = true},
    {.names = {"minimax-m2"}, .cuts = {at(gpt4o)}, .form = nfc},
    // Digits in threes from the right, unless a letter follows them, which llama.cpp does not ask.
    {.names = {"tiny_aya", "cohere2moe"}, .cuts = {at(R"(\d{1,3}(?=(?:\d{3})*\b))"), at(gpt4o)}, .form = nfc},
    {.names = {"youtu"},  // as llama.cpp
     .cuts =
         {at("[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+"),
          at(cased_words(ending + "?") + R"(\p{N}|)" + symbols_slash + "|" + spaces)},
     .ignore_merges = true},
    // llama.cpp tells capitals from small letters in neither.
    {.names = {"kimi-k2"}, .cuts = {at(kimi_k2)}},

    {.names = {"deepseek-llm"},
     .cuts = {at("[\r\n]"), at(cased_letters), at(R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)"), at(R"(\s+$)"), at(east_asian),
              each_digit}},
    {.names = {"deepseek-coder"},
     .cuts = {at("[\r\n]"), at(R"(\s?\p{L}+)"), at(R"(\s?\p{P}+)"), at(east_asian), each_digit}},
    {.names = {"deepseek-v3", "hunyuan-dense", "hy_v4", "joyai-llm"},
     .cuts = {at(three_or_fewer), at(han_and_kana), at(deepseek_v3)}},
    {.names = {"spark2_5"},
     .cuts = {at(three_or_fewer), at(han_and_kana), at(deepseek_words + " ?[\\p{P}\\p{S}]+|[\r\n]|\\s+(?!\\S)|\\s+"),
              each_digit}},
    {.names = {"afmoe"},  // as llama.cpp: digits in threes from the right, East Asian scripts by their blocks
     .cuts = {at(R"(\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N})))"), at(blocks),
              at(R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
                 R"( ?[\p{P}\p{S}]+[\r\n]*|)" +
                 spaces)}},
    // As llama.cpp: before every third digit from the right; then nothing else is cut.
    {.names = {"superbpe"}, .cuts = {at(R"(\p{N}+)"), at(R"((?=(\d{3})+(?!\d)))")}},

    // As llama.cpp: gpt3-finnish, poro-chat, viking.
    {.names = {"bloom", "gpt3-finnish", "poro-chat"}, .cuts = {at(bloom)}},
    {.names = {"viking"}, .cuts = {at(bloom), each_digit}},
    // llama.cpp takes ` for punctuation and lets characters above ASCII be.
    {.names = {"falcon"}, .cuts = {punctuation, gpt2, digits, at("[0-9][0-9][0-9]")}},
    {.names = {"chameleon"},  // as llama.cpp
     .cuts = {at("<sentinel:[0-9]+>"), at("(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z"), at("([\\t\\n]|    |  )"), each_digit,
              at(R"([\p{P}!-/:-@\[-`{-~])"), gpt2},
     .adds_bos = true},
};

}  // namespace pre_parts

std::span<const GgufPre> gguf_pres() { return pre_parts::known_pres; }

const GgufPre* find_gguf_pre(std::string_view name) {
  for (const GgufPre& pre : gguf_pres()) {
    if (std::find(pre.names.begin(), pre.names.end(), name) != pre.names.end()) return &pre;
  }
  return nullptr;
}

std::optional<std::string_view> gguf_pre_name(const GgufPre& steps) {
  for (const GgufPre& pre : gguf_pres()) {
    if (pre.cuts == steps.cuts && pre.form == steps.form && pre.ignore_merges == steps.ignore_merges) {
      return pre.names[0];
    }
  }
  return std::nullopt;
}

std::vector<PreTokenizerStage> GgufPre::stages(bool add_space_prefix) const {
  std::vector<PreTokenizerStage> stages;
  const bool has_gpt2 = std::find(cuts.begin(), cuts.end(), pre_parts::gpt2) != cuts.end();
  for (const Cut& cut : cuts) {
    switch (cut.at) {
      case Cut::At::pattern:
        stages.emplace_back(SplitPattern{Pattern::regex(cut.pattern, names[0]),
                                         cut.with_next ? SplitBehavior::merged_with_next : SplitBehavior::isolated,
                                         false});
        break;
      case Cut::At::each_digit: stages.emplace_back(SplitKinds{digit_kinds(), SplitBehavior::isolated}); break;
      case Cut::At::digits: stages.emplace_back(SplitKinds{digit_kinds(), SplitBehavior::contiguous}); break;
      case Cut::At::punctuation: stages.emplace_back(SplitKinds{punctuation_kinds(), SplitBehavior::contiguous}); break;
      case Cut::At::gpt2: stages.emplace_back(SplitByteLevel{add_space_prefix, true, &cut != &cuts.back()}); break;
    }
  }
  if (!has_gpt2) stages.emplace_back(SplitByteLevel{add_space_prefix, false, false});
  return stages;
}

}  // namespace rung
