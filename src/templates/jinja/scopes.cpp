// Which names belong to which scope, as jinja2's compiler decides it before anything runs.  Milestone M8.
//
//   {% for m in messages %}{{ bos }}{% endfor %}{% set bos = "<s>" %}
//
// `bos` is first *set* in the outer scope, so in all of it `bos` is the template's own variable, and undefined until
// the `set` is reached; the loop inside sees that, even if the context has a `bos`. Were it read first, it would begin
// as the context's. An `if` has no scope of its own.
#include "base/error.h"
#include "templates/jinja/builtins.h"
#include "templates/jinja/parser.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <map>
#include <set>

namespace rung::jinja {

namespace {

// where a name's first value in a scope comes from; `resolved`: from around it
enum class Load { parameter, resolved, unset };

struct Symbols {
  const Symbols* parent = nullptr;  // the scope around
  const Symbols* before = nullptr;  // the same scope as it was before the branch of an `if` that this is
  std::map<NameId, Load> loads;
  std::set<NameId> stores;

  bool has(NameId name) const { return loads.count(name) != 0 || (before != nullptr && before->has(name)); }
  bool has_stored(NameId name) const {
    return stores.count(name) != 0 || (before != nullptr && before->has_stored(name));
  }
  bool known(NameId name) const { return has(name) || (parent != nullptr && parent->known(name)); }
  Symbols branch() const { return {parent, this, {}, {}}; }
  void load(NameId name) {
    if (!known(name)) loads[name] = Load::resolved;
  }
  void store(NameId name) {
    stores.insert(name);
    if (!has(name)) loads[name] = parent != nullptr && parent->known(name) ? Load::resolved : Load::unset;
  }
  void declare(NameId name) {
    stores.insert(name);
    loads[name] = Load::parameter;
  }
};

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

// Calls `visit` for each expression right below this one.
template <class Visit>
void for_each_child(const Expr& expr, Visit visit) {
  const auto each = [&](const std::vector<ExprPtr>& items) {
    for (const ExprPtr& item : items) visit(item);
  };
  const auto arguments = [&](const Arguments& given) {
    each(given.positional);
    for (const auto& [name, value] : given.named) visit(value);
    visit(given.star);
    visit(given.double_star);
  };
  std::visit(Overloaded{[](const Literal&) {}, [](const Name&) {}, [&](const TupleExpr& e) { each(e.items); },
                        [&](const ListExpr& e) { each(e.items); }, [&](const Concat& e) { each(e.items); },
                        [&](const Unary& e) { visit(e.operand); }, [&](const Attribute& e) { visit(e.object); },
                        [&](const DictExpr& e) {
                          for (const auto& [key, value] : e.entries) visit(key), visit(value);
                        },
                        [&](const Binary& e) { visit(e.left), visit(e.right); },
                        [&](const Compare& e) {
                          visit(e.first);
                          for (const auto& [op, operand] : e.rest) visit(operand);
                        },
                        [&](const Conditional& e) { visit(e.test), visit(e.yes), visit(e.no); },
                        [&](const Subscript& e) { visit(e.object), visit(e.index); },
                        [&](const Slice& e) { visit(e.object), visit(e.start), visit(e.stop), visit(e.step); },
                        [&](const Call& e) { visit(e.callee), arguments(e.arguments); },
                        [&](const Filter& e) { visit(e.input), arguments(e.arguments); },
                        [&](const Test& e) { visit(e.input), arguments(e.arguments); }},
             expr.node);
}

class Resolver {
 public:
  explicit Resolver(Template& tree) : tree_(tree), loop_(find("loop")) {}

  void run() {
    Symbols root;
    collect(root, tree_.body);
    enter(tree_.scope, root, tree_.body, false);
  }

 private:
  NameId find(std::string_view name) const {
    const auto found = std::find(tree_.names.begin(), tree_.names.end(), name);
    return found == tree_.names.end() ? -1 : static_cast<NameId>(found - tree_.names.begin());
  }

