// Objects of the fake: counts of owners, classes as tables of methods, autorelease pools.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "fake_metal.h"

namespace fake_metal {

struct Object;
using Id = Object*;
using Sel = const char*;  // one address a name
using UInteger = unsigned long;
using Implementation = void (*)();

struct MtlSize {
  UInteger width, height, depth;
};
struct Range {
  UInteger location, length;
};
struct Block {  // what the compiler makes of ^{ … }: only this much of it is called
  void* isa;
  int flags, reserved;
  void (*invoke)(Block*, Id);
};

struct Method {
  Implementation implementation;
  std::string encoding;
  unsigned since;  // macOS
};
struct Class {
  std::string name;
  bool is_meta = false;  // of the class as an object: alloc, new
  const Class* parent = nullptr;
  std::map<std::string, Method> methods;
};

struct Object {
  const Class* isa = nullptr;
  long owners = 1;
  virtual ~Object() = default;
  virtual void dispose() {}  // lets go of what it owns: it stays as a shell, so that late messages are noticed
};

// ---- making and owning ----

Class& class_named(const std::string& name);  // made when first named
void adopt(Object* object, const char* class_name);
template <class T, class... Arguments>
T* make(const char* class_name, Arguments&&... arguments) {
  T* const object = new T(std::forward<Arguments>(arguments)...);
  adopt(object, class_name);
  return object;
}
Id retain(Id object);
void release(Id object);
Id autorelease(Id object);
bool has_pool();

[[noreturn]] void misuse(const std::string& what);
void finding(const std::string& what);
Report& mutable_report();

// ---- methods ----

// How Objective-C writes a type of C++.
template <class T>
constexpr const char* encoding_of() {
  if constexpr (std::is_same_v<T, void>) return "v";
  if constexpr (std::is_same_v<T, Id>) return "@";
  if constexpr (std::is_same_v<T, Id*>) return "^@";
  if constexpr (std::is_same_v<T, const Id*>) return "r^@";
  if constexpr (std::is_same_v<T, Sel>) return ":";
  if constexpr (std::is_same_v<T, UInteger>) return "Q";
  if constexpr (std::is_same_v<T, const UInteger*>) return "r^Q";
  if constexpr (std::is_same_v<T, long>) return "q";
  if constexpr (std::is_same_v<T, bool>) return "B";
  if constexpr (std::is_same_v<T, double>) return "d";
  if constexpr (std::is_same_v<T, const unsigned char*>) return "r*";  // `const char*` is a selector here
  if constexpr (std::is_same_v<T, void*>) return "^v";
  if constexpr (std::is_same_v<T, const void*>) return "r^v";
  if constexpr (std::is_same_v<T, Block*>) return "@?";
  if constexpr (std::is_same_v<T, MtlSize>) return "{?=QQQ}";
  if constexpr (std::is_same_v<T, Range>) return "{?=QQ}";
}

// Adds a method, after holding its C++ type against the golden table.
void define(const char* owner, char kind, const char* name, Implementation implementation, const std::string& encoding,
            unsigned since);

// The fake's own method; null: there is none. For what stands instead of it, and calls it.
Implementation method_of(Id object, Sel name);

// method("MTLDevice", '-', "newCommandQueue", +[](Id self, Sel) -> Id { … });
template <class Result, class... Arguments>
void method(const char* owner, char kind, const char* name, Result (*f)(Id, Sel, Arguments...), unsigned since = 0) {
  std::string encoding = std::string{encoding_of<Result>()} + "@:";
  ((encoding += encoding_of<Arguments>()), ...);
  define(owner, kind, name, reinterpret_cast<Implementation>(f), encoding, since);
}

// The parts of the fake; each defines its classes.
void define_foundation();
void define_device();
void define_buffers();
void define_libraries();
void define_commands();
void define_encoders();
void define_synchronisation();

}  // namespace fake_metal
