// The evaluator's half that runs statements.  Milestone M8.
#include "templates/jinja/evaluator.h"

namespace rung::jinja {

std::optional<Value>* Frame::find(NameId name) {
  for (auto& [id, value] : variables) {
    if (id == name) return &value;
  }
  return nullptr;
}

void Frame::set(NameId name, Value value) {
  if (std::optional<Value>* old = find(name)) {
    *old = std::move(value);
  } else {
    variables.emplace_back(name, std::move(value));
  }
}

template <class Body>
Evaluator::Flow Evaluator::in_scope(const Scope& scope, Frame& parent, Body body) {
  Frame local;
  Frame* frame = &local;
  if (scope.captured) {  // a macro that is defined inside may be called when this scope is long left
    runtime_.spend(sizeof(Frame));
    frame = &runtime_.frames.emplace_back();
  }
  frame->parent = &parent;
  for (const NameId name : scope.unset) frame->variables.emplace_back(name, std::nullopt);
  return body(*frame);
}

template <class Body>
Text Evaluator::capture(Body body, Flow& flow) {
  Text outer = std::exchange(out_, Text());
  flow = body();
  return std::exchange(out_, std::move(outer));
}

Text Evaluator::run() {
  Frame root;
  for (const NameId name : tree_.scope.unset) root.variables.emplace_back(name, std::nullopt);
  execute(tree_.body, root);
  return std::move(out_);
}

Evaluator::Flow Evaluator::execute(const Block& block, Frame& frame) {
  const Runtime::Nested nested(runtime_);
  for (const Statement& statement : block) {
    runtime_.line = statement.line;
    runtime_.spend(kStepBytes);
    const Flow flow = execute_one(statement, frame);
    if (flow != Flow::next) return flow;
  }
  return Flow::next;
}

Evaluator::Flow Evaluator::execute_one(const Statement& statement, Frame& frame) {
  if (const Output* s = std::get_if<Output>(&statement.node)) {
    for (const ExprPtr& item : s->items) {
      if (const Literal* literal = std::get_if<Literal>(&item->node)) {
        append_text(runtime_, out_, literal->value);
      } else {
        const Value value = evaluate(item, frame);
        append_text(runtime_, out_, value);
      }
    }
    return Flow::next;
  }
  if (const If* s = std::get_if<If>(&statement.node)) return run_if(*s, frame);
  if (const For* s = std::get_if<For>(&statement.node)) return run_for(*s, frame);
  if (const SetBlock* s = std::get_if<SetBlock>(&statement.node)) return run_set_block(*s, frame);
  if (const FilterBlock* s = std::get_if<FilterBlock>(&statement.node)) return run_filter_block(*s, frame);
  if (const With* s = std::get_if<With>(&statement.node)) return run_with(*s, frame);
  if (std::holds_alternative<Break>(statement.node)) return Flow::stop_loop;
  if (std::holds_alternative<Continue>(statement.node)) return Flow::next_round;
  if (const Set* s = std::get_if<Set>(&statement.node)) run_set(*s, frame);
  if (const CallBlock* s = std::get_if<CallBlock>(&statement.node)) run_call_block(*s, frame);
  if (const Generation* s = std::get_if<Generation>(&statement.node)) {
    append_string(call_macro(Macro{s->code.get(), &frame}, {}));
  }
  if (const MacroStatement* s = std::get_if<MacroStatement>(&statement.node)) {
    frame.set(s->name, Value(&runtime_.macros.emplace_back(Macro{s->code.get(), &frame})));
  }
  return Flow::next;
}

Evaluator::Flow Evaluator::run_if(const If& s, Frame& frame) {
  for (const auto& [test, body] : s.branches) {
    if (truthy(runtime_, evaluate(test, frame))) return execute(body, frame);
  }
  return execute(s.otherwise, frame);
}

Evaluator::Flow Evaluator::run_for(const For& s, Frame& frame) {
  Value iterable = evaluate(s.iterable, frame);
  runtime_.spend(sizeof(Loop));
  if (s.test) iterable = only_where(s, std::move(iterable), frame);
  Loop& loop = runtime_.loops.emplace_back(runtime_, std::move(iterable));
  bool any_completed = false;
  while (loop.advance()) {
    const Flow flow = in_scope(s.scope, frame, [&](Frame& own) {
      own.set(s.loop, Value(&loop));
      assign(s.target, *loop.current, own);
      return execute(s.body, own);
    });
    if (flow == Flow::stop_loop) break;
    any_completed = any_completed || flow == Flow::next;
  }
  // As in jinja2, `else` runs unless some round came to its end: also when the first one left by `break` or `continue`.
  if (any_completed) return Flow::next;
  return in_scope(s.otherwise_scope, frame, [&](Frame& own) { return execute(s.otherwise, own); });
}

// The items for which the loop's `if` holds, each tested when its turn comes.
Value Evaluator::only_where(const For& s, Value iterable, Frame& frame) {
  auto source = std::make_shared<Iterator>(runtime_, iterable);
  auto generator = std::make_shared<Generator>();
  generator->next = [this, source, &s, &frame](Value& item) {
    while (source->next(item)) {
      Frame own;
      own.parent = &frame;
      assign(s.target, item, own);
      if (!truthy(runtime_, evaluate(s.test, own))) continue;
      item = repack(s.target, own);
      return true;
    }
    return false;
  };
  return Value(std::move(generator));
}

Value Evaluator::repack(const Target& target, Frame& frame) {
  if (target.name >= 0) return **frame.find(target.name);
  std::vector<Value> items;
  for (const Target& item : target.items) items.push_back(repack(item, frame));
  return Value::tuple(runtime_, std::move(items));
}

void Evaluator::assign(const Target& target, Value value, Frame& frame) {
  runtime_.spend(frame.variables.size());
  if (target.attribute) {
    const Value space = lookup(target.name, frame);
    (*space.as<Namespace*>())->set(runtime_, *target.attribute, std::move(value));
  } else if (target.name >= 0) {
    frame.set(target.name, std::move(value));
  } else {
    if (value.is<Undefined>() && !target.items.empty()) {
      runtime_.fail("cannot take {} items from an undefined value", target.items.size());
    }
    const std::vector<Value> items = to_vector(runtime_, value);
    if (items.size() != target.items.size()) {
      runtime_.fail("expected {} items to assign, found {}", target.items.size(), items.size());
    }
    for (std::size_t i = 0; i < items.size(); ++i) assign(target.items[i], items[i], frame);
  }
}

void Evaluator::check_namespaces(const Target& target, Frame& frame) {
  if (target.attribute && !lookup(target.name, frame).is<Namespace*>()) {
    runtime_.fail("'{}.{}' can be set only if '{}' is a namespace", tree_.names[static_cast<std::size_t>(target.name)],
                  *target.attribute, tree_.names[static_cast<std::size_t>(target.name)]);
  }
  for (const Target& item : target.items) check_namespaces(item, frame);
}

void Evaluator::run_set(const Set& s, Frame& frame) {
  check_namespaces(s.target, frame);
  Value value = evaluate(s.value, frame);
  assign(s.target, std::move(value), frame);
}

Evaluator::Flow Evaluator::run_set_block(const SetBlock& s, Frame& frame) {
  return in_scope(s.scope, frame, [&](Frame& own) {
    Flow flow = Flow::next;
    Text text = capture([&] { return execute(s.body, own); }, flow);
    if (flow != Flow::next) return flow;  // left by `break`: nothing is set
    Value value = s.filter ? apply_to_block(s.filter, std::move(text), own) : Value(std::move(text));
    if (s.target.attribute) check_namespaces(s.target, frame);
    assign(s.target, std::move(value), frame);
    return Flow::next;
  });
}

Evaluator::Flow Evaluator::run_filter_block(const FilterBlock& s, Frame& frame) {
  return in_scope(s.scope, frame, [&](Frame& own) {
    Flow flow = Flow::next;
    Text text = capture([&] { return execute(s.body, own); }, flow);
    if (flow != Flow::next) return flow;
    append_string(apply_to_block(s.filter, std::move(text), own));
    return Flow::next;
  });
}

Evaluator::Flow Evaluator::run_with(const With& s, Frame& frame) {
  return in_scope(s.scope, frame, [&](Frame& own) {
    for (const auto& [target, value] : s.assignments) assign(target, evaluate(value, frame), own);
    return execute(s.body, own);
  });
}

void Evaluator::run_call_block(const CallBlock& s, Frame& frame) {
  const Call& expr = std::get<Call>(s.call->node);
  const Value callee = evaluate(expr.callee, frame);
  Args arguments = evaluate_arguments(expr.arguments, frame);
  arguments.named.emplace_back("caller", Value(&runtime_.macros.emplace_back(Macro{s.code.get(), &frame})));
  append_string(call(callee, std::move(arguments)));
}

// What `filter` and `call` blocks give must be a string; only {{ }} makes one of everything.
void Evaluator::append_string(const Value& value) {
  if (value.text() == nullptr) runtime_.fail("this block gives a {}, not a string", type_name(value));
  append_text(runtime_, out_, value);
}

void Evaluator::set_parameters(const MacroCode& code, Args& arguments, Frame& frame) {
  const auto take_named = [&](std::string_view name) -> std::optional<Value> {
    for (auto it = arguments.named.begin(); it != arguments.named.end(); ++it) {
      if (it->first != name) continue;
      Value value = std::move(it->second);
      arguments.named.erase(it);
      return value;
    }
    return {};
  };
  const std::size_t given = std::min(arguments.positional.size(), code.parameters.size());
  std::vector<std::optional<Value>> values(arguments.positional.begin(),
                                           arguments.positional.begin() + static_cast<std::ptrdiff_t>(given));
  for (std::size_t i = given; i < code.parameters.size(); ++i) values.push_back(take_named(code.parameters[i].second));
  std::optional<Value> caller;
  if (code.caller >= 0) caller = take_named("caller");
  if (!arguments.named.empty() && code.kwargs < 0) {
    runtime_.fail("macro '{}' has no argument named '{}'", code.name, arguments.named.front().first);
  }
  if (arguments.positional.size() > given && code.varargs < 0) {
    runtime_.fail("macro '{}' takes at most {} arguments, got {}", code.name, code.parameters.size(),
                  arguments.positional.size());
  }
  if (code.caller >= 0) {
    frame.set(code.caller, caller && !caller->is<None>() ? *caller : Value::undefined("no caller defined"));
  }
  if (code.kwargs >= 0) {
    DictBuilder kwargs(runtime_);
    for (auto& [name, value] : arguments.named) kwargs.append_new(Value::of_string(name), value);
    frame.set(code.kwargs, std::move(kwargs).build());
  }
  if (code.varargs >= 0) {
    const auto first = arguments.positional.begin() + static_cast<std::ptrdiff_t>(given);
    frame.set(code.varargs, Value::tuple(runtime_, std::vector<Value>(first, arguments.positional.end())));
  }
  for (const auto& [id, name] : code.parameters) frame.variables.emplace_back(id, std::nullopt);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i]) frame.set(code.parameters[i].first, std::move(*values[i]));
  }
  const std::size_t first_default = code.parameters.size() - code.defaults.size();
  for (std::size_t i = 0; i < values.size(); ++i) {  // a default may use the parameters before it
    const auto& [id, name] = code.parameters[i];
    if (*frame.find(id)) continue;
    frame.set(id, i >= first_default ? evaluate(code.defaults[i - first_default], frame)
                                     : Value::undefined(fmt::format("parameter '{}' was not provided", name)));
  }
}

Value Evaluator::call_macro(const Macro& macro, Args arguments) {
  const MacroCode& code = *macro.code;
  Flow flow = Flow::next;
  Text text = capture(
      [&] {
        return in_scope(code.scope, *macro.closure, [&](Frame& own) {
          set_parameters(code, arguments, own);
          return execute(code.body, own);
        });
      },
      flow);
  return Value(std::move(text));
}

}  // namespace rung::jinja