  // ---- first walk over a scope: the names in it, not in the scopes inside

  static void loads(Symbols& symbols, const ExprPtr& expr) {
    if (!expr) return;
    if (const Name* name = std::get_if<Name>(&expr->node)) symbols.load(name->id);
    for_each_child(*expr, [&](const ExprPtr& child) { loads(symbols, child); });
  }

  static void stores(Symbols& symbols, const Target& target) {
    if (target.attribute) {
      symbols.load(target.name);
    } else if (target.name >= 0) {
      symbols.store(target.name);
    }
    for (const Target& item : target.items) stores(symbols, item);
  }

  static void declares(Symbols& symbols, const Target& target) {
    if (target.name >= 0) symbols.declare(target.name);
    for (const Target& item : target.items) declares(symbols, item);
  }

  static void collect(Symbols& symbols, const Block& block) {
    for (const Statement& statement : block) collect(symbols, statement);
  }

  static void collect(Symbols& symbols, const Statement& statement) {
    std::visit(Overloaded{[&](const Output& s) {
                            for (const ExprPtr& item : s.items) loads(symbols, item);
                          },
                          [&](const For& s) { loads(symbols, s.iterable); },
                          [&](const If& s) { collect_branches(symbols, s); },
                          [&](const Set& s) { loads(symbols, s.value), stores(symbols, s.target); },
                          [&](const SetBlock& s) { stores(symbols, s.target); },
                          [&](const MacroStatement& s) { symbols.store(s.name); },
                          [&](const CallBlock& s) { loads(symbols, s.call); },
                          [&](const FilterBlock& s) { loads(symbols, s.filter); },
                          [&](const With& s) {
                            for (const auto& [target, value] : s.assignments) loads(symbols, value);
                          },
                          [](const Generation&) {}, [](const Break&) {}, [](const Continue&) {}},
               statement.node);
  }

  // The branches see what was known before the `if`, not each other; what only a branch sets begins as the context's.
  static void collect_branches(Symbols& symbols, const If& s) {
    loads(symbols, s.branches[0].first);
    Symbols first = symbols.branch();
    collect(first, s.branches[0].second);
    Symbols others = symbols.branch();  // an `elif` does see the ones before it
    for (std::size_t i = 1; i < s.branches.size(); ++i) {
      loads(others, s.branches[i].first);
      Symbols branch = others.branch();
      collect(branch, s.branches[i].second);
      merge(others, {&branch});
    }
    Symbols last = symbols.branch();
    collect(last, s.otherwise);
    merge(symbols, {&first, &others, &last});
  }

  static void merge(Symbols& symbols, std::initializer_list<const Symbols*> branches) {
    std::set<NameId> newly_stored;
    for (const Symbols* branch : branches) {
      std::copy_if(branch->stores.begin(), branch->stores.end(), std::inserter(newly_stored, newly_stored.end()),
                   [&](NameId name) { return !symbols.has_stored(name); });
    }
    for (const Symbols* branch : branches) {
      for (const auto& [name, load] : branch->loads) symbols.loads[name] = load;
      symbols.stores.insert(branch->stores.begin(), branch->stores.end());
    }
    for (const NameId name : newly_stored) symbols.loads[name] = Load::resolved;
  }

  // ---- second walk: the scopes inside, now that this one is known

  void enter(Scope& scope, const Symbols& symbols, Block& block, bool in_loop) {
    for (const auto& [name, load] : symbols.loads) {
      if (load == Load::unset) scope.unset.push_back(name);
      const bool outer = symbols.parent != nullptr && symbols.parent->known(name);
      const std::string& spelling = tree_.names[static_cast<std::size_t>(name)];
      if (load == Load::resolved && !outer && find_global(spelling) == nullptr) tree_.reads.insert(spelling);
    }
    scopes_.push_back(&scope);
    walk(symbols, block, in_loop, false);
    scopes_.pop_back();
  }

