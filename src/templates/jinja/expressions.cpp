// The evaluator's half that computes expressions.  Milestone M8.
#include "templates/jinja/builtins.h"
#include "templates/jinja/evaluator.h"
#include "templates/jinja/operators.h"

namespace rung::jinja {

Value Evaluator::evaluate(const ExprPtr& expr, Frame& frame) {
  if (const Literal* literal = std::get_if<Literal>(&expr->node)) return literal->value;
  const Runtime::Nested nested(runtime_);
  runtime_.line = expr->line;
  runtime_.spend(kStepBytes);
  return std::visit(
      [&](const auto& node) -> Value {
        if constexpr (std::is_same_v<std::decay_t<decltype(node)>, Literal>) {
          return node.value;
        } else {
          return evaluate_node(node, frame);
        }
      },
      expr->node);
}

std::vector<Value> Evaluator::evaluate_all(const std::vector<ExprPtr>& items, Frame& frame) {
  std::vector<Value> values;
  for (const ExprPtr& item : items) values.push_back(evaluate(item, frame));
  return values;
}

Value Evaluator::lookup(NameId name, Frame& frame) {
  for (Frame* f = &frame; f != nullptr; f = f->parent) {
    runtime_.spend(f->variables.size());
    if (const std::optional<Value>* value = f->find(name)) {
      if (*value) return **value;
      return Value::undefined(fmt::format("'{}' is undefined", tree_.names[static_cast<std::size_t>(name)]));
    }
  }
  if (const std::optional<Value>& value = context_[static_cast<std::size_t>(name)]) return *value;
  const std::string& text = tree_.names[static_cast<std::size_t>(name)];
  if (text == "cycler" || text == "joiner" || text == "lipsum" || text == "self") {
    runtime_.fail("unsupported: jinja2's '{}'", text);
  }
  return Value::undefined(fmt::format("'{}' is undefined", text));
}

Value Evaluator::evaluate_node(const Name& e, Frame& frame) { return lookup(e.id, frame); }
Value Evaluator::evaluate_node(const TupleExpr& e, Frame& frame) {
  return Value::tuple(runtime_, evaluate_all(e.items, frame));
}
Value Evaluator::evaluate_node(const ListExpr& e, Frame& frame) {
  return Value::list(runtime_, evaluate_all(e.items, frame));
}

Value Evaluator::evaluate_node(const DictExpr& e, Frame& frame) {
  DictBuilder dict(runtime_);
  for (const auto& [key, value] : e.entries) {
    Value k = evaluate(key, frame);
    dict.set(std::move(k), evaluate(value, frame));
  }
  return std::move(dict).build();
}

Value Evaluator::evaluate_node(const Concat& e, Frame& frame) {
  Text text;
  for (const Value& item : evaluate_all(e.items, frame)) append_text(runtime_, text, item);
  return Value(std::move(text));
}

Value Evaluator::evaluate_node(const Unary& e, Frame& frame) {
  const Value operand = evaluate(e.operand, frame);
  if (e.op == UnaryOp::logical_not) return Value(!truthy(runtime_, operand));
  return negate(runtime_, operand, e.op == UnaryOp::positive);
}

Value Evaluator::evaluate_node(const Binary& e, Frame& frame) {
  Value left = evaluate(e.left, frame);
  if (e.op == BinaryOp::logical_and) return truthy(runtime_, left) ? evaluate(e.right, frame) : left;
  if (e.op == BinaryOp::logical_or) return truthy(runtime_, left) ? left : evaluate(e.right, frame);
  const Value right = evaluate(e.right, frame);
  return arithmetic(runtime_, e.op, left, right);
}

Value Evaluator::evaluate_node(const Compare& e, Frame& frame) {
  Value left = evaluate(e.first, frame);
  for (const auto& [op, operand] : e.rest) {
    Value right = evaluate(operand, frame);
    if (!compare(runtime_, op, left, right)) return Value(false);
    left = std::move(right);
  }
  return Value(true);
}

Value Evaluator::evaluate_node(const Conditional& e, Frame& frame) {
  if (truthy(runtime_, evaluate(e.test, frame))) return evaluate(e.yes, frame);
  if (e.no) return evaluate(e.no, frame);
  return Value::undefined("the inline 'if' has no 'else', and its condition is false");
}

Value Evaluator::evaluate_node(const Attribute& e, Frame& frame) {
  const Value object = evaluate(e.object, frame);
  return get_attribute(runtime_, object, e.name);
}

Value Evaluator::evaluate_node(const Subscript& e, Frame& frame) {
  const Value object = evaluate(e.object, frame);
  return get_item(runtime_, object, evaluate(e.index, frame));
}

Value Evaluator::evaluate_node(const Slice& e, Frame& frame) {
  const Value object = evaluate(e.object, frame);
  const auto part = [&](const ExprPtr& expr) { return expr ? evaluate(expr, frame) : Value(None{}); };
  const Value start = part(e.start);
  const Value stop = part(e.stop);
  return get_slice(runtime_, object, start, stop, part(e.step));
}

Args Evaluator::evaluate_arguments(const Arguments& arguments, Frame& frame) {
  Args args;
  args.positional = evaluate_all(arguments.positional, frame);
  for (const auto& [name, value] : arguments.named) args.named.emplace_back(name, evaluate(value, frame));
  if (arguments.star) {
    for (Value& item : to_vector(runtime_, evaluate(arguments.star, frame))) args.positional.push_back(std::move(item));
  }
  if (arguments.double_star) {
    const Value named = evaluate(arguments.double_star, frame);
    if (named.dict() == nullptr) runtime_.fail("what follows ** must be a dict, not a {}", type_name(named));
    for (const auto& [key, value] : named.dict()->entries) {
      if (key.text() == nullptr) runtime_.fail("what follows ** must have strings as keys, not a {}", type_name(key));
      const std::string& name = key.text()->bytes();
      runtime_.spend(args.named.size() + 1, 8);
      for (const auto& other : args.named) {
        if (other.first == name) runtime_.fail("the argument '{}' is given twice", name);
      }
      args.named.emplace_back(name, value);
    }
  }
  return args;
}

Value Evaluator::evaluate_node(const Call& e, Frame& frame) {
  const Value callee = evaluate(e.callee, frame);
  Args args = evaluate_arguments(e.arguments, frame);
  runtime_.line = e.callee->line;
  return call(callee, std::move(args));
}

Value Evaluator::call(const Value& callee, Args arguments) {
  if (const CallablePtr* function = callee.as<CallablePtr>()) {
    return (*function)->function(runtime_, (*function)->self, arguments);
  }
  if (callee.is<Macro*>()) return call_macro(**callee.as<Macro*>(), std::move(arguments));
  if (const Undefined* undefined = callee.as<Undefined>()) runtime_.fail("{}", *undefined->why);
  if (callee.is<Loop*>()) runtime_.fail("unsupported: calling 'loop', as recursive loops do");
  runtime_.fail("a {} cannot be called", type_name(callee));
}

Value Evaluator::apply_filter(const Filter& filter, const Value& input, Frame& frame) {
  const Args args = evaluate_arguments(filter.arguments, frame);
  if (filter.function == nullptr) runtime_.fail("Rung's templates have no filter named '{}'", filter.name);
  return filter.function(runtime_, input, args);
}

Value Evaluator::evaluate_node(const Filter& e, Frame& frame) {
  const Value input = evaluate(e.input, frame);
  return apply_filter(e, input, frame);
}

// A chain of filters whose innermost takes the text of the block around it.
Value Evaluator::apply_to_block(const ExprPtr& filter, Text block, Frame& frame) {
  const Runtime::Nested nested(runtime_);
  const Filter& e = std::get<Filter>(filter->node);
  const Value input = e.input ? apply_to_block(e.input, std::move(block), frame) : Value(std::move(block));
  return apply_filter(e, input, frame);
}

Value Evaluator::evaluate_node(const Test& e, Frame& frame) {
  const Value input = evaluate(e.input, frame);
  const Args args = evaluate_arguments(e.arguments, frame);
  if (e.function == nullptr) runtime_.fail("Rung's templates have no test named '{}'", e.name);
  return e.function(runtime_, input, args);
}

}  // namespace rung::jinja
