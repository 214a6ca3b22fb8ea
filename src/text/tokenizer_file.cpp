#include "text/tokenizer_file.h"

#include "base/error.h"
#include "text/vocabulary.h"

namespace rung {
namespace {

// nlohmann's parser calls these as it reads, so no document of a million nodes is built.
class Reader : public nlohmann::json_sax<Json> {
 public:
  Reader(TokenizerFile& file, std::string_view where) : file_(file), where_(where) {}

  bool null() override { return value(nullptr); }
  bool boolean(bool b) override { return value(b); }
  bool number_integer(number_integer_t n) override { return value(n); }
  bool number_float(number_float_t n, const string_t&) override { return value(n); }
  bool number_unsigned(number_unsigned_t n) override {
    if (!in_vocabulary_ || n > static_cast<number_unsigned_t>(max_token_id)) return value(n);
    file_.vocabulary.push_back({key_, static_cast<TokenId>(n)});
    return true;
  }
  bool string(string_t& text) override {
    if (!in_merges_) return value(text);
    if (in_pair_) {
      pair_.push_back(keep(text));
    } else if (!text.starts_with("#version")) {  // merges.txt's first line, which old files carry along
      const std::size_t space = text.find(' ');
      if (space == text.npos || text.find(' ', space + 1) != text.npos) bad_merge("'" + text.substr(0, 80) + "'");
      const std::string_view all = text;
      const auto left = keep(all.substr(0, space)), right = keep(all.substr(space + 1));
      file_.merges.push_back({left, right});
    }
    return true;
  }
  bool binary(binary_t&) override { return false; }

  bool key(string_t& text) override {
    if (in_vocabulary_) {
      key_ = keep(text);
    } else {
      name_ = text;
    }
    return true;
  }

  bool start_object(std::size_t) override {
    const bool is_vocabulary = is_member_of_model("vocab");
    open(Json::object());
    in_vocabulary_ = is_vocabulary;
    return true;
  }
  bool end_object() override {
    in_vocabulary_ = false;
    return close();
  }

  bool start_array(std::size_t) override {
    if (in_merges_ && !in_pair_) {
      pair_.clear();
      return in_pair_ = true;
    }
    const bool is_merges = is_member_of_model("merges");
    open(Json::array());
    in_merges_ = is_merges;
    return true;
  }
  bool end_array() override {
    if (!in_pair_) {
      in_merges_ = false;
      return close();
    }
    if (pair_.size() != 2) bad_merge(fmt::format("an array of {}", pair_.size()));
    file_.merges.push_back({pair_[0], pair_[1]});
    in_pair_ = false;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& e) override {
    const std::string_view what = e.what();
    const std::size_t end = what.find("] ");
    fail("{}: not JSON: byte {}: {}", where_, position, end == what.npos ? what : what.substr(end + 2).substr(0, 200));
  }

 private:
  static constexpr std::size_t max_depth = 256;

  bool is_member_of_model(std::string_view name) const {
    return open_.size() == 2 && path_[1] == "model" && name_ == name;
  }

  [[noreturn]] void bad_merge(std::string_view found) const {
    fail("{}: model.merges: entry {} is {}, expected two tokens", where_, file_.merges.size(), found);
  }
  // What may stand neither in the vocabulary nor among the merges.
  void check_place(const Json& json) const {
    const std::string found = json.is_structured()
                                  ? json.type_name()
                                  : json.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 80);
    if (in_merges_) bad_merge(found);
    if (!in_vocabulary_) return;
    fail("{}: model.vocab: token '{}' has the id {}, expected a whole number from 0 to {}", where_,
         file_[key_].substr(0, 80), found, max_token_id);
  }

  TokenizerFile::Text keep(std::string_view text) {
    const TokenizerFile::Text t{file_.texts.size(), text.size()};
    file_.texts.append(text);
    return t;
  }

  Json* place(Json json) {
    if (open_.empty()) return &(file_.rest = std::move(json));
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(json));
      return &parent.back();
    }
    return &(parent[name_] = std::move(json));
  }
  bool value(Json json) {
    if (in_merges_ || in_vocabulary_) check_place(json);
    place(std::move(json));
    return true;
  }
  void open(Json json) {
    if (in_merges_ || in_vocabulary_) check_place(json);
    if (open_.size() == max_depth) fail("{}: JSON nested deeper than {}", where_, max_depth);
    path_.push_back(name_);
    open_.push_back(place(std::move(json)));
  }
  bool close() {
    open_.pop_back();
    path_.pop_back();
    return true;
  }

  TokenizerFile& file_;
  std::string_view where_;
  std::vector<Json*> open_;        // the containers that the reader is in
  std::vector<std::string> path_;  // and their names in the one around them
  std::string name_;               // the key read last
  TokenizerFile::Text key_{};      // in the vocabulary
  std::vector<TokenizerFile::Text> pair_;
  bool in_vocabulary_ = false, in_merges_ = false, in_pair_ = false;
};

}  // namespace

TokenizerFile read_tokenizer_file(std::string_view json, std::string_view where) {
  TokenizerFile file;
  file.texts.reserve(json.size() / 2);
  Reader reader(file, where);
  Json::sax_parse(json, &reader);
  return file;
}

}  // namespace rung
