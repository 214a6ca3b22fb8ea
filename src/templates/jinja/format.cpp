// "%s and %d" % (a, b) and "{} and {name}".format(a, name=b): each piece of the result keeps its own provenance.
// Milestone M8.
#include "base/utf8.h"
#include "templates/jinja/builtins.h"
#include "templates/jinja/text_functions.h"
#include "templates/jinja/unicode.h"

#include <cmath>

namespace rung::jinja {

namespace {

constexpr int kMaxWidth = 10000;

struct Spec {  // %(key)-08.3f
  std::optional<std::string> key;
  bool left = false, zero = false, plus = false, blank = false, alternate = false;
  int width = 0;
  int precision = -1;
  char conversion = 0;
};

class PercentFormatter {
 public:
  PercentFormatter(Runtime& runtime, const Text& format, const Value& values)
      : runtime_(runtime), format_(format), values_(values) {}

  Text run() {
    const std::string& bytes = format_.bytes();
    runtime_.spend(format_.size());
    for (at_ = 0; at_ < bytes.size();) {
      const std::size_t percent = std::min(bytes.find('%', at_), bytes.size());
      out_.append(format_, at_, percent);
      if (percent == bytes.size()) break;
      at_ = percent + 1;
      conversion(percent);
    }
    const bool ignorable =
        values_.dict() != nullptr || values_.is_list() || values_.is<Range>() || values_.is<Undefined>();
    const std::size_t given = values_.is_tuple() ? values_.sequence()->items.size() : ignorable ? used_ : 1;
    if (used_ < given) runtime_.fail("not all values are used by the format");
    return std::move(out_);
  }

 private:
  char next() {
    if (at_ == format_.size()) runtime_.fail("the format ends in the middle of a %");
    return format_.bytes()[at_++];
  }

  int number() {
    int value = 0;
    while (at_ < format_.size() && format_.bytes()[at_] >= '0' && format_.bytes()[at_] <= '9') {
      value = value * 10 + (next() - '0');
      if (value > kMaxWidth) runtime_.fail("a format wider than {}", kMaxWidth);
    }
    return value;
  }

  Spec parse() {
    Spec spec;
    char c = next();
    if (c == '(') {
      const std::size_t begin = at_;
      for (int depth = 1; depth != 0;) {
        c = next();
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      }
      spec.key = format_.bytes().substr(begin, at_ - 1 - begin);
      c = next();
    }
    for (; c == '-' || c == '0' || c == '+' || c == ' ' || c == '#'; c = next()) {
      (c == '-'   ? spec.left
       : c == '0' ? spec.zero
       : c == '+' ? spec.plus
       : c == ' ' ? spec.blank
                  : spec.alternate) = true;
    }
    --at_;
    spec.width = number();
    c = next();
    if (c == '.') {
      spec.precision = number();
      c = next();
    }
    if (c == 'l' || c == 'h' || c == 'L') c = next();
    if (c == '*') runtime_.fail("unsupported: * in a format");
    spec.conversion = c;
    return spec;
  }

  Value take(const Spec& spec) {
    if (spec.key) {
      if (values_.dict() == nullptr) runtime_.fail("a format with %(names) needs a dict");
      const Value* value = values_.dict()->find(runtime_, *spec.key);
      if (value == nullptr) runtime_.fail("the format's value '{}' is missing", *spec.key);
      return *value;
    }
    const std::size_t i = used_++;
    if (!values_.is_tuple() && i == 0) return values_;
    if (!values_.is_tuple() || i >= values_.sequence()->items.size()) runtime_.fail("not enough values for the format");
    return values_.sequence()->items[i];
  }

  void conversion(std::size_t begin) {
    const Spec spec = parse();
    if (spec.conversion == '%') return out_.append("%", format_.writer_of(begin));
    const Value value = take(spec);
    switch (spec.conversion) {
      case 's': return put(spec, to_text(runtime_, value));
      case 'r': {
        Text text;
        append_repr(runtime_, text, value);
        return put(spec, text);
      }
      case 'c': return put(spec, character(value));
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o': return put_number(spec, integer_digits(spec, value), is_negative(value));
      case 'f':
      case 'F':
      case 'e':
      case 'E':
      case 'g':
      case 'G': return put_number(spec, float_digits(spec, value), is_negative(value));
      default: runtime_.fail("unsupported: the format %{}", spec.conversion);
    }
  }

