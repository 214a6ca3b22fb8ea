#include "text/gguf_vocabulary.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "files/gguf.h"
#include "text/decoder.h"
#include "text/gguf_pre.h"
#include "text/tokenizer_file.h"
#include "text/vocabulary.h"

namespace rung {

namespace {

const std::string kMark = "▁";  // how SentencePiece spells a space

// The steps of a pre-tokenizer or normalizer, one after the other; a null is none.
std::vector<Json> steps_of(const Json& node, const char* list) {
  if (node.is_null()) return {};
  if (node.value("type", "") != "Sequence") return {node};
  std::vector<Json> steps;
  if (node.contains(list) && node.at(list).is_array()) {
    for (const Json& child : node.at(list)) {
      for (Json& step : steps_of(child, list)) steps.push_back(std::move(step));
    }
  }
  return steps;
}

Json part(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? Json() : *found;
}

std::string type_of(const Json& step) { return step.value("type", ""); }

class Converter {
 public:
  Converter(const TokenizerFile& file, std::string where)
      : file_(file),
        where_(std::move(where)),
        model_(part(file.rest, "model")),
        normalizer_(steps_of(part(file.rest, "normalizer"), "normalizers")),
        pre_(steps_of(part(file.rest, "pre_tokenizer"), "pretokenizers")) {}

