// tokenizer.json (the format of Hugging Face's tokenizers) → a Tokenizer. What it names and we lack is an error, never
// a guess.  Milestone M0.
#include <algorithm>
#include <charconv>
#include <set>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/utf8.h"
#include "text/tokenizer_config.h"
#include "text/tokenizer_file.h"
#include "text/tokenizer_impl.h"

namespace rung {
namespace {

// A JSON object with the path that leads to it, so that every error can say where it is.
class Node {
 public:
  Node(const Json& json, std::string where) : json_(json), where_(std::move(where)) {}

  const std::string& where() const { return where_; }
  const Json& json() const { return json_; }
  bool has(const char* key) const { return json_.is_object() && json_.contains(key) && !json_.at(key).is_null(); }

  Node at(const char* key) const {
    if (!has(key)) fail("{}: '{}' is missing", where_, key);
    return {json_.at(key), fmt::format("{}.{}", where_, key)};
  }
  std::vector<Node> list(const char* key) const {
    const Node array = at(key);
    if (!array.json_.is_array()) array.wrong("an array");
    std::vector<Node> out;
    for (std::size_t i = 0; i < array.json_.size(); ++i) {
      out.emplace_back(array.json_[i], fmt::format("{}[{}]", array.where_, i));
    }
    return out;
  }
  std::string text(const char* key) const { return at(key).text(); }
  std::string text() const {
    if (!json_.is_string()) wrong("a string");
    return json_.get<std::string>();
  }
  bool flag(const char* key, std::optional<bool> absent = {}) const {
    if (!has(key) && absent) return *absent;
    const Node value = at(key);
    if (!value.json_.is_boolean()) value.wrong("true or false");
    return value.json_.get<bool>();
  }
  std::size_t count(const char* key) const {
    const Node value = at(key);
    if (!value.json_.is_number_unsigned()) value.wrong("a whole number");
    return value.json_.get<std::size_t>();
  }
  char32_t character(const char* key) const {
    const Node value = at(key);
    const std::string s = value.text();
    const char* p = s.data();
    if (s.empty() || utf8_length(s[0]) != s.size()) value.wrong("one character");
    return decode_utf8(p);
  }
  TokenId id(const char* key) const {
    const std::size_t n = count(key);
    if (n > static_cast<std::size_t>(max_token_id)) {
      at(key).wrong(fmt::format("a whole number from 0 to {}", max_token_id));
    }
    return static_cast<TokenId>(n);
  }
  [[noreturn]] void wrong(std::string_view expected) const {
    std::string found =
        json_.is_structured() ? json_.type_name() : json_.dump(-1, ' ', false, Json::error_handler_t::replace);
    fail("{}: {}, expected {}", where_, found.substr(0, 100), expected);
  }
  [[noreturn]] void unknown(const std::string& type) const { fail("{}: '{}' is not supported", where_, type); }