  void capture() {
    for (Scope* scope : scopes_) scope->captured = true;
  }

  void walk(const Symbols& symbols, Block& block, bool in_loop, bool soft) {
    for (Statement& statement : block) walk(symbols, statement, in_loop, soft);
  }

  void walk(const Symbols& symbols, Statement& statement, bool in_loop, bool soft) {
    std::visit(
        Overloaded{[&](Output& s) {
                     for (const ExprPtr& item : s.items) check(item, soft);
                   },
                   [&](For& s) { walk_for(symbols, s, soft); },
                   [&](If& s) {
                     for (auto& [test, block] : s.branches) {
                       check(test, true);
                       walk(symbols, block, in_loop, true);
                     }
                     walk(symbols, s.otherwise, in_loop, true);
                   },
                   [&](Set& s) { check(s.value, soft), check_target(s.target, in_loop); },
                   [&](SetBlock& s) {
                     check_target(s.target, in_loop);
                     check(s.filter, false);
                     inner(s.scope, symbols, s.body, in_loop, [](Symbols&) {});
                   },
                   [&](MacroStatement& s) { walk_macro(symbols, *s.code, in_loop); },
                   [&](CallBlock& s) { check(s.call, soft), walk_macro(symbols, *s.code, in_loop); },
                   [&](FilterBlock& s) {
                     check(s.filter, false);
                     inner(s.scope, symbols, s.body, in_loop, [&](Symbols& own) { loads(own, s.filter); });
                   },
                   [&](With& s) {
                     for (const auto& [target, value] : s.assignments) check(value, soft);
                     inner(s.scope, symbols, s.body, in_loop, [&](Symbols& own) {
                       for (const auto& [target, value] : s.assignments) declares(own, target);
                     });
                   },
                   [&](Generation& s) { walk_macro(symbols, *s.code, in_loop); }, [](Break&) {}, [](Continue&) {}},
        statement.node);
  }

  template <class Prepare>
  void inner(Scope& scope, const Symbols& parent, Block& block, bool in_loop, Prepare prepare) {
    Symbols symbols{&parent, nullptr, {}, {}};
    prepare(symbols);
    collect(symbols, block);
    enter(scope, symbols, block, in_loop);
  }

  void walk_for(const Symbols& symbols, For& s, bool soft) {
    check(s.iterable, soft);
    check(s.test, false);
    check_target(s.target, true);
    if (s.test) {
      capture();
    }
    inner(s.scope, symbols, s.body, true, [&](Symbols& own) {
      own.declare(loop_);
      declares(own, s.target);
    });
    inner(s.otherwise_scope, symbols, s.otherwise, true, [](Symbols&) {});
  }

  void walk_macro(const Symbols& symbols, MacroCode& code, bool in_loop) {
    capture();
    for (const ExprPtr& value : code.defaults) check(value, false);
    find_special_names(code);
    inner(code.scope, symbols, code.body, in_loop, [&](Symbols& own) {
      for (const auto& [id, name] : code.parameters) own.declare(id);
      for (const ExprPtr& value : code.defaults) loads(own, value);
      for (const NameId special : {code.caller, code.kwargs, code.varargs}) {
        if (special >= 0) own.declare(special);
      }
    });
  }

  // `caller`, `kwargs` and `varargs` are given to a macro only if its body reads them before it sets them.
  void find_special_names(MacroCode& code) {
    std::set<NameId> read;
    std::set<NameId> candidates = {code.caller, code.kwargs, code.varargs};
    find_reads(code.body, candidates, read);
    const auto is_parameter = [&](NameId id) {
      return std::any_of(code.parameters.begin(), code.parameters.end(), [&](const auto& p) { return p.first == id; });
    };
    if (is_parameter(code.caller)) fail_at(code, "unsupported: a macro parameter named 'caller'");
    for (NameId* special : {&code.caller, &code.kwargs, &code.varargs}) {
      if (read.count(*special) == 0 || is_parameter(*special)) *special = -1;
    }
  }