  GgufVocabulary convert(std::size_t tokens, std::optional<std::string_view> pre) {
    if (const std::string affix = affixed(); !affix.empty()) refuse(affix);
    byte_level_ = !pre_.empty() && type_of(pre_.back()) == "ByteLevel";
    read_tokens(tokens);
    if (byte_level_) {
      out_.model = "gpt2";
      out_.pre = pre ? std::string(*pre) : find_pre();
      read_merges();
    } else {
      if (pre) fail("{}: --pre {}: a tokenizer of characters has no pre-tokenizer to choose", where_, *pre);
      out_.model = "llama";
      out_.pre = "default";
      out_.add_space_prefix = check_characters();
      rank_by_merges();
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const { fail("{}: {}: GGUF cannot say that", where_, what); }

  std::string affixed() const {
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      const Json affix = part(model_, key);
      if (affix.is_string() && !affix.get<std::string>().empty()) {
        return fmt::format("model.{} is '{}'", key, affix.get<std::string>());
      }
    }
    return {};
  }

  // Tokens by id: the vocabulary, then what was added, then fillers.
  void read_tokens(std::size_t count) {
    out_.tokens.assign(count, "");
    out_.types.assign(count, static_cast<std::int32_t>(GgufTokenType::unused));
    for (const TokenizerFile::Entry& entry : file_.vocabulary) {
      const auto i = static_cast<std::size_t>(entry.id);
      if (i >= count) {
        left_out_.emplace(file_[entry.text]);
        continue;
      }
      out_.tokens[i] = file_[entry.text];
      set_type(i, byte_token_value(out_.tokens[i]) && !byte_level_ ? GgufTokenType::byte : GgufTokenType::normal);
    }
    read_added();
    for (std::size_t i = 0; i < count; ++i) {
      if (out_.types[i] == static_cast<std::int32_t>(GgufTokenType::unused)) out_.tokens[i] = fmt::format("[PAD{}]", i);
    }
    if (const Json unknown = part(model_, "unk_token"); unknown.is_string() && !byte_level_) {
      const auto found = std::find(out_.tokens.begin(), out_.tokens.end(), unknown.get<std::string>());
      // A reader of GGUF finds the unknown token in the text as it stands, like the added ones.
      if (found != out_.tokens.end() &&
          is_type(static_cast<std::size_t>(found - out_.tokens.begin()), GgufTokenType::normal)) {
        refuse(fmt::format("the unk_token '{}' is not among the added tokens", *found));
      }
    }
  }

  void read_added() {
    for (const Json& token : part(file_.rest, "added_tokens")) {
      const auto i = static_cast<std::size_t>(token.at("id").get<TokenId>());
      if (i >= out_.tokens.size()) continue;
      const std::string content = token.at("content").get<std::string>();
      for (const char* flag : {"lstrip", "rstrip", "single_word"}) {
        if (token.value(flag, false)) refuse(fmt::format("the added token '{}' has {}", content, flag));
      }
      const bool special = token.value("special", false);
      set_type(i, special ? GgufTokenType::control : GgufTokenType::user_defined);
      out_.tokens[i] = special || byte_level_ ? content : with_spaces(content);
    }
  }

  // Merges of tokens that are there, to one that is.
  void read_merges() {
    for (const TokenizerFile::Merge& merge : file_.merges) {
      const std::string_view left = file_[merge.left], right = file_[merge.right];
      if (!left_out_.empty() && (left_out_.contains(left) || left_out_.contains(right) ||
                                 left_out_.contains(std::string(left).append(right)))) {
        continue;
      }
      out_.merges.push_back(fmt::format("{} {}", left, right));
    }
  }

  void set_type(std::size_t i, GgufTokenType type) { out_.types[i] = static_cast<std::int32_t>(type); }
  bool is_type(std::size_t i, GgufTokenType type) const { return out_.types[i] == static_cast<std::int32_t>(type); }

  // What stands for itself is written with the spaces that it stands for.
  static std::string with_spaces(std::string text) {
    for (std::size_t at; (at = text.find(kMark)) != text.npos;) text.replace(at, kMark.size(), " ");
    return text;
  }

  // The name of the pre-tokenizer that does what this file says.
  std::string find_pre() {
    GgufPre steps;
    for (std::size_t i = 0; i + 1 < pre_.size(); ++i) steps.cuts.push_back(cut_of(pre_[i]));
    if (pre_.back().value("use_regex", true)) steps.cuts.push_back({.at = GgufPre::Cut::At::gpt2});
    out_.add_space_prefix = pre_.back().value("add_prefix_space", false);
    steps.ignore_merges = model_.value("ignore_merges", false);
    if (!normalizer_.empty()) {
      const std::string form = normalizer_.size() == 1 ? type_of(normalizer_[0]) : "Sequence";
      if (form == "NFC") steps.form = NormalForm::nfc;
      if (form == "NFKC") steps.form = NormalForm::nfkc;
      if (!steps.form) refuse(fmt::format("normalizer '{}'", form));
    }
    if (const auto name = gguf_pre_name(steps)) return std::string(*name);
    const std::string first = steps.cuts.empty() ? "" : steps.cuts[0].pattern;
    refuse(fmt::format("no name is known for how this tokenizer cuts text into words ('{}'); --pre chooses one",
                       first.empty() ? type_of(pre_[0]) : to_valid_utf8(first.substr(0, 60))));
  }

  // A step of the pre-tokenizer before its last.
  GgufPre::Cut cut_of(const Json& step) const {
    using At = GgufPre::Cut::At;
    const std::string behavior = step.value("behavior", "");
    const std::string regex = part(step, "pattern").is_object() ? step["pattern"].value("Regex", "") : "";
    if (type_of(step) == "Split" && !regex.empty() && !step.value("invert", false)) {
      if (behavior == "Isolated") return {.at = At::pattern, .pattern = regex};
      if (behavior == "MergedWithNext") return {.at = At::pattern, .pattern = regex, .with_next = true};
    }
    if (type_of(step) == "Digits" && step.value("individual_digits", false)) return {.at = At::each_digit};
    refuse(fmt::format("pre_tokenizer.{} '{}'", type_of(step), regex));
  }

  // Of a tokenizer of characters: spaces become marks, bytes stand in for characters that have no token. Returns
  // whether a mark goes first.
  bool check_characters() const {
    bool prefix = false, marks = false;
    for (const Json& step : normalizer_) {
      if (type_of(step) == "Prepend" && step.value("prepend", "") == kMark && !marks) {
        prefix = true;
      } else if (type_of(step) == "Replace" && part(step, "pattern").value("String", "") == " " &&
                 step.value("content", "") == kMark) {
        marks = true;
      } else {
        refuse(fmt::format("normalizer '{}'", type_of(step)));
      }
    }
    if (!marks) refuse("a tokenizer of characters that does not spell a space '▁'");
    if (!model_.value("byte_fallback", false)) refuse("a tokenizer of characters without byte_fallback");
    for (const Json& step : pre_) {  // Gemma's: a split at spaces, of which there are none left
      if (type_of(step) != "Split" || part(step, "pattern").value("String", "") != " ") {
        refuse(fmt::format("pre_tokenizer '{}'", type_of(step)));
      }
    }
    return prefix;
  }

  // GGUF has no merges here but a score for each token: whatever two neighbours spell a token may become it, best score
  // first. That is the same as the merges if all that lead to one token stand together, as SentencePiece's do.
  void rank_by_merges() {
    std::unordered_map<std::string_view, std::size_t> ids;
    for (std::size_t i = 0; i < out_.tokens.size(); ++i) ids.emplace(out_.tokens[i], i);
    constexpr float kNever = -1000.0f;  // as the official converter writes for tokens that no merge leads to
    out_.scores.assign(out_.tokens.size(), kNever);
    std::vector<bool> ranked(out_.tokens.size());
    std::size_t last = out_.tokens.size();
    float score = 0;
    std::string joined;
    for (const TokenizerFile::Merge& merge : file_.merges) {
      joined.assign(file_[merge.left]).append(file_[merge.right]);
      const auto found = ids.find(joined);
      if (found == ids.end()) continue;  // a run of spaces, which was added as a word of its own
      const std::size_t i = found->second;
      if (!is_type(i, GgufTokenType::normal) || i == last) continue;
      if (ranked[i]) refuse(fmt::format("the merges that lead to '{}' do not stand together", joined));
      ranked[i] = true;
      last = i;
      out_.scores[i] = score;
      score -= 1;
    }
  }

  const TokenizerFile& file_;
  std::string where_;
  Json model_;
  std::vector<Json> normalizer_, pre_;
  bool byte_level_ = false;
  std::set<std::string, std::less<>> left_out_;  // words of ids that the model lacks
  GgufVocabulary out_;
};

}  // namespace

GgufVocabulary gguf_vocabulary(std::string_view tokenizer_json, const std::string& where, std::size_t tokens,
                               std::optional<std::string_view> pre) {
  if (tokens > static_cast<std::size_t>(max_token_id)) {
    fail("{}: {} tokens, expected at most {}", where, tokens, max_token_id);
  }
  const TokenizerFile file = read_tokenizer_file(tokenizer_json, where);
  return Converter(file, where).convert(tokens, pre);
}

}  // namespace rung