 private:
  const Json& json_;
  std::string where_;
};

Pattern read_pattern(const Node& node) {
  if (node.has("Regex")) return Pattern::regex(node.text("Regex"), node.where());
  const std::string text = node.text("String");
  if (text.empty()) fail("{}: an empty string to look for", node.where());
  return Pattern::literal(text);
}

SplitBehavior read_behavior(const Node& node, const char* key) {
  const std::string name = node.text(key);
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  node.at(key).unknown(name);
}

// In the replacement for a regular expression "$1" would mean a group.
std::string read_replacement(const Node& node) {
  std::string content = node.text("content");
  if (node.at("pattern").has("Regex") && content.find('$') != content.npos) {
    fail("{}: content '{}': groups in a replacement are not supported", node.where(), content);
  }
  return content;
}

void read_normalizer(Normalizer& out, const Node& node) {
  const std::string type = node.text("type");
  if (type == "Sequence") {
    for (const Node& child : node.list("normalizers")) read_normalizer(out, child);
  } else if (type == "NFC") {
    out.add(NormalForm::nfc);
  } else if (type == "NFD") {
    out.add(NormalForm::nfd);
  } else if (type == "NFKC") {
    out.add(NormalForm::nfkc);
  } else if (type == "NFKD") {
    out.add(NormalForm::nfkd);
  } else if (type == "Lowercase") {
    out.add(Lowercase{});
  } else if (type == "Prepend") {
    out.add(Prepend{node.text("prepend")});
  } else if (type == "Replace") {
    out.add(Replace{read_pattern(node.at("pattern")), read_replacement(node)});
  } else if (type == "Strip") {
    out.add(Strip{node.flag("strip_left"), node.flag("strip_right")});
  } else {
    node.unknown(type);
  }
}

SplitMetaspace::Prepend read_prepend_scheme(const Node& node) {
  if (!node.has("prepend_scheme")) {  // older files
    return node.flag("add_prefix_space", true) ? SplitMetaspace::Prepend::always : SplitMetaspace::Prepend::never;
  }
  const std::string scheme = node.text("prepend_scheme");
  if (scheme == "always") return SplitMetaspace::Prepend::always;
  if (scheme == "first") return SplitMetaspace::Prepend::first;
  if (scheme == "never") return SplitMetaspace::Prepend::never;
  node.at("prepend_scheme").unknown(scheme);
}

void read_pre_tokenizer(std::vector<PreTokenizerStage>& out, const Node& node) {
  const std::string type = node.text("type");
  if (type == "Sequence") {
    for (const Node& child : node.list("pretokenizers")) read_pre_tokenizer(out, child);
  } else if (type == "Split") {
    out.push_back(SplitPattern{read_pattern(node.at("pattern")), read_behavior(node, "behavior"), node.flag("invert")});
  } else if (type == "Digits") {
    out.push_back(SplitKinds{digit_kinds(),
                             node.flag("individual_digits") ? SplitBehavior::isolated : SplitBehavior::contiguous});
  } else if (type == "ByteLevel") {
    out.push_back(SplitByteLevel{node.flag("add_prefix_space"), node.flag("use_regex", true), true});
  } else if (type == "Metaspace") {
    out.push_back(SplitMetaspace{node.character("replacement"), read_prepend_scheme(node), node.flag("split", true)});
  } else if (type == "Punctuation") {
    out.push_back(SplitKinds{punctuation_kinds(),
                             node.has("behavior") ? read_behavior(node, "behavior") : SplitBehavior::isolated});
  } else if (type == "Whitespace") {
    out.push_back(SplitWhitespace{});
  } else if (type == "WhitespaceSplit") {
    out.push_back(SplitKinds{space_kinds(), SplitBehavior::removed});
  } else {
    node.unknown(type);
  }
}

void read_decoder(Decoder& out, const Node& node) {
  const std::string type = node.text("type");
  if (type == "Sequence") {
    for (const Node& child : node.list("decoders")) read_decoder(out, child);
  } else if (type == "ByteLevel") {
    out.add(DecodeByteLevel{});
  } else if (type == "ByteFallback") {
    out.add(DecodeByteFallback{});
  } else if (type == "Fuse") {
    out.add(DecodeFuse{});
  } else if (type == "Replace") {
    out.add(DecodeReplace{read_pattern(node.at("pattern")), read_replacement(node)});
  } else if (type == "Strip") {
    out.add(DecodeStrip{node.character("content"), node.count("start"), node.count("stop")});
  } else if (type == "Metaspace") {
    out.add(
        DecodeMetaspace{node.character("replacement"), read_prepend_scheme(node) != SplitMetaspace::Prepend::never});
  } else {
    node.unknown(type);
  }
}

// ids → before ids after. (To a second template the official library gives the pieces of the first as if they were a
// pair of texts.)
void read_post_processor(TokenizerParts& parts, const Node& node) {
  const std::string type = node.text("type");
  if (type == "Sequence") {
    for (const Node& child : node.list("processors")) read_post_processor(parts, child);
    return;
  }
  if (type == "ByteLevel") return;  // it only trims offsets, which we do not give
  if (type != "TemplateProcessing") node.unknown(type);
  if (!parts.before.empty() || !parts.after.empty()) fail("{}: a second template is not supported", node.where());
  bool behind = false;
  for (const Node& item : node.list("single")) {
    if (item.has("Sequence")) {
      if (behind || item.at("Sequence").text("id") != "A") {
        fail("{}: a second text in the template of one", item.where());
      }
      behind = true;
      continue;
    }
    const std::string name = item.at("SpecialToken").text("id");
    const Node token = node.at("special_tokens").at(name.c_str());
    for (const Node& id : token.list("ids")) {
      if (!id.json().is_number_unsigned() ||
          id.json().get<std::uint64_t>() > static_cast<std::uint64_t>(max_token_id)) {
        id.wrong("a token id");
      }
      (behind ? parts.after : parts.before).push_back(id.json().get<TokenId>());
    }
  }
  if (!behind) fail("{}.single: no place for the text", node.where());
}

Vocabulary read_vocabulary(TokenizerParts& parts, const TokenizerFile& file) {
  Vocabulary vocabulary;
  std::size_t bytes = 0;
  for (const TokenizerFile::Entry& entry : file.vocabulary) bytes += entry.text.length;
  vocabulary.reserve(file.vocabulary.size(), bytes);
  for (const TokenizerFile::Entry& entry : file.vocabulary) {
    if (vocabulary.has(entry.id)) {
      fail("{}: model.vocab: two tokens have the id {}, one is '{}'", parts.where, entry.id,
           file[entry.text].substr(0, 80));
    }
    add_spelled(parts, vocabulary, entry.id, file[entry.text]);
  }
  return vocabulary;
}

MergeTable read_merges(const TokenizerParts& parts, const TokenizerFile& file, const Vocabulary& vocabulary) {
  MergeTable merges;
  merges.reserve(file.merges.size());
  std::string joined;
  const auto find = [&](std::string_view token, std::size_t rank) {
    const TokenId id = find_spelled(parts, vocabulary, token);
    if (id == no_token) {
      fail("{}: model.merges: entry {} needs the token '{}', which the vocabulary lacks", parts.where, rank,
           token.substr(0, 80));
    }
    return id;
  };
  for (std::size_t rank = 0; rank < file.merges.size(); ++rank) {
    const std::string_view left = file[file.merges[rank].left], right = file[file.merges[rank].right];
    joined.assign(left).append(right);
    merges.set(find(left, rank), find(right, rank), {static_cast<std::uint32_t>(rank), find(joined, rank)});
  }
  return merges;
}

void read_model(TokenizerParts& parts, const Node& model, const TokenizerFile& file) {
  if (const std::string type = model.has("type") ? model.text("type") : "BPE"; type != "BPE") model.unknown(type);
  if (!model.has("vocab") || !model.at("vocab").json().is_object()) {
    fail("{}: no 'vocab' that maps tokens to ids", model.where());
  }
  if (!model.has("merges") || !model.at("merges").json().is_array()) fail("{}: no list of 'merges'", model.where());
  if (model.has("dropout") && model.at("dropout").json() != 0) {
    fail("{}: 'dropout' makes tokens random and is not supported", model.where());
  }
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (model.has(affix) && !model.text(affix).empty()) fail("{}: '{}' is not supported", model.where(), affix);
  }
  Vocabulary vocabulary = read_vocabulary(parts, file);
  MergeTable merges = read_merges(parts, file, vocabulary);
  BpeOptions options{.byte_fallback = model.flag("byte_fallback", false),
                     .fuse_unknown = model.flag("fuse_unk", false),
                     .ignore_merges = model.flag("ignore_merges", false)};
  if (model.has("unk_token")) {
    options.unknown = find_spelled(parts, vocabulary, model.text("unk_token"));
    if (options.unknown == no_token) {
      fail("{}: the unk_token '{}' is not in the vocabulary", model.where(), model.text("unk_token"));
    }
  }
  const Bpe::Units units = parts.raw ? Bpe::Units::bytes : Bpe::Units::characters;
  parts.model = std::make_unique<Bpe>(std::move(vocabulary), std::move(merges), units, options);
}

AddedToken read_added_token(const Node& node, TokenId id) {
  return {.id = id,
          .content = node.text("content"),
          .single_word = node.flag("single_word"),
          .lstrip = node.flag("lstrip"),
          .rstrip = node.flag("rstrip"),
          .normalized = node.flag("normalized"),
          .special = node.flag("special")};
}

// Every place of a text is compared with the added tokens, so that a long one would make a long text slow.
void check_length(const AddedToken& token, const Node& node) {
  constexpr std::size_t max_bytes = 1024;
  if (token.content.size() > max_bytes) {
    fail("{}: a token of {} bytes, expected at most {}", node.where(), token.content.size(), max_bytes);
  }
}

// A word cannot share its id with an added token. (The official library gives the token the next free id, where the
// model has no row for it.)
void check_id_is_free(const TokenizerParts& parts, const AddedToken& token, const Node& node) {
  const Vocabulary& vocabulary = parts.model->vocabulary();
  if (!vocabulary.has(token.id)) return;
  const std::string_view word = vocabulary.text(token.id);
  fail("{}: '{}' has the id {}, which is that of '{}' in the vocabulary", node.where(), token.content, token.id,
       to_valid_utf8(word.substr(0, 80)));
}

void read_added_tokens(TokenizerParts& parts, const Node& root) {
  if (!root.has("added_tokens")) return;
  std::set<TokenId> ids;
  for (const Node& node : root.list("added_tokens")) {
    AddedToken token = read_added_token(node, node.id("id"));
    if (token.content.empty()) continue;
    check_length(token, node);
    const TokenId in_model = find_spelled(parts, parts.model->vocabulary(), token.content);
    if (in_model != no_token && in_model != token.id) {
      fail("{}: '{}' has the id {}, but {} in the vocabulary", node.where(), token.content, token.id, in_model);
    }
    if (in_model == no_token) check_id_is_free(parts, token, node);
    if (!ids.insert(token.id).second) {
      fail("{}: '{}' has the id {} of another added token", node.where(), token.content, token.id);
    }
    parts.added.push_back(std::move(token));
  }
}

TokenizerParts read_parts(std::string_view tokenizer_json, std::string_view where) {
  const TokenizerFile file = read_tokenizer_file(tokenizer_json, where);
  const Node root(file.rest, std::string(where));
  if (!file.rest.is_object()) root.wrong("an object");
  TokenizerParts parts;
  parts.where = where;
  if (root.has("normalizer")) read_normalizer(parts.normalizer, root.at("normalizer"));
  std::vector<PreTokenizerStage> stages;
  if (root.has("pre_tokenizer")) read_pre_tokenizer(stages, root.at("pre_tokenizer"));
  if (auto* last = stages.empty() ? nullptr : std::get_if<SplitByteLevel>(&stages.back())) {
    parts.raw = true;
    last->spell = false;
  }
  for (PreTokenizerStage& stage : stages) parts.pre_tokenizer.add(std::move(stage));
  read_model(parts, root.at("model"), file);
  read_added_tokens(parts, root);
  if (root.has("post_processor")) read_post_processor(parts, root.at("post_processor"));
  if (root.has("decoder")) {
    read_decoder(parts.decoder, root.at("decoder"));
  } else {
    parts.decoder.add(DecodeJoin{});
  }
  // `truncation` and `padding` say how a batch was prepared when the file was written; they are no part of what a text
  // means.
  parts.description = fmt::format("BPE from tokenizer.json, {}", parts.raw ? "byte-level" : "characters");
  return parts;
}

// A token in tokenizer_config.json: its text, or an object with the text as "content". Whatever has a name there is a
// control token, also where tokenizer.json has it as a word like any other; an extra one is, unless its flags say
// nothing of it. A word that the vocabulary lacks, transformers would add behind its end, where the model has no row
// for it; here it stays plain text.
enum class Role { named, extra };

TokenId read_config_token(TokenizerParts& parts, const Node& token, Role role) {
  const bool has_flags = token.json().is_object();
  const std::string content = has_flags ? token.text("content") : token.text();
  for (AddedToken& added : parts.added) {
    if (added.content != content) continue;
    if (role == Role::named) added.special = true;
    return added.id;
  }
  const TokenId id = content.empty() ? no_token : find_spelled(parts, parts.model->vocabulary(), content);
  if (id == no_token) return id;
  AddedToken added{.id = id, .content = content, .special = true};
  check_length(added, token);
  if (has_flags) {
    added.single_word = token.flag("single_word", false);
    added.lstrip = token.flag("lstrip", false);
    added.rstrip = token.flag("rstrip", false);
    added.normalized = token.flag("normalized", false);
    if (role == Role::extra) added.special = token.flag("special", false);
  }
  parts.added.push_back(std::move(added));
  return id;
}

void read_names(TokenizerParts& parts, const Node& config) {
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    if (!config.has(key)) continue;
    const TokenId id = read_config_token(parts, config.at(key), Role::named);
    if (key == std::string_view("bos_token")) parts.bos = id;
    if (key == std::string_view("eos_token")) parts.eos = id;
  }
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
    if (!config.has(key) || !config.at(key).json().is_array()) continue;
    for (const Node& token : config.list(key)) read_config_token(parts, token, Role::extra);
  }
}