  void put(const Spec& spec, Text text) {
    if (spec.precision >= 0 && spec.conversion != 'c') {
      std::size_t end = 0;
      for (int i = 0; i < spec.precision && end < text.size(); ++i) next_code_point(text.bytes(), end);
      text = text.slice(0, end);
    }
    out_.append(pad(runtime_, text, spec.width, spec.left ? Align::left : Align::right, " "));
  }

  void put_number(const Spec& spec, std::string digits, bool negative) {
    std::string sign = negative ? "-" : spec.plus ? "+" : spec.blank ? " " : "";
    if (spec.alternate && (spec.conversion == 'x' || spec.conversion == 'X' || spec.conversion == 'o')) {
      sign += std::string("0") + spec.conversion;
    }
    const auto width = static_cast<std::size_t>(spec.width);
    if (spec.zero && !spec.left && sign.size() + digits.size() < width) {
      digits.insert(0, width - sign.size() - digits.size(), '0');
    }
    out_.append(pad(runtime_, Text::trusted(sign + digits), spec.width, spec.left ? Align::left : Align::right, " "));
  }

  static bool is_negative(const Value& value) {
    const std::optional<std::int64_t> i = value.integer();
    return i ? *i < 0 : value.number() && std::signbit(*value.number());
  }

  std::string integer_digits(const Spec& spec, const Value& value) {
    std::optional<std::int64_t> i = value.integer();
    const bool decimal = spec.conversion == 'd' || spec.conversion == 'i' || spec.conversion == 'u';
    if (!i && decimal && value.is<double>() && std::fabs(*value.number()) < 0x1p63) {
      i = static_cast<std::int64_t>(*value.number());
    }
    if (!i) runtime_.fail("%{} needs an integer, not a {}", spec.conversion, type_name(value));
    const std::uint64_t magnitude = *i < 0 ? 0 - static_cast<std::uint64_t>(*i) : static_cast<std::uint64_t>(*i);
    std::string digits = spec.conversion == 'x'   ? fmt::format("{:x}", magnitude)
                         : spec.conversion == 'X' ? fmt::format("{:X}", magnitude)
                         : spec.conversion == 'o' ? fmt::format("{:o}", magnitude)
                                                  : fmt::format("{}", magnitude);
    if (spec.precision > static_cast<int>(digits.size())) {
      digits.insert(0, static_cast<std::size_t>(spec.precision) - digits.size(), '0');
    }
    return digits;
  }

  std::string float_digits(const Spec& spec, const Value& value) {
    if (!value.number()) runtime_.fail("%{} needs a number, not a {}", spec.conversion, type_name(value));
    if (spec.alternate) runtime_.fail("unsupported: # in a float's format");
    const double magnitude = std::fabs(*value.number());
    const int precision = spec.precision < 0 ? 6 : spec.precision;
    runtime_.spend(static_cast<std::size_t>(precision) + 400);
    switch (spec.conversion) {
      case 'f': return fmt::format("{:.{}f}", magnitude, precision);
      case 'F': return fmt::format("{:.{}F}", magnitude, precision);
      case 'e': return fmt::format("{:.{}e}", magnitude, precision);
      case 'E': return fmt::format("{:.{}E}", magnitude, precision);
      case 'g': return fmt::format("{:.{}g}", magnitude, precision);
      default: return fmt::format("{:.{}G}", magnitude, precision);
    }
  }

  // A number that becomes a letter is made of who knows what: it is a person's until proven otherwise.
  Text character(const Value& value) {
    if (value.text() != nullptr && count_code_points(value.text()->bytes()) == 1) return *value.text();
    const std::optional<std::int64_t> i = value.integer();
    if (!i || *i < 0 || *i > 0x10ffff || (*i >= 0xd800 && *i < 0xe000)) {
      runtime_.fail("%c needs one character, or the number of one");
    }
    std::string bytes;
    append_utf8(bytes, static_cast<char32_t>(*i));
    return Text::written(bytes, kPerson);
  }

