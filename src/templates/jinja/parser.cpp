#include "templates/jinja/parser.h"

#include "templates/jinja/builtins.h"
#include "templates/jinja/expression_parser.h"

#include <initializer_list>

namespace rung::jinja {

namespace {

using Names = std::initializer_list<std::string_view>;

class StatementParser {
 public:
  StatementParser(std::string_view source, std::string_view where)
      : tokens_(source, where), expressions_(tokens_, tree_.names, tree_.literals) {
    tree_.where = where;
  }

  Template run() {
    tree_.body = block({});
    return std::move(tree_);
  }

 private:
  // Statements until the tag of one of `ends`, which is left to the caller; with no ends, until the template's end.
  Block block(Names ends) {
    const Nesting nesting(depth_, tokens_);
    const int line = tokens_.line();
    Block statements;
    while (!tokens_.at_end()) {
      if (tokens_.at(TokenKind::data)) {
        Token data = tokens_.take();
        tree_.literals.push_back(data.text);
        output(statements, data.line)
            .items.push_back(
                std::make_unique<Expr>(Expr{data.line, 1, Literal{Value::of_string(std::move(data.text))}}));
      } else if (tokens_.at(TokenKind::variable_begin)) {
        const int at = tokens_.take().line;
        output(statements, at).items.push_back(expressions_.tuple(true));
        tokens_.expect(TokenKind::variable_end);
      } else {
        tokens_.expect(TokenKind::block_begin);
        if (is_end(ends)) return statements;
        statement(statements);
        tokens_.expect(TokenKind::block_end);
      }
    }
    if (ends.size() != 0) tokens_.fail(line, "the template ends before {{% {} %}}", *(ends.end() - 1));
    return statements;
  }

  bool is_end(Names ends) const {
    return tokens_.at(TokenKind::name) && std::find(ends.begin(), ends.end(), tokens_.current().text) != ends.end();
  }

  // The body of a tag: the rest of it, the statements, and the name of the tag that ends them.
  Block body(Names ends) {
    tokens_.accept_op(":");
    tokens_.expect(TokenKind::block_end);
    return block(ends);
  }

  Block body_to(std::string_view end) {
    Block statements = body({end});
    tokens_.take();
    return statements;
  }

  static Output& output(Block& statements, int line) {
    if (statements.empty() || !std::holds_alternative<Output>(statements.back().node)) {
      statements.push_back({line, Output{}});
    }
    return std::get<Output>(statements.back().node);
  }

  void statement(Block& into) {
    const int line = tokens_.line();
    if (!tokens_.at(TokenKind::name)) {
      tokens_.fail(line, "expected the name of a tag, found {}", TokenStream::describe(tokens_.current()));
    }
    const std::string tag = tokens_.take().text;
    if (tag == "for") return into.push_back({line, for_loop()});
    if (tag == "if") return into.push_back({line, condition()});
    if (tag == "set") return set(into, line);
    if (tag == "macro") return into.push_back({line, macro()});
    if (tag == "call") return into.push_back({line, call_block(line)});
    if (tag == "filter") return into.push_back({line, filter_block()});
    if (tag == "with") return into.push_back({line, with()});
    if (tag == "print") return print(into, line);
    if (tag == "generation") return into.push_back({line, generation()});
    if (tag == "break" || tag == "continue") {
      if (loops_ == 0) tokens_.fail(line, "'{}' outside of a loop", tag);
      if (tag == "break") return into.push_back({line, Break{}});
      return into.push_back({line, Continue{}});
    }
    for (const std::string_view other : {"block", "extends", "include", "import", "from", "autoescape"}) {
      if (tag == other) tokens_.fail(line, "unsupported tag '{}'", tag);
    }
    tokens_.fail(line, "unknown tag '{}'", tag);
  }

