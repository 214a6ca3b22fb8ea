#include "templates/jinja/operators.h"

#include "templates/jinja/builtins.h"

#include <cmath>
#include <limits>

namespace rung::jinja {

namespace {

std::string_view symbol(BinaryOp op) {
  static constexpr std::string_view symbols[] = {"+", "-", "*", "/", "//", "%", "**", "and", "or"};
  return symbols[static_cast<int>(op)];
}

std::int64_t floor_divide(Runtime& runtime, std::int64_t a, std::int64_t b) {
  if (b == -1) {
    std::int64_t result = 0;
    if (__builtin_sub_overflow(std::int64_t{0}, a, &result)) runtime.overflow();
    return result;
  }
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

std::int64_t modulo(std::int64_t a, std::int64_t b) {
  if (b == -1) return 0;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value int_power(Runtime& runtime, std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) runtime.fail("0 to a negative power");
    return Value(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  std::int64_t result = 1;
  for (std::int64_t square = base; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, square, &result)) runtime.overflow();
    if (exponent > 1 && __builtin_mul_overflow(square, square, &square)) runtime.overflow();
  }
  return Value(result);
}

Value int_arithmetic(Runtime& runtime, BinaryOp op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  const bool divides = op == BinaryOp::divide || op == BinaryOp::floor_divide || op == BinaryOp::modulo;
  if (divides && b == 0) runtime.fail("division by zero");
  switch (op) {
    case BinaryOp::add:
      if (__builtin_add_overflow(a, b, &result)) runtime.overflow();
      return Value(result);
    case BinaryOp::subtract:
      if (__builtin_sub_overflow(a, b, &result)) runtime.overflow();
      return Value(result);
    case BinaryOp::multiply:
      if (__builtin_mul_overflow(a, b, &result)) runtime.overflow();
      return Value(result);
    case BinaryOp::divide: return Value(static_cast<double>(a) / static_cast<double>(b));
    case BinaryOp::floor_divide: return Value(floor_divide(runtime, a, b));
    case BinaryOp::modulo: return Value(modulo(a, b));
    default: return int_power(runtime, a, b);
  }
}

double float_modulo(double a, double b) {
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

double float_floor_divide(double a, double b) {
  const double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (rest < 0) != (b < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double whole = std::floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

Value float_power(Runtime& runtime, double a, double b) {
  if (a == 0 && b < 0) runtime.fail("0 to a negative power");
  if (a < 0 && std::isfinite(a) && std::isfinite(b) && b != std::floor(b)) {
    runtime.fail("unsupported: a fractional power of a negative number");
  }
  const double result = std::pow(a, b);
  if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) runtime.fail("a power too large for a float");
  return Value(result);
}

Value float_arithmetic(Runtime& runtime, BinaryOp op, double a, double b) {
  const bool divides = op == BinaryOp::divide || op == BinaryOp::floor_divide || op == BinaryOp::modulo;
  if (divides && b == 0) runtime.fail("division by zero");
  switch (op) {
    case BinaryOp::add: return Value(a + b);
    case BinaryOp::subtract: return Value(a - b);
    case BinaryOp::multiply: return Value(a * b);
    case BinaryOp::divide: return Value(a / b);
    case BinaryOp::floor_divide: return Value(float_floor_divide(a, b));
    case BinaryOp::modulo: return Value(float_modulo(a, b));
    default: return float_power(runtime, a, b);
  }
}

Text join(Runtime& runtime, const Text& a, const Text& b) {
  const bool escaped = a.escaped || b.escaped;
  runtime.spend(a.memory() + b.memory());
  Text out = escaped ? html_escape(a) : a;
  out.append(escaped ? html_escape(b) : b);
  return out;
}

Value repeat_items(Runtime& runtime, const Sequence& sequence, std::int64_t count) {
  const std::size_t times = count > 0 ? static_cast<std::size_t>(count) : 0;
  runtime.spend(times, (sequence.items.size() + 1) * sizeof(Value));
  std::vector<Value> items;
  for (std::size_t i = 0; i < times; ++i) items.insert(items.end(), sequence.items.begin(), sequence.items.end());
  return sequence.is_tuple ? Value::tuple(runtime, std::move(items)) : Value::list(runtime, std::move(items));
}

// "ab" * 3 and 3 * "ab"; nothing if neither is such a pair.
std::optional<Value> multiply_sequence(Runtime& runtime, const Value& a, const Value& b) {
  const bool left = a.text() != nullptr || a.sequence() != nullptr;
  const Value& items = left ? a : b;
  const std::optional<std::int64_t> count = (left ? b : a).integer();
  if (!count) return {};
  if (items.text() != nullptr) return Value(repeat(runtime, *items.text(), *count));
  if (items.sequence() != nullptr) return repeat_items(runtime, *items.sequence(), *count);
  return {};
}

std::optional<Value> add_sequences(Runtime& runtime, const Value& a, const Value& b) {
  if (a.text() != nullptr && b.text() != nullptr) return Value(join(runtime, *a.text(), *b.text()));
  const Sequence* s = a.sequence();
  const Sequence* t = b.sequence();
  if (s == nullptr || t == nullptr || s->is_tuple != t->is_tuple) return {};
  runtime.spend(s->items.size() + t->items.size(), sizeof(Value));
  std::vector<Value> items = s->items;
  items.insert(items.end(), t->items.begin(), t->items.end());
  return s->is_tuple ? Value::tuple(runtime, std::move(items)) : Value::list(runtime, std::move(items));
}

}  // namespace

Text repeat(Runtime& runtime, const Text& text, std::int64_t count) {
  Text out;
  out.escaped = text.escaped;
  if (count <= 0 || text.empty()) return out;
  runtime.spend(static_cast<std::size_t>(count), text.memory());
  for (std::int64_t i = 0; i < count; ++i) out.append(text);
  return out;
}

Value arithmetic(Runtime& runtime, BinaryOp op, const Value& a, const Value& b) {
  if (op == BinaryOp::modulo && a.text() != nullptr) return Value(format_percent(runtime, *a.text(), b));
  for (const Value* operand : {&a, &b}) {
    if (const Undefined* undefined = operand->as<Undefined>()) runtime.fail("{}", *undefined->why);
  }
  if (a.integer() && b.integer()) return int_arithmetic(runtime, op, *a.integer(), *b.integer());
  if (a.number() && b.number()) return float_arithmetic(runtime, op, *a.number(), *b.number());
  std::optional<Value> result;
  if (op == BinaryOp::add) result = add_sequences(runtime, a, b);
  if (op == BinaryOp::multiply) result = multiply_sequence(runtime, a, b);
  if (!result) {
    const bool list_in_text =
        op == BinaryOp::add && ((a.text() != nullptr && b.is_list()) || (a.is_list() && b.text()));
    runtime.fail(
        "'{}' does not work between a {} and a {}{}", symbol(op), type_name(a), type_name(b),
        list_in_text ? " (where this template joins strings, the content of a message should be a string)" : "");
  }
  return *result;
}

Value negate(Runtime& runtime, const Value& a, bool positive) {
  if (const Undefined* undefined = a.as<Undefined>()) runtime.fail("{}", *undefined->why);
  if (const std::optional<std::int64_t> i = a.integer()) {
    if (*i == std::numeric_limits<std::int64_t>::min() && !positive) runtime.overflow();
    return Value(positive ? *i : -*i);
  }
  if (const double* d = a.as<double>()) return Value(positive ? *d : -*d);
  runtime.fail("a sign does not work on a {}", type_name(a));
}

bool compare(Runtime& runtime, CompareOp op, const Value& a, const Value& b) {
  switch (op) {
    case CompareOp::equal: return equal(runtime, a, b);
    case CompareOp::not_equal: return !equal(runtime, a, b);
    case CompareOp::less: return less(runtime, a, b);
    case CompareOp::less_equal: return less_equal(runtime, a, b);
    case CompareOp::greater: return less(runtime, b, a);
    case CompareOp::greater_equal: return less_equal(runtime, b, a);
    case CompareOp::in: return contains(runtime, b, a);
    case CompareOp::not_in: break;
  }
  return !contains(runtime, b, a);
}

}  // namespace rung::jinja
