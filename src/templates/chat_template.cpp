#include "templates/chat_template.h"

#include "base/error.h"
#include "base/utf8.h"
#include "templates/jinja/builtins.h"
#include "templates/jinja/evaluator.h"
#include "templates/jinja/parser.h"

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

// JSON → values, once; every string of an untrusted part carries that mark from here on.
class Converter {
 public:
  Converter(Runtime& runtime, bool untrusted) : runtime_(runtime), untrusted_(untrusted) {}

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
    return Value(untrusted_ ? Text::untrusted(bytes) : Text::trusted(bytes));
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

  // transformers lets templates find what an assistant thought under `reasoning_content`, and under `thinking`, however
  // it was called.
  Value message(const OrderedJson& json) const {
    if (!json.is_object()) return convert(json);
    const OrderedJson* reasoning = nullptr;
    for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
      const auto found = json.find(name);
      if (reasoning == nullptr && found != json.end() && !found->is_null()) reasoning = &*found;
    }
    if (reasoning == nullptr) return object(json);
    DictBuilder dict(runtime_);
    dict.set(Value::of_string("thinking"), convert(*reasoning));
    for (const auto& [key, value] : json.items()) dict.set(string(key), convert(value));
    dict.set(Value::of_string("reasoning_content"), convert(*reasoning));
    return std::move(dict).build();
  }

  Value messages(const OrderedJson& json) const {
    if (!json.is_array()) return convert(json);
    std::vector<Value> items;
    for (const OrderedJson& item : json) items.push_back(message(item));
    return Value::list(runtime_, std::move(items));
  }

 private:
  Value unsigned_number(std::uint64_t number) const {
    if (number > static_cast<std::uint64_t>(INT64_MAX)) {
      runtime_.fail("unsupported: the number {}, an integer of more than 64 bits", number);
    }
    return Value(static_cast<std::int64_t>(number));
  }

  Runtime& runtime_;
  bool untrusted_;
};

std::optional<Value> context_value(Runtime& runtime, const OrderedJson& context, const std::string& name) {
  const auto found = context.find(name);
  if (found != context.end()) {
    const bool untrusted = name == "messages" || name == "tools" || name == "documents";
    const Converter converter(runtime, untrusted);
    return name == "messages" ? converter.messages(*found) : converter.convert(*found);
  }
  if (name == "tools" || name == "documents") return Value(None{});
  if (name == "add_generation_prompt") return Value(false);
  if (const Builtin function = find_global(name)) {
    return Value(std::make_shared<const Callable>(Callable{name, function, Value()}));
  }
  return {};
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

RenderedChat ChatTemplate::render(const OrderedJson& context, const std::tm& now) const {
  const Template& tree = impl_->tree;
  if (!context.is_object()) fail("{}: the context of a chat template must be an object", tree.where);
  const std::size_t size = size_of(context) + impl_->source.size();
  Runtime runtime(tree.where, kBudget + size * kBudgetPerByte, now);
  runtime.line = 1;
  std::vector<std::optional<Value>> values;
  for (const std::string& name : tree.names) values.push_back(context_value(runtime, context, name));
  const Text text = Evaluator(tree, runtime, std::move(values)).run();
  return {text.bytes(), text.untrusted_ranges()};
}

}  // namespace rung
