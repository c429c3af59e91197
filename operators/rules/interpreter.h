// Runs an expression of CEL on values whose kinds are found out on the way: for trials (`portrait rules eval`), in
// which people name anything. Rules themselves are checked and compiled (operators/rules/compiler.h).
//
//   absl::StatusOr<std::unique_ptr<Expression>> tree = ParseExpression("x + 1 == 3");
//   Any value = Interpret(**tree, names);   // names: what x is
//
// Errors are values: a division by zero, a kind that does not go, a name that there is not. `false && error` is false.
// Bounded: at most kMostSteps steps, each of a bounded size, then an error. Pure, but for the system's time zones.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "operators/rules/any.h"
#include "operators/rules/expression.h"

namespace portrait::rules {

inline constexpr int64_t kMostSteps = 1'000'000;

// What an expression may name.
class Names {
 public:
  virtual ~Names() = default;
  // The value of a name, possibly with dots in it. Nothing: there is no such name. Asked for the longest name first.
  virtual std::optional<Any> Find(std::string_view name) const = 0;
  // What is said of a name that is not there.
  virtual std::string Unknown(std::string_view name) const = 0;
};

// Never throws. The names must stay as they are meanwhile.
Any Interpret(const Expression& tree, const Names& names);

// The names that an expression uses, with their dots, without those of the elements of its own macros. Types of CEL
// (`int` in `type(x) == int`) are among them.
std::set<std::string> NamesIn(const Expression& tree);

// "a.b" of a name with fields; empty for everything else.
std::string DottedName(const Expression& e);

// What calls of functions and methods need from the interpreter; see interpreter_functions.cc.
struct FunctionCall {
  std::string_view name;
  bool method = false;  // x.f(y) rather than f(x, y)
  const std::vector<Any>& arguments;
};

// Everything but macros (has, all, exists, exists_one, map, filter). Nothing: no function of that name.
std::optional<Any> CallFunction(const FunctionCall& call);
std::vector<std::string_view> FunctionNames();

// getFullYear and so on, of a point in time and of a length. Nothing: no such part.
std::optional<Any> PartOfTime(const FunctionCall& call);

// "no such overload: size(int)": the kinds of what was given do not go with it.
Failed NoSuchOverload(std::string_view name, const std::vector<Any>& arguments);

// + - * / %; what does not go together, overflows and divisions by zero are errors.
Any Reckon(char sign, const Any& a, const Any& b);
Any Negative(const Any& value);

}  // namespace portrait::rules