// What would change the ids or the text, and is not done here. `add_bos_token`, `add_eos_token` and `tokenizer_class`
// change nothing where there is a tokenizer.json, nor does `clean_up_tokenization_spaces` for BPE (transformers 5.24;
// tools/goldens/tokenizer_configs.py asks it, with --official about the official folders).
void refuse_what_is_not_done(const Node& config) {
  constexpr const char* kForced = "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output";
  if (config.has("split_special_tokens") && config.flag("split_special_tokens")) {
    fail("{}: 'split_special_tokens' is true, expected false: control tokens in a text are never taken apart here",
         config.where());
  }
  if (config.has(kForced) && config.flag(kForced)) fail("{}: '{}' is true, expected false", config.where(), kForced);
}

// Tokens that tokenizer.json does not know yet, as transformers adds them.
void read_config_tokens(TokenizerParts& parts, const Node& config) {
  if (!config.has("added_tokens_decoder")) return;
  const Node decoder = config.at("added_tokens_decoder");
  if (!decoder.json().is_object()) decoder.wrong("an object");
  for (const auto& [key, value] : decoder.json().items()) {
    const Node node(value, fmt::format("{}.{}", decoder.where(), key));
    TokenId id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0 || id > max_token_id) {
      fail("{}: this is no token id", node.where());
    }
    const AddedToken token = read_added_token(node, id);
    const auto same = [&](const AddedToken& a) { return a.id == id || a.content == token.content; };
    if (token.content.empty() || std::any_of(parts.added.begin(), parts.added.end(), same)) continue;
    if (find_spelled(parts, parts.model->vocabulary(), token.content) != id) check_id_is_free(parts, token, node);
    parts.added.push_back(token);
  }
}

// Other spellings of a tokenizer, which lie where transformers did not write its own.
void refuse_other_tokenizers(const Folder& folder) {
  if (folder.has("tokenizer.json")) return;
  for (const char* other : {"tokenizer.model", "tekken.json", "vocab.json", "tiktoken.model"}) {
    if (!folder.has(other)) continue;
    fail(
        "{}: not read: a folder's tokenizer is its tokenizer.json, which is missing (transformers writes one: "
        "AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER))",
        (folder.path() / other).string());
  }
}

}  // namespace

Tokenizer Tokenizer::from_json(std::string_view tokenizer_json, std::string_view where) {
  return Impl::make(read_parts(tokenizer_json, where));
}

Tokenizer Tokenizer::from_folder(const Folder& folder) {
  refuse_other_tokenizers(folder);
  const MappedFile file = folder.open("tokenizer.json");
  TokenizerParts parts = read_parts(file.text(), file.path().string());
  const Json json = read_tokenizer_config(folder);
  const Node config(json, (folder.path() / "tokenizer_config.json").string());
  refuse_what_is_not_done(config);
  read_config_tokens(parts, config);
  read_names(parts, config);
  return Impl::make(std::move(parts));
}

}  // namespace rung
