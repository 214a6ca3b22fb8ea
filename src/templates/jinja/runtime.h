// What every step of a rendering shares: where we are (for errors), how much work is left, the objects that outlive a
// step.  Milestone M8.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <ctime>
#include <list>
#include <string>
#include <string_view>

namespace rung::jinja {

struct Namespace;
struct Loop;
struct Macro;
struct Frame;

// A template is a program that somebody else wrote, and so may be the conversation. Both are bounded: `spend` counts
// bytes that are made and, as some bytes each, steps that are taken; `Nested` counts calls inside calls. What exceeds
// them is an error, never a hang.
class Runtime {
 public:
  Runtime(std::string_view where, std::size_t budget_bytes, const std::tm& now);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw_error(fmt::vformat(format, fmt::make_format_args(args...)));
  }
  [[noreturn]] void overflow() const { fail("unsupported: an integer of more than 64 bits"); }

  void spend(std::size_t bytes) {
    if (bytes > left_) {
      fail("the template does not come to an end, or makes too much text (more than {} MiB of work)", budget_ >> 20);
    }
    left_ -= bytes;
  }
  // `count` things of `size` bytes each; the product may be more than fits.
  void spend(std::size_t count, std::size_t size) {
    spend(size != 0 && count > left_ / size ? left_ + 1 : count * size);
  }

  class Nested {
   public:
    explicit Nested(Runtime& runtime);
    ~Nested() { --runtime_.depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    Runtime& runtime_;
  };

  int line = 0;
  std::tm now;  // what strftime_now reads

  // Objects that values point to and that may point back to values: kept until the rendering ends, so that circles
  // cannot leak.
  std::list<Namespace> namespaces;
  std::list<Loop> loops;
  std::list<Macro> macros;
  std::list<Frame> frames;

 private:
  [[noreturn]] void throw_error(std::string_view message) const;

  std::string where_;
  std::size_t budget_;
  std::size_t left_;
  int depth_ = 0;
};

}  // namespace rung::jinja
