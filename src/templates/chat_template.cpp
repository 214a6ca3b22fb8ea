#include "templates/chat_template.h"

#include "base/json.h"
#include "base/error.h"
#include "base/utf8.h"
#include "templates/jinja/builtins.h"
#include "templates/jinja/evaluator.h"
#include "templates/jinja/parser.h"
#include "templates/messages.h"

namespace rung {

using namespace jinja;

namespace {

// What a rendering may make, in bytes: far beyond any conversation, and done in a second or two. It grows with the
// conversation.
constexpr std::size_t kBudget = std::size_t{256} << 20;
constexpr std::size_t kBudgetPerByte = 64;

std::tm local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm broken_down{};
#if defined(_WIN32)
  localtime_s(&broken_down, &now);
#else
  localtime_r(&now, &broken_down);  // localtime() shares one result with every thread
#endif
  return broken_down;
}

// How large a context is, roughly: the bytes of its strings and something for everything else.
std::size_t size_of(const OrderedJson& json) {
  std::size_t bytes = 16;
  if (json.is_string()) bytes += json.get_ref<const std::string&>().size();
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) bytes += key.size() + size_of(value);
  }
  if (json.is_array()) {
    for (const OrderedJson& item : json) bytes += size_of(item);
  }
  return bytes;
}

// The roles of a conversation. Templates write control tokens with them ('<|' + role + '|>'); any other role is text
// that somebody typed, and would forge a token so.
bool is_known_role(const OrderedJson& role) {
  static const std::set<std::string> known = {"system",    "user",     "assistant", "tool",
                                              "developer", "function", "ipython"};
  return role.is_string() && known.contains(role.get_ref<const std::string&>());
}

// JSON → values, once; every string carries its writer from here on.
class Converter {
 public:
  Converter(Runtime& runtime, Writer writer) : runtime_(runtime), writer_(writer) {}

  Value convert(const OrderedJson& json) const {
    switch (json.type()) {
      case OrderedJson::value_t::boolean: return Value(json.get<bool>());
      case OrderedJson::value_t::number_integer: return Value(json.get<std::int64_t>());
      case OrderedJson::value_t::number_unsigned: return unsigned_number(json.get<std::uint64_t>());
      case OrderedJson::value_t::number_float: return Value(json.get<double>());
      case OrderedJson::value_t::string: return string(json.get_ref<const std::string&>());
      case OrderedJson::value_t::array: return array(json);
      case OrderedJson::value_t::object: return object(json);
      default: return Value(None{});
    }
  }

  Value string(const std::string& bytes) const {
    runtime_.spend(bytes.size());
    if (const auto invalid = find_invalid_utf8(bytes)) {
      runtime_.fail("a string of the conversation is not UTF-8 (at its byte {})", *invalid);
    }
    return Value(Text::written(bytes, writer_));
  }

  Value array(const OrderedJson& json) const {
    std::vector<Value> items;
    for (const OrderedJson& item : json) items.push_back(convert(item));
    return Value::list(runtime_, std::move(items));
  }

  Value object(const OrderedJson& json) const {
    DictBuilder dict(runtime_);
    for (const auto& [key, value] : json.items()) dict.append_new(string(key), convert(value));
    return std::move(dict).build();
  }

  Value message(const OrderedJson& json) const {
    DictBuilder dict(runtime_);
    for (const auto& [key, value] : json.items()) {
      const bool structure = key == "role" && is_known_role(value);
      dict.append_new(string(key), structure ? Value::of_string(value.get<std::string>()) : convert(value));
    }
    return std::move(dict).build();
  }

 private:
  Value unsigned_number(std::uint64_t number) const {
    if (number > static_cast<std::uint64_t>(INT64_MAX)) {
      runtime_.fail("unsupported: the number {}, an integer of more than 64 bits", number);
    }
    return Value(static_cast<std::int64_t>(number));
  }

  Runtime& runtime_;
  Writer writer_;
};

Value messages_value(Runtime& runtime, const OrderedJson& messages) {
  std::vector<Value> items;
  for (const OrderedJson& message : messages) {
    const auto role = message.find("role");
    const bool spoken = role != message.end() && *role == "assistant";
    const Writer writer = spoken ? kAssistant + static_cast<Writer>(items.size()) : kPerson;
    items.push_back(Converter(runtime, writer).message(message));
  }
  return Value::list(runtime, std::move(items));
}

std::optional<Value> context_value(Runtime& runtime, const OrderedJson& context, const std::string& name) {
  const auto found = context.find(name);
  if (found != context.end()) {
    if (name == "messages") return messages_value(runtime, *found);
    return Converter(runtime, name.ends_with("_token") ? kTemplate : kPerson).convert(*found);
  }
  if (name == "tools" || name == "documents") return Value(None{});
  if (name == "add_generation_prompt") return Value(false);
  if (const Builtin function = find_global(name)) {
    return Value(std::make_shared<const Callable>(Callable{name, function, Value()}));
  }
  return {};
}

RenderedChat rendered(const Text& text) {
  RenderedChat chat{.text = text.bytes(), .untrusted = {}, .typed = {}, .spoken = {}};
  for (const Written& range : text.written()) {
    if (!chat.untrusted.empty() && chat.untrusted.back().end == range.begin) {
      chat.untrusted.back().end = range.end;
    } else {
      chat.untrusted.push_back(range);
    }
    if (range.by == kPerson) {
      chat.typed.push_back(range);
    } else {
      chat.spoken.push_back({range, range.by - kAssistant});
    }
  }
  return chat;
}

}  // namespace

struct ChatTemplate::Impl {
  std::string source;
  Template tree;
};

ChatTemplate::ChatTemplate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

ChatTemplate ChatTemplate::parse(std::string_view source, std::string_view where) {
  return ChatTemplate(std::make_unique<Impl>(Impl{std::string(source), parse_template(source, where)}));
}

const std::string& ChatTemplate::source() const { return impl_->source; }

RenderedChat ChatTemplate::render(const OrderedJson& context) const { return render(context, local_time()); }

const std::vector<std::string>& ChatTemplate::literals() const { return impl_->tree.literals; }

const std::set<std::string>& ChatTemplate::variables() const { return impl_->tree.reads; }

RenderedChat ChatTemplate::render(const OrderedJson& given, const std::tm& now) const {
  const Template& tree = impl_->tree;
  if (!given.is_object()) fail("{}: the context of a chat template must be an object", tree.where);
  OrderedJson context = given;
  if (context.contains("messages")) context["messages"] = prepared_messages(context["messages"], tree.where);
  std::optional<OpenEnd> open_end;
  const OrderedJson field = context.value("continue_final_message", OrderedJson(false));
  context.erase("continue_final_message");
  if (field != false && !field.is_null()) {
    if (context.value("add_generation_prompt", OrderedJson(false)) == true) {
      fail("{}: continue_final_message and add_generation_prompt: which of them?", tree.where);
    }
    if (!context.contains("messages")) fail("{}: continue_final_message needs messages", tree.where);
    open_end.emplace(context["messages"], field, impl_->source, tree.where);
  }
  const std::size_t size = size_of(context) + impl_->source.size();
  Runtime runtime(tree.where, kBudget + size * kBudgetPerByte, now);
  runtime.line = 1;
  std::vector<std::optional<Value>> values;
  for (const std::string& name : tree.names) values.push_back(context_value(runtime, context, name));
  Text text = Evaluator(tree, runtime, std::move(values)).run();
  if (open_end) text = open_end->cut(text);
  return rendered(text);
}

}  // namespace rung