  For for_loop() {
    For loop;
    loop.loop = expressions_.intern("loop");
    loop.target = expressions_.target(false, "in");
    if (!tokens_.accept_name("in")) {
      tokens_.fail(tokens_.line(), "expected 'in', found {}", TokenStream::describe(tokens_.current()));
    }
    loop.iterable = expressions_.tuple(false, "recursive");
    if (tokens_.accept_name("if")) loop.test = expressions_.expression();
    if (tokens_.at_name("recursive")) tokens_.fail(tokens_.line(), "unsupported: a recursive loop");
    ++loops_;
    loop.body = body({"else", "endfor"});
    --loops_;
    if (tokens_.take().text == "else") loop.otherwise = body_to("endfor");
    return loop;
  }

  If condition() {
    If chain;
    while (true) {
      ExprPtr test = expressions_.tuple(false);
      Block statements = body({"elif", "else", "endif"});
      chain.branches.emplace_back(std::move(test), std::move(statements));
      if (tokens_.accept_name("elif")) continue;
      const bool has_else = tokens_.at_name("else");
      tokens_.take();
      if (has_else) chain.otherwise = body_to("endif");
      return chain;
    }
  }

  void set(Block& into, int line) {
    Target target = expressions_.target(true);
    if (tokens_.accept_op("=")) {
      ExprPtr value = expressions_.tuple(true);
      return into.push_back({line, Set{std::move(target), std::move(value)}});
    }
    ExprPtr filter = expressions_.filters(nullptr, false);
    Block statements = body_to("endset");
    into.push_back({line, SetBlock{std::move(target), std::move(filter), std::move(statements), {}}});
  }

  // A body that jinja2 makes a function of: a loop around it is not its own.
  Block function_body(std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    Block statements = body_to(end);
    loops_ = loops;
    return statements;
  }

  void intern_special_names(MacroCode& code) {
    code.caller = expressions_.intern("caller");
    code.kwargs = expressions_.intern("kwargs");
    code.varargs = expressions_.intern("varargs");
  }

  MacroStatement macro() {
    MacroStatement statement{-1, std::make_unique<MacroCode>()};
    MacroCode& code = *statement.code;
    code.name = tokens_.expect_any_name();
    statement.name = expressions_.intern(code.name);
    intern_special_names(code);
    expressions_.signature(code);
    code.body = function_body("endmacro");
    return statement;
  }

  CallBlock call_block(int line) {
    CallBlock statement{nullptr, std::make_unique<MacroCode>()};
    intern_special_names(*statement.code);
    if (tokens_.at_op("(")) expressions_.signature(*statement.code);
    statement.call = expressions_.expression();
    if (!std::holds_alternative<Call>(statement.call->node)) tokens_.fail(line, "expected a call after 'call'");
    statement.code->body = function_body("endcall");
    return statement;
  }

  Generation generation() {  // transformers makes a call block of it
    Generation statement{std::make_unique<MacroCode>()};
    intern_special_names(*statement.code);
    statement.code->body = function_body("endgeneration");
    return statement;
  }

  FilterBlock filter_block() {
    FilterBlock statement;
    statement.filter = expressions_.filters(nullptr, true);
    statement.body = body_to("endfilter");
    return statement;
  }

  With with() {
    With statement;
    while (!tokens_.at(TokenKind::block_end)) {
      if (!statement.assignments.empty()) tokens_.expect_op(",");
      Target target = expressions_.target(false);
      tokens_.expect_op("=");
      statement.assignments.emplace_back(std::move(target), expressions_.expression());
    }
    statement.body = body_to("endwith");
    return statement;
  }

  void print(Block& into, int line) {
    Output& items = output(into, line);
    while (!tokens_.at(TokenKind::block_end)) {
      items.items.push_back(expressions_.expression());
      if (!tokens_.at(TokenKind::block_end)) tokens_.expect_op(",");
    }
  }

  Template tree_;
  TokenStream tokens_;
  ExpressionParser expressions_;
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

Template parse_template(std::string_view source, std::string_view where) {
  Template tree = StatementParser(source, where).run();
  resolve_scopes(tree);
  return tree;
}

}  // namespace rung::jinja
