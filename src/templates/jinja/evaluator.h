// A syntax tree and a context → text with its provenance.  Milestone M8.
#pragma once

#include "templates/jinja/ast.h"
#include "templates/jinja/value.h"

#include <optional>
#include <utility>
#include <vector>

namespace rung::jinja {

// The variables of one scope while it runs. Empty: declared, and not set yet.
struct Frame {
  Frame* parent = nullptr;
  std::vector<std::pair<NameId, std::optional<Value>>> variables;

  std::optional<Value>* find(NameId name);
  void set(NameId name, Value value);
};

// A macro as a value: its code, and the variables that were around it.
struct Macro {
  const MacroCode* code;
  Frame* closure;
};

class Evaluator {
 public:
  // `context`: by NameId, empty where there is none.
  Evaluator(const Template& tree, Runtime& runtime, std::vector<std::optional<Value>> context)
      : tree_(tree), runtime_(runtime), context_(std::move(context)) {}

  Text run();

 private:
  enum class Flow { next, stop_loop, next_round };

  // statements
  Flow execute(const Block& block, Frame& frame);
  Flow execute_one(const Statement& statement, Frame& frame);
  Flow run_if(const If& s, Frame& frame);
  Flow run_for(const For& s, Frame& frame);
  Value only_where(const For& s, Value iterable, Frame& frame);
  Flow run_set_block(const SetBlock& s, Frame& frame);
  Flow run_filter_block(const FilterBlock& s, Frame& frame);
  Flow run_with(const With& s, Frame& frame);
  void run_set(const Set& s, Frame& frame);
  void run_call_block(const CallBlock& s, Frame& frame);
  void append_string(const Value& value);
  void assign(const Target& target, Value value, Frame& frame);
  void check_namespaces(const Target& target, Frame& frame);
  Value repack(const Target& target, Frame& frame);
  // Runs `body` with a frame of its own for `scope`.
  template <class Body>
  Flow in_scope(const Scope& scope, Frame& parent, Body body);
  // What `body` writes, instead of writing it.
  template <class Body>
  Text capture(Body body, Flow& flow);

  // expressions
  Value evaluate(const ExprPtr& expr, Frame& frame);
  Value evaluate_node(const Name& e, Frame& frame);
  Value evaluate_node(const TupleExpr& e, Frame& frame);
  Value evaluate_node(const ListExpr& e, Frame& frame);
  Value evaluate_node(const DictExpr& e, Frame& frame);
  Value evaluate_node(const Concat& e, Frame& frame);
  Value evaluate_node(const Unary& e, Frame& frame);
  Value evaluate_node(const Binary& e, Frame& frame);
  Value evaluate_node(const Compare& e, Frame& frame);
  Value evaluate_node(const Conditional& e, Frame& frame);
  Value evaluate_node(const Attribute& e, Frame& frame);
  Value evaluate_node(const Subscript& e, Frame& frame);
  Value evaluate_node(const Slice& e, Frame& frame);
  Value evaluate_node(const Call& e, Frame& frame);
  Value evaluate_node(const Filter& e, Frame& frame);
  Value evaluate_node(const Test& e, Frame& frame);
  std::vector<Value> evaluate_all(const std::vector<ExprPtr>& items, Frame& frame);
  Args evaluate_arguments(const Arguments& arguments, Frame& frame);
  Value apply_filter(const Filter& filter, const Value& input, Frame& frame);
  Value apply_to_block(const ExprPtr& filter, Text block, Frame& frame);
  Value lookup(NameId name, Frame& frame);
  Value call(const Value& callee, Args arguments);
  Value call_macro(const Macro& macro, Args arguments);
  void set_parameters(const MacroCode& code, Args& arguments, Frame& frame);

  const Template& tree_;
  Runtime& runtime_;
  std::vector<std::optional<Value>> context_;
  Text out_;
};

}  // namespace rung::jinja