  [[noreturn]] void fail_at(const MacroCode& code, std::string_view what) const {
    fail("{}:{}: {}", tree_.where, code.body.empty() ? 1 : code.body.front().line, what);
  }

  static void find_reads(const ExprPtr& expr, const std::set<NameId>& candidates, std::set<NameId>& read) {
    if (!expr) return;
    if (const Name* name = std::get_if<Name>(&expr->node)) {
      if (candidates.count(name->id) != 0) read.insert(name->id);
    }
    for_each_child(*expr, [&](const ExprPtr& child) { find_reads(child, candidates, read); });
  }

  static void forget(const Target& target, std::set<NameId>& candidates) {
    if (!target.attribute) candidates.erase(target.name);
    for (const Target& item : target.items) forget(item, candidates);
  }

  static void find_reads(const Block& block, std::set<NameId>& candidates, std::set<NameId>& read) {
    const auto expr = [&](const ExprPtr& e) { find_reads(e, candidates, read); };
    const auto inside = [&](const Block& b) { find_reads(b, candidates, read); };
    const auto macro = [&](const MacroCode& code) {
      for (const auto& [id, name] : code.parameters) candidates.erase(id);
      for (const ExprPtr& value : code.defaults) expr(value);
      inside(code.body);
    };
    for (const Statement& statement : block) {
      std::visit(Overloaded{[&](const Output& s) {
                              for (const ExprPtr& item : s.items) expr(item);
                            },
                            [&](const For& s) {
                              forget(s.target, candidates), expr(s.iterable), inside(s.body), inside(s.otherwise),
                                  expr(s.test);
                            },
                            [&](const If& s) {
                              for (const auto& [test, body] : s.branches) expr(test), inside(body);
                              inside(s.otherwise);
                            },
                            [&](const Set& s) { forget(s.target, candidates), expr(s.value); },
                            [&](const SetBlock& s) { forget(s.target, candidates), expr(s.filter), inside(s.body); },
                            [&](const MacroStatement& s) { macro(*s.code); },
                            [&](const CallBlock& s) { expr(s.call), macro(*s.code); },
                            [&](const FilterBlock& s) { inside(s.body), expr(s.filter); },
                            [&](const With& s) {
                              for (const auto& [target, value] : s.assignments) forget(target, candidates);
                              for (const auto& [target, value] : s.assignments) expr(value);
                              inside(s.body);
                            },
                            [&](const Generation& s) { macro(*s.code); }, [](const Break&) {}, [](const Continue&) {}},
                 statement.node);
    }
  }

  // ---- what jinja2's compiler refuses

  void check_target(const Target& target, bool in_loop) const {
    if (in_loop && target.name == loop_ && loop_ >= 0 && !target.attribute) {
      fail("{}:{}: 'loop' cannot be set inside a loop", tree_.where, target.line);
    }
    for (const Target& item : target.items) check_target(item, in_loop);
  }

  // Inside an `if`, an unknown filter or test is an error only once it is reached.
  void check(const ExprPtr& expr, bool soft) const {
    if (!expr || soft) return;
    if (const Filter* filter = std::get_if<Filter>(&expr->node)) {
      if (filter->function == nullptr)
        fail("{}:{}: Rung's templates have no filter named '{}'", tree_.where, expr->line, filter->name);
    }
    if (const Test* test = std::get_if<Test>(&expr->node)) {
      if (test->function == nullptr)
        fail("{}:{}: Rung's templates have no test named '{}'", tree_.where, expr->line, test->name);
    }
    const bool conditional = std::holds_alternative<Conditional>(expr->node);
    for_each_child(*expr, [&](const ExprPtr& child) { check(child, conditional); });
  }

  Template& tree_;
  NameId loop_;
  std::vector<Scope*> scopes_;  // those around the statement that is looked at
};

}  // namespace

void resolve_scopes(Template& tree) { Resolver(tree).run(); }

}  // namespace rung::jinja
