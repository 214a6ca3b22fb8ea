// A parsed template: what the parser builds and the evaluator walks.  Milestone M8.
#pragma once

#include "templates/jinja/value.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rung::jinja {

using NameId = int;  // a variable's name, as its place in Template::names

struct Expr;
struct Statement;
using ExprPtr = std::unique_ptr<Expr>;
using Block = std::vector<Statement>;

// clang-format off
// ---- expressions

struct Literal { Value value; };
struct Name { NameId id; };
struct TupleExpr { std::vector<ExprPtr> items; };
struct ListExpr { std::vector<ExprPtr> items; };
struct DictExpr { std::vector<std::pair<ExprPtr, ExprPtr>> entries; };
struct Concat { std::vector<ExprPtr> items; };                                       // a ~ b ~ c

enum class UnaryOp { negative, positive, logical_not };
struct Unary { UnaryOp op; ExprPtr operand; };
enum class BinaryOp { add, subtract, multiply, divide, floor_divide, modulo, power, logical_and, logical_or };
struct Binary { BinaryOp op; ExprPtr left, right; };
enum class CompareOp { equal, not_equal, less, less_equal, greater, greater_equal, in, not_in };
struct Compare { ExprPtr first; std::vector<std::pair<CompareOp, ExprPtr>> rest; };  // a < b < c
// yes if test else no; `no` may be null
struct Conditional { ExprPtr test, yes, no; };

struct Attribute { ExprPtr object; std::string name; };                              // object.name
struct Subscript { ExprPtr object, index; };                                         // object[index]
// object[start:stop:step], each may be null
struct Slice { ExprPtr object, start, stop, step; };

struct Arguments {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> named;
  ExprPtr star, double_star;                                                         // *these and **these; may be null
};
struct Call { ExprPtr callee; Arguments arguments; };
// `function` is null where no such filter exists: an error only if it is reached (which the parser lets pass inside an
// `if` alone, as jinja2 does).
// a null input: the text of the block around it
struct Filter { ExprPtr input; std::string name; Arguments arguments; Builtin function; };
struct Test { ExprPtr input; std::string name; Arguments arguments; Builtin function; };

struct Expr {
  int line;
  int depth;  // of the tree below: the parser bounds it, so that walking it cannot exhaust the stack
  std::variant<Literal, Name, TupleExpr, ListExpr, DictExpr, Concat, Unary, Binary, Compare, Conditional, Attribute,
               Subscript, Slice, Call, Filter, Test>
      node;
};

// ---- statements

// What jinja2 makes a Python function or loop body of has variables of its own. jinja2 decides before it runs what a
// name in it means, and a name that is first set there, and known nowhere around, is undefined until then, even if the
// context has one of that name: `unset`.
struct Scope {
  std::vector<NameId> unset;
  bool captured = false;  // a macro or a generator inside may outlive the statement, and its variables with it
};

struct Target {  // what is assigned to: name, name.attribute, or (several, of, them)
  int line;
  NameId name = -1;
  std::optional<std::string> attribute;
  std::vector<Target> items;
};

struct Output { std::vector<ExprPtr> items; };
struct For {
  Target target;
  ExprPtr iterable, test;  // test may be null
  Block body, otherwise;
  NameId loop;             // the name `loop`
  Scope scope, otherwise_scope;
};
struct If { std::vector<std::pair<ExprPtr, Block>> branches; Block otherwise; };
struct Set { Target target; ExprPtr value; };
struct SetBlock { Target target; ExprPtr filter; Block body; Scope scope; };        // filter may be null
struct MacroCode {
  std::string name;        // empty: the body of a call block
  std::vector<std::pair<NameId, std::string>> parameters;
  std::vector<ExprPtr> defaults;  // of the last parameters
  Block body;
  Scope scope;
  NameId caller = -1, kwargs = -1, varargs = -1;  // the special names, where the body uses them
};
struct MacroStatement { NameId name; std::unique_ptr<MacroCode> code; };
struct CallBlock { ExprPtr call; std::unique_ptr<MacroCode> code; };
struct FilterBlock { ExprPtr filter; Block body; Scope scope; };
struct With { std::vector<std::pair<Target, ExprPtr>> assignments; Block body; Scope scope; };
// {% generation %}: what the assistant wrote
struct Generation { std::unique_ptr<MacroCode> code; };
// clang-format on
struct Break {};
struct Continue {};

struct Statement {
  int line;
  std::variant<Output, For, If, Set, SetBlock, MacroStatement, CallBlock, FilterBlock, With, Generation, Break,
               Continue>
      node;
};

struct Template {
  std::string where;
  std::vector<std::string> names;
  std::vector<std::string> literals;  // text outside of {…}, and string literals
  std::set<std::string> reads;        // the names whose value is the context's
  Block body;
  Scope scope;
};

}  // namespace rung::jinja
