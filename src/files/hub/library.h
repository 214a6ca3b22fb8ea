// A shared library that is opened when it is needed, so that nothing else of the program needs it.
#pragma once

#include <initializer_list>
#include <string>

namespace rung {

// dlopen brings a library into a running program, dlsym finds a function in it by its name. What comes back has no
// type: whoever asks says which, and takes it from the library's own header (decltype), where a compiler can check it.
class Library {
 public:
  // Opens the first of `files` that is there. Throws Error where none is, naming `package`.
  Library(std::initializer_list<const char*> files, const char* what, const char* package);

  template <class Function>
  void find(Function*& function, const char* name) const {
    function = reinterpret_cast<Function*>(symbol(name));
  }

 private:
  void* symbol(const char* name) const;  // throws Error: it has none of this name

  void* handle_ = nullptr;  // never closed: libraries of this kind register things for the end of the program
  std::string what_;
};

}  // namespace rung