  Runtime& runtime_;
  const Text& format_;
  const Value& values_;
  Text out_;
  std::size_t at_ = 0;
  std::size_t used_ = 0;
};

class BraceFormatter {
 public:
  BraceFormatter(Runtime& runtime, const Text& format, const Args& args)
      : runtime_(runtime), format_(format), args_(args) {}

  Text run() {
    const std::string& bytes = format_.bytes();
    runtime_.spend(format_.size());
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t brace = std::min(bytes.find_first_of("{}", at), bytes.size());
      out_.append(format_, at, brace);
      if (brace == bytes.size()) break;
      if (brace + 1 < bytes.size() && bytes[brace + 1] == bytes[brace]) {  // {{ stands for {
        out_.append(format_, brace, brace + 1);
        at = brace + 2;
        continue;
      }
      const std::size_t end = bytes.find('}', brace);
      if (bytes[brace] == '}' || end == std::string::npos) runtime_.fail("a single '{}' in a format", bytes[brace]);
      field(std::string_view(bytes).substr(brace + 1, end - brace - 1));
      at = end + 1;
    }
    return std::move(out_);
  }

 private:
  void field(std::string_view text) {
    if (text.find_first_of(":{") != std::string_view::npos) {
      runtime_.fail("unsupported: '{{{}}}' in a format (only names, places and !r)", text);
    }
    bool as_repr = false;
    if (const std::size_t bang = text.find('!'); bang != std::string_view::npos) {
      const std::string_view kind = text.substr(bang + 1);
      if (kind != "s" && kind != "r") runtime_.fail("unsupported: the conversion '!{}' in a format", kind);
      as_repr = kind == "r";
      text = text.substr(0, bang);
    }
    const std::size_t rest = std::min(text.find_first_of(".["), text.size());
    const Value value = parts(first(text.substr(0, rest)), text.substr(rest));
    if (as_repr) {
      append_repr(runtime_, out_, value);
    } else {
      append_text(runtime_, out_, value);
    }
  }

  static bool is_number(std::string_view text) {
    return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string_view::npos;
  }

  Value first(std::string_view name) {
    if (name.empty() || is_number(name)) {
      const bool automatic = name.empty();
      if (numbered_ && *numbered_ != automatic) runtime_.fail("a format with both {{}} and {{0}}");
      numbered_ = automatic;
      const std::size_t i = automatic ? next_++ : static_cast<std::size_t>(std::stoul(std::string(name)));
      if (i >= args_.positional.size()) runtime_.fail("not enough values for the format");
      return args_.positional[i];
    }
    for (const auto& [key, value] : args_.named) {
      if (key == name) return value;
    }
    runtime_.fail("the format's value '{}' is missing", name);
  }

  // .name and [index], one after another
  Value parts(Value value, std::string_view rest) {
    while (!rest.empty()) {
      const bool bracket = rest[0] == '[';
      if (!bracket && rest[0] != '.') runtime_.fail("'{}' in a format: expected '.' or '['", rest);
      const std::size_t end = std::min(bracket ? rest.find(']') : rest.find_first_of(".[", 1), rest.size());
      if (bracket && end == rest.size()) runtime_.fail("a '[' without ']' in a format");
      const std::string_view name = rest.substr(1, end - 1);
      if (name.empty()) runtime_.fail("an empty name in a format");
      if (bracket) {
        value = get_item(runtime_, value,
                         is_number(name) ? Value(static_cast<std::int64_t>(std::stoll(std::string(name))))
                                         : Value::of_string(std::string(name)));
      } else {
        value = get_attribute(runtime_, value, name);
      }
      rest = rest.substr(bracket ? end + 1 : end);
    }
    return value;
  }

  Runtime& runtime_;
  const Text& format_;
  const Args& args_;
  Text out_;
  std::optional<bool> numbered_;
  std::size_t next_ = 0;
};

}  // namespace

Text format_percent(Runtime& runtime, const Text& format, const Value& values) {
  refuse_escaped(runtime, format, "%");
  return PercentFormatter(runtime, format, values).run();
}

Text format_braces(Runtime& runtime, const Text& format, const Args& args) {
  return BraceFormatter(runtime, format, args).run();
}

}  // namespace rung::jinja
