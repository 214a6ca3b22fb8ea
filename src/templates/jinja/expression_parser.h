// Tokens → expressions, with jinja2's precedences.  Milestone M8.
//
//   x if c else y  <  or  <  and  <  not  <  == < in …  <  + -  <  ~  <  * / // %  <  **  <  - +x  <  .a [i] (call)
//     <  |filter  is test
#pragma once

#include "templates/jinja/token_stream.h"

#include <map>
#include <string>
#include <string_view>

namespace rung::jinja {

class ExpressionParser {
 public:
  // Both lists are a Template's, and grow here.
  ExpressionParser(TokenStream& tokens, std::vector<std::string>& names, std::vector<std::string>& literals)
      : tokens_(tokens), names_(names), literals_(literals) {}

  NameId intern(const std::string& name);
  ExprPtr expression(bool with_condition = true);
  // One expression, or several with commas between: then a tuple. It may end before `end_name` ("in", "recursive").
  ExprPtr tuple(bool with_condition, std::string_view end_name = {}, bool in_parentheses = false);
  ExprPtr filters(ExprPtr input, bool first_without_pipe);  // |name(…)|name…; a null input means the block around
  // name, name.attribute (where allowed), or several. Fails for what cannot be assigned to.
  Target target(bool with_attributes, std::string_view end_name = {});
  void signature(MacroCode& code);

 private:
  template <class Node>
  ExprPtr make(int line, int depth_below, Node node);

  ExprPtr conditional();
  ExprPtr logical_or();
  ExprPtr logical_and();
  ExprPtr logical_not();
  ExprPtr comparison();
  ExprPtr sum();
  ExprPtr concatenation();
  ExprPtr product();
  ExprPtr power();
  ExprPtr unary(bool with_filters);
  ExprPtr primary();
  ExprPtr string_literal();
  ExprPtr list();
  ExprPtr dict();
  ExprPtr postfix(ExprPtr object);
  ExprPtr dotted(ExprPtr object);
  ExprPtr subscript(ExprPtr object);
  ExprPtr call(ExprPtr callee);
  ExprPtr filters_and_tests(ExprPtr input);
  ExprPtr test(ExprPtr input);
  Arguments arguments();
  void argument(Arguments& into);
  std::string dotted_name();
  bool tuple_ends(std::string_view end_name) const;
  Target to_target(const ExprPtr& expr) const;
  Target simple_target(bool with_attributes);

  TokenStream& tokens_;
  std::vector<std::string>& names_;
  std::vector<std::string>& literals_;
  std::map<std::string, NameId> ids_;
  int depth_ = 0;
};

}  // namespace rung::jinja
