#include "templates/jinja/expression_parser.h"

#include "templates/jinja/builtins.h"

#include <array>

namespace rung::jinja {

namespace {

int depth_of(const ExprPtr& expr) { return expr ? expr->depth : 0; }

int deepest(const std::vector<ExprPtr>& items) {
  int depth = 0;
  for (const ExprPtr& item : items) depth = std::max(depth, depth_of(item));
  return depth;
}

int depth_of(const Arguments& arguments) {
  int depth = std::max({deepest(arguments.positional), depth_of(arguments.star), depth_of(arguments.double_star)});
  for (const auto& [name, value] : arguments.named) depth = std::max(depth, depth_of(value));
  return depth;
}

constexpr std::size_t kMaxArguments = 1000;

bool is_constant_name(std::string_view name) {
  return name == "true" || name == "True" || name == "false" || name == "False" || name == "none" || name == "None";
}

}  // namespace

template <class Node>
ExprPtr ExpressionParser::make(int line, int depth_below, Node node) {
  if (depth_below >= kMaxDepth) tokens_.fail(line, "an expression nested deeper than {}", kMaxDepth);
  return std::make_unique<Expr>(Expr{line, depth_below + 1, std::move(node)});
}

NameId ExpressionParser::intern(const std::string& name) {
  const auto [entry, is_new] = ids_.emplace(name, static_cast<NameId>(names_.size()));
  if (is_new) names_.push_back(name);
  return entry->second;
}

ExprPtr ExpressionParser::expression(bool with_condition) {
  const Nesting nesting(depth_, tokens_);
  return with_condition ? conditional() : logical_or();
}

ExprPtr ExpressionParser::conditional() {
  const int line = tokens_.line();
  ExprPtr yes = logical_or();
  while (tokens_.accept_name("if")) {
    ExprPtr condition = logical_or();
    ExprPtr no = tokens_.accept_name("else") ? expression() : nullptr;
    const int depth = std::max({depth_of(condition), depth_of(yes), depth_of(no)});
    yes = make(line, depth, Conditional{std::move(condition), std::move(yes), std::move(no)});
  }
  return yes;
}

ExprPtr ExpressionParser::logical_or() {
  const int line = tokens_.line();
  ExprPtr left = logical_and();
  while (tokens_.accept_name("or")) {
    ExprPtr right = logical_and();
    const int depth = std::max(depth_of(left), depth_of(right));
    left = make(line, depth, Binary{BinaryOp::logical_or, std::move(left), std::move(right)});
  }
  return left;
}

ExprPtr ExpressionParser::logical_and() {
  const int line = tokens_.line();
  ExprPtr left = logical_not();
  while (tokens_.accept_name("and")) {
    ExprPtr right = logical_not();
    const int depth = std::max(depth_of(left), depth_of(right));
    left = make(line, depth, Binary{BinaryOp::logical_and, std::move(left), std::move(right)});
  }
  return left;
}

ExprPtr ExpressionParser::logical_not() {
  const Nesting nesting(depth_, tokens_);
  const int line = tokens_.line();
  if (!tokens_.accept_name("not")) return comparison();
  ExprPtr operand = logical_not();
  const int depth = depth_of(operand);
  return make(line, depth, Unary{UnaryOp::logical_not, std::move(operand)});
}

ExprPtr ExpressionParser::comparison() {
  static constexpr std::array<std::pair<std::string_view, CompareOp>, 6> operators = {
      {{"==", CompareOp::equal},
       {"!=", CompareOp::not_equal},
       {"<", CompareOp::less},
       {"<=", CompareOp::less_equal},
       {">", CompareOp::greater},
       {">=", CompareOp::greater_equal}}};
  const int line = tokens_.line();
  ExprPtr first = sum();
  int depth = depth_of(first);
  std::vector<std::pair<CompareOp, ExprPtr>> rest;
  while (true) {
    const auto op =
        std::find_if(operators.begin(), operators.end(), [&](const auto& o) { return tokens_.at_op(o.first); });
    if (op != operators.end()) {
      tokens_.take();
      rest.emplace_back(op->second, sum());
    } else if (tokens_.accept_name("in")) {
      rest.emplace_back(CompareOp::in, sum());
    } else if (tokens_.at_name("not") && tokens_.following().kind == TokenKind::name &&
               tokens_.following().text == "in") {
      tokens_.take();
      tokens_.take();
      rest.emplace_back(CompareOp::not_in, sum());
    } else {
      break;
    }
    depth = std::max(depth, depth_of(rest.back().second));
  }
  if (rest.empty()) return first;
  return make(line, depth, Compare{std::move(first), std::move(rest)});
}

ExprPtr ExpressionParser::sum() {
  const int line = tokens_.line();
  ExprPtr left = concatenation();
  while (tokens_.at_op("+") || tokens_.at_op("-")) {
    const BinaryOp op = tokens_.take().text == "+" ? BinaryOp::add : BinaryOp::subtract;
    ExprPtr right = concatenation();
    const int depth = std::max(depth_of(left), depth_of(right));
    left = make(line, depth, Binary{op, std::move(left), std::move(right)});
  }
  return left;
}

ExprPtr ExpressionParser::concatenation() {
  const int line = tokens_.line();
  std::vector<ExprPtr> items;
  items.push_back(product());
  while (tokens_.accept_op("~")) items.push_back(product());
  if (items.size() == 1) return std::move(items[0]);
  const int depth = deepest(items);
  return make(line, depth, Concat{std::move(items)});
}

ExprPtr ExpressionParser::product() {
  static constexpr std::array<std::pair<std::string_view, BinaryOp>, 4> operators = {
      {{"*", BinaryOp::multiply}, {"/", BinaryOp::divide}, {"//", BinaryOp::floor_divide}, {"%", BinaryOp::modulo}}};
  const int line = tokens_.line();
  ExprPtr left = power();
  while (true) {
    const auto op =
        std::find_if(operators.begin(), operators.end(), [&](const auto& o) { return tokens_.at_op(o.first); });
    if (op == operators.end()) return left;
    tokens_.take();
    ExprPtr right = power();
    const int depth = std::max(depth_of(left), depth_of(right));
    left = make(line, depth, Binary{op->second, std::move(left), std::move(right)});
  }
}

// 2 ** 3 ** 2 is left-associative in jinja2's tree, but Python, which it is compiled to, sees (2 ** 3) ** 2 with the
// parentheses.
ExprPtr ExpressionParser::power() {
  const int line = tokens_.line();
  ExprPtr left = unary(true);
  while (tokens_.accept_op("**")) {
    ExprPtr right = unary(true);
    const int depth = std::max(depth_of(left), depth_of(right));
    left = make(line, depth, Binary{BinaryOp::power, std::move(left), std::move(right)});
  }
  return left;
}

ExprPtr ExpressionParser::unary(bool with_filters) {
  const Nesting nesting(depth_, tokens_);
  const int line = tokens_.line();
  ExprPtr expr;
  if (tokens_.at_op("-") || tokens_.at_op("+")) {
    const UnaryOp op = tokens_.take().text == "-" ? UnaryOp::negative : UnaryOp::positive;
    ExprPtr operand = unary(false);
    const int depth = depth_of(operand);
    expr = make(line, depth, Unary{op, std::move(operand)});
  } else {
    expr = primary();
  }
  expr = postfix(std::move(expr));
  return with_filters ? filters_and_tests(std::move(expr)) : std::move(expr);
}

ExprPtr ExpressionParser::primary() {
  const Token& token = tokens_.current();
  const int line = token.line;
  if (token.kind == TokenKind::name) {
    const std::string name = tokens_.take().text;
    if (!is_constant_name(name)) return make(line, 0, Name{intern(name)});
    if (name == "none" || name == "None") return make(line, 0, Literal{Value(None{})});
    return make(line, 0, Literal{Value(name == "true" || name == "True")});
  }
  if (token.kind == TokenKind::string) return string_literal();
  if (token.kind == TokenKind::integer) return make(line, 0, Literal{Value(tokens_.take().integer)});
  if (token.kind == TokenKind::floating) return make(line, 0, Literal{Value(tokens_.take().floating)});
  if (tokens_.accept_op("(")) {
    ExprPtr inner = tuple(true, {}, true);
    tokens_.expect_op(")");
    return inner;
  }
  if (tokens_.at_op("[")) return list();
  if (tokens_.at_op("{")) return dict();
  tokens_.fail(line, "expected an expression, found {}", TokenStream::describe(token));
}

ExprPtr ExpressionParser::string_literal() {
  const int line = tokens_.line();
  std::string text;
  while (tokens_.at(TokenKind::string)) text += tokens_.take().text;
  literals_.push_back(text);
  return make(line, 0, Literal{Value::of_string(std::move(text))});
}

bool ExpressionParser::tuple_ends(std::string_view end_name) const {
  return tokens_.at(TokenKind::variable_end) || tokens_.at(TokenKind::block_end) || tokens_.at_op(")") ||
         (!end_name.empty() && tokens_.at_name(end_name));
}

ExprPtr ExpressionParser::tuple(bool with_condition, std::string_view end_name, bool in_parentheses) {
  const int line = tokens_.line();
  std::vector<ExprPtr> items;
  bool has_comma = false;
  while (!tuple_ends(end_name)) {
    items.push_back(expression(with_condition));
    if (!tokens_.accept_op(",")) break;
    has_comma = true;
  }
  if (!has_comma && items.size() == 1) return std::move(items[0]);
  if (items.empty() && !in_parentheses) {
    tokens_.fail(line, "expected an expression, found {}", TokenStream::describe(tokens_.current()));
  }
  const int depth = deepest(items);
  return make(line, depth, TupleExpr{std::move(items)});
}

ExprPtr ExpressionParser::list() {
  const int line = tokens_.line();
  tokens_.expect_op("[");
  std::vector<ExprPtr> items;
  while (!tokens_.at_op("]")) {
    items.push_back(expression());
    if (!tokens_.accept_op(",")) break;
  }
  tokens_.expect_op("]");
  const int depth = deepest(items);
  return make(line, depth, ListExpr{std::move(items)});
}

ExprPtr ExpressionParser::dict() {
  const int line = tokens_.line();
  tokens_.expect_op("{");
  std::vector<std::pair<ExprPtr, ExprPtr>> entries;
  int depth = 0;
  while (!tokens_.at_op("}")) {
    ExprPtr key = expression();
    tokens_.expect_op(":");
    ExprPtr value = expression();
    depth = std::max({depth, depth_of(key), depth_of(value)});
    entries.emplace_back(std::move(key), std::move(value));
    if (!tokens_.accept_op(",")) break;
  }
  tokens_.expect_op("}");
  return make(line, depth, DictExpr{std::move(entries)});
}

ExprPtr ExpressionParser::postfix(ExprPtr object) {
  while (true) {
    if (tokens_.at_op(".")) {
      object = dotted(std::move(object));
    } else if (tokens_.at_op("[")) {
      object = subscript(std::move(object));
    } else if (tokens_.at_op("(")) {
      object = call(std::move(object));
    } else {
      return object;
    }
  }
}

ExprPtr ExpressionParser::dotted(ExprPtr object) {
  const int line = tokens_.line();
  const int depth = depth_of(object);
  tokens_.expect_op(".");
  if (tokens_.at(TokenKind::integer)) {  // x.0 is x[0]
    ExprPtr index = make(line, 0, Literal{Value(tokens_.take().integer)});
    return make(line, depth, Subscript{std::move(object), std::move(index)});
  }
  return make(line, depth, Attribute{std::move(object), tokens_.expect_any_name()});
}

ExprPtr ExpressionParser::subscript(ExprPtr object) {
  const int line = tokens_.line();
  tokens_.expect_op("[");
  const auto part = [&]() -> ExprPtr { return tokens_.at_op(":") || tokens_.at_op("]") ? nullptr : expression(); };
  ExprPtr start = part();
  if (!tokens_.at_op(":")) {
    if (!start) tokens_.fail(line, "expected an expression, found ']'");
    if (tokens_.at_op(",")) tokens_.fail(line, "unsupported: several indices in one pair of brackets");
    tokens_.expect_op("]");
    const int depth = std::max(depth_of(object), depth_of(start));
    return make(line, depth, Subscript{std::move(object), std::move(start)});
  }
  tokens_.expect_op(":");
  ExprPtr stop = part();
  ExprPtr step = tokens_.accept_op(":") ? part() : nullptr;
  tokens_.expect_op("]");
  const int depth = std::max({depth_of(object), depth_of(start), depth_of(stop), depth_of(step)});
  return make(line, depth, Slice{std::move(object), std::move(start), std::move(stop), std::move(step)});
}

ExprPtr ExpressionParser::call(ExprPtr callee) {
  const int line = tokens_.line();
  Arguments given = arguments();
  const int depth = std::max(depth_of(callee), depth_of(given));
  return make(line, depth, Call{std::move(callee), std::move(given)});
}

Arguments ExpressionParser::arguments() {
  tokens_.expect_op("(");
  Arguments given;
  while (!tokens_.at_op(")")) {
    argument(given);
    if (!tokens_.accept_op(",")) break;
  }
  tokens_.expect_op(")");
  return given;
}

void ExpressionParser::argument(Arguments& into) {
  const int line = tokens_.line();
  if (into.positional.size() + into.named.size() >= kMaxArguments) {
    tokens_.fail(line, "more than {} arguments", kMaxArguments);
  }
  const auto ensure = [&](bool ordered) {
    if (!ordered) {
      tokens_.fail(line, "arguments in the wrong order: first those without a name, then name=value, *list, **dict");
    }
  };
  if (tokens_.accept_op("*")) {
    ensure(!into.star && !into.double_star);
    into.star = expression();
  } else if (tokens_.accept_op("**")) {
    ensure(!into.double_star);
    into.double_star = expression();
  } else if (tokens_.at(TokenKind::name) && tokens_.following().kind == TokenKind::op &&
             tokens_.following().text == "=") {
    ensure(!into.double_star);
    std::string name = tokens_.take().text;
    tokens_.take();
    const bool twice =
        std::any_of(into.named.begin(), into.named.end(), [&](const auto& other) { return other.first == name; });
    if (twice) tokens_.fail(line, "the argument '{}' is given twice", name);
    into.named.emplace_back(std::move(name), expression());
  } else {
    ensure(!into.star && !into.double_star && into.named.empty());
    into.positional.push_back(expression());
  }
}

std::string ExpressionParser::dotted_name() {
  std::string name = tokens_.expect_any_name();
  while (tokens_.accept_op(".")) name.append(1, '.').append(tokens_.expect_any_name());
  return name;
}

ExprPtr ExpressionParser::filters(ExprPtr input, bool first_without_pipe) {
  while (first_without_pipe || tokens_.accept_op("|")) {
    first_without_pipe = false;
    const int line = tokens_.line();
    std::string name = dotted_name();
    Arguments given = tokens_.at_op("(") ? arguments() : Arguments{};
    const int depth = std::max(depth_of(input), depth_of(given));
    const Builtin function = find_filter(name);
    input = make(line, depth, Filter{std::move(input), std::move(name), std::move(given), function});
  }
  return input;
}

ExprPtr ExpressionParser::filters_and_tests(ExprPtr input) {
  while (true) {
    if (tokens_.at_op("|")) {
      input = filters(std::move(input), false);
    } else if (tokens_.at_name("is")) {
      input = test(std::move(input));
    } else if (tokens_.at_op("(")) {
      input = call(std::move(input));
    } else {
      return input;
    }
  }
}

// x is not divisibleby 3 · x is divisibleby(3) · x is defined and …
ExprPtr ExpressionParser::test(ExprPtr input) {
  const int line = tokens_.take().line;
  const bool negated = tokens_.accept_name("not");
  std::string name = dotted_name();
  Arguments given;
  const Token& next = tokens_.current();
  const bool ends = tokens_.at_name("else") || tokens_.at_name("or") || tokens_.at_name("and");
  const bool opens = tokens_.at_op("[") || tokens_.at_op("{");
  const bool is_value = next.kind == TokenKind::name || next.kind == TokenKind::string ||
                        next.kind == TokenKind::integer || next.kind == TokenKind::floating;
  if (tokens_.at_op("(")) {
    given = arguments();
  } else if ((is_value || opens) && !ends) {
    if (tokens_.at_name("is")) tokens_.fail(line, "tests cannot be chained with 'is'");
    given.positional.push_back(postfix(primary()));
  }
  const int depth = std::max(depth_of(input), depth_of(given));
  const Builtin function = find_test(name);
  ExprPtr expr = make(line, depth, Test{std::move(input), std::move(name), std::move(given), function});
  return negated ? make(line, depth + 1, Unary{UnaryOp::logical_not, std::move(expr)}) : std::move(expr);
}

// ---- what is assigned to

Target ExpressionParser::to_target(const ExprPtr& expr) const {
  Target target{expr->line, -1, {}, {}};
  if (const Name* name = std::get_if<Name>(&expr->node)) {
    target.name = name->id;
  } else if (const TupleExpr* several = std::get_if<TupleExpr>(&expr->node)) {
    for (const ExprPtr& item : several->items) target.items.push_back(to_target(item));
  } else {
    tokens_.fail(expr->line, "this cannot be assigned to");
  }
  return target;
}

Target ExpressionParser::simple_target(bool with_attributes) {
  const int line = tokens_.line();
  const bool dotted = with_attributes && tokens_.at(TokenKind::name) && tokens_.following().kind == TokenKind::op &&
                      tokens_.following().text == ".";
  if (!dotted || is_constant_name(tokens_.current().text)) return to_target(primary());
  Target target{line, intern(tokens_.take().text), {}, {}};
  tokens_.take();
  target.attribute = tokens_.expect_any_name();
  return target;
}

Target ExpressionParser::target(bool with_attributes, std::string_view end_name) {
  const int line = tokens_.line();
  Target several{line, -1, {}, {}};
  bool has_comma = false;
  while (!tuple_ends(end_name)) {
    several.items.push_back(simple_target(with_attributes));
    if (!tokens_.accept_op(",")) break;
    has_comma = true;
  }
  if (!has_comma && several.items.size() == 1) return std::move(several.items[0]);
  if (several.items.empty()) tokens_.fail(line, "expected a name, found {}", TokenStream::describe(tokens_.current()));
  return several;
}

void ExpressionParser::signature(MacroCode& code) {
  tokens_.expect_op("(");
  while (!tokens_.at_op(")")) {
    const int line = tokens_.line();
    if (code.parameters.size() >= kMaxArguments) tokens_.fail(line, "more than {} parameters", kMaxArguments);
    std::string name = tokens_.expect_any_name();
    if (is_constant_name(name)) tokens_.fail(line, "'{}' cannot be assigned to", name);
    for (const auto& parameter : code.parameters) {
      if (parameter.second == name) tokens_.fail(line, "the parameter '{}' is there twice", name);
    }
    if (tokens_.accept_op("=")) {
      code.defaults.push_back(expression());
    } else if (!code.defaults.empty()) {
      tokens_.fail(line, "the parameter '{}' has no default, but one before it has", name);
    }
    const NameId id = intern(name);
    code.parameters.emplace_back(id, std::move(name));
    if (!tokens_.at_op(")")) tokens_.expect_op(",");
  }
  tokens_.expect_op(")");
}

}  // namespace rung::jinja
