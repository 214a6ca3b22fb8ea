// Objective-C, spoken from C++ without its compiler: how Metal is called.  Milestone M7.
//
// A Mac's GPU is driven through Objective-C objects. What its compiler makes of `[device newBufferWithLength:n
// options:0]` is a call of one C function, and a C function is what any language can call:
//
//   objc_msgSend(device, sel_registerName("newBufferWithLength:options:"), n, 0)
//
//   the object           the message's name as a pointer                 its arguments
//
// objc_msgSend looks into the object's class for the method of that name and jumps to it, with all arguments where they
// are, in registers and on the stack. So it has no signature of its own: the caller must call it *as* the method, by
// casting its address to a pointer to a function of exactly the method's type. A wrong type is no error, but another
// register read: so each message stands here once, with its types, and a test compares all of them with what Apple's
// own compiler says.
//
// `extern "C"` is what makes such a function callable: its name in the library is its name, without the parameters that
// C++ would add. We do not even link it: dlopen loads a library while the program runs and dlsym finds a function in it
// by name. So the same program starts where there is no Metal, and says so.
//
// Who owns an object is a count in it: a method whose name begins with new, alloc, copy or retain gives it to the
// caller, who must send `release` once. Others give an object that belongs to the innermost autorelease pool, and goes
// with it. Object is the first, Pool the second.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace rung::objc {

struct Instance;      // of some class: only pointers to it are ever seen
struct SelectorName;  // a message's name, unique: names are compared by address
struct Block;         // a closure; we send none
using Id = Instance*;
using Selector = SelectorName*;
using UInteger = unsigned long;  // NSUInteger

struct Size {  // MTLSize
  UInteger width, height, depth;
};
struct Range {  // NSRange
  UInteger location, length;
};

// The functions of the Objective-C runtime, and the one of Metal that gives the first object.
struct Runtime {
  void* send = nullptr;  // objc_msgSend: cast before each call
  Selector (*selector)(const char*) = nullptr;
  Id (*get_class)(const char*) = nullptr;
  void* (*pool_push)() = nullptr;
  void (*pool_pop)(void*) = nullptr;
  Id (*default_device)() = nullptr;

  // nullptr where this system has none.
  static const Runtime* find();
};
const Runtime& runtime();  // that there is

// How Objective-C writes a type: what a method's encoding consists of.
template <class T>
constexpr std::string_view encoding() {
  if constexpr (std::is_same_v<T, void>) return "v";
  if constexpr (std::is_same_v<T, Id>) return "@";
  if constexpr (std::is_same_v<T, Id*>) return "^@";
  if constexpr (std::is_same_v<T, const Id*>) return "r^@";
  if constexpr (std::is_same_v<T, Selector>) return ":";
  if constexpr (std::is_same_v<T, UInteger>) return "Q";
  if constexpr (std::is_same_v<T, const UInteger*>) return "r^Q";
  if constexpr (std::is_same_v<T, long>) return "q";
  if constexpr (std::is_same_v<T, bool>) return "B";
  if constexpr (std::is_same_v<T, double>) return "d";
  if constexpr (std::is_same_v<T, const char*>) return "r*";
  if constexpr (std::is_same_v<T, void*>) return "^v";
  if constexpr (std::is_same_v<T, const void*>) return "r^v";
  if constexpr (std::is_same_v<T, const Block*>) return "@?";
  if constexpr (std::is_same_v<T, Size>) return "{?=QQQ}";
  if constexpr (std::is_same_v<T, Range>) return "{_NSRange=QQ}";
}

// What is known of a message without its types: for the test that compares them.
struct MessageInfo {
  std::string_view owner;  // class or protocol: "MTLDevice"
  char kind;               // '+' to the class itself, '-' to an object
  const char* name;        // "newBufferWithLength:options:"
  std::string encoding;    // "@@:QQ": result, object, name, arguments
};
inline constexpr char kToClass = '+', kToObject = '-';

template <class Signature>
class Message;

// A message with its types. Message<Id(UInteger, UInteger)> m{...};  m(device, n, 0)
template <class Result, class... Arguments>
class Message<Result(Arguments...)> {
 public:
  Message(std::string_view owner, char kind, const char* name) : owner_(owner), kind_(kind), name_(name) {}

  Result operator()(Id object, Arguments... arguments) const {
    if (selector_ == nullptr) selector_ = runtime().selector(name_);
    return reinterpret_cast<Result (*)(Id, Selector, Arguments...)>(runtime().send)(object, selector_, arguments...);
  }

  Selector selector() const { return runtime().selector(name_); }
  MessageInfo info() const {
    std::string text{encoding<Result>()};
    text += "@:";
    ((text += encoding<Arguments>()), ...);
    return {owner_, kind_, name_, text};
  }

 private:
  std::string_view owner_;
  char kind_;
  const char* name_;
  mutable Selector selector_ = nullptr;
};

// An object that we own. Null, where there is none.
class Object {
 public:
  Object() = default;
  explicit Object(Id owned) : id_(owned) {}  // whose count is ours already: from new…, copy… or retain
  Object(Object&& other) noexcept : id_(std::exchange(other.id_, nullptr)) {}
  Object& operator=(Object&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Object();
  static Object retained(Id borrowed);

  Id id() const { return id_; }
  explicit operator bool() const { return id_ != nullptr; }

 private:
  Id id_ = nullptr;
};

// While it lives, objects that nobody owns live too; then they go. Pools nest like the blocks of the program.
class Pool {
 public:
  Pool() : pool_(runtime().pool_push()) {}
  ~Pool() { runtime().pool_pop(pool_); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

 private:
  void* pool_;
};

Id text(const char* utf8);  // an NSString, of the innermost pool
std::string text_of(Id string);
std::string error_text(Id error);  // an NSError's description

}  // namespace rung::objc
