#include "ops/metal/objc.h"

#include <dlfcn.h>

#include "base/ensure.h"
#include "ops/metal/messages.h"

namespace rung::objc {

namespace {

// A function that is in this program or in a library that it has loaded: on a Mac these are loaded first. (Elsewhere
// nobody has them, but for the tests, which bring a runtime of their own.)
template <class F>
bool look_up(F& function, const char* name) {
  function = reinterpret_cast<F>(dlsym(RTLD_DEFAULT, name));
  return function != nullptr;
}

Runtime look_up_all() {
#if defined(__APPLE__) && defined(__aarch64__)
  for (const char* library : {"/usr/lib/libobjc.A.dylib", "/System/Library/Frameworks/Foundation.framework/Foundation",
                              "/System/Library/Frameworks/Metal.framework/Metal",
                              // without which a program of the command line is given no default device
                              "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics"}) {
    if (dlopen(library, RTLD_NOW | RTLD_GLOBAL) == nullptr) return {};
  }
#endif
  Runtime r;
  const bool all = look_up(r.send, "objc_msgSend") && look_up(r.selector, "sel_registerName") &&
                   look_up(r.get_class, "objc_getClass") && look_up(r.pool_push, "objc_autoreleasePoolPush") &&
                   look_up(r.pool_pop, "objc_autoreleasePoolPop") &&
                   look_up(r.default_device, "MTLCreateSystemDefaultDevice");
  return all ? r : Runtime{};
}

}  // namespace

const Runtime* Runtime::find() {
  static const Runtime found = look_up_all();
  return found.send == nullptr ? nullptr : &found;
}

const Runtime& runtime() {
  const Runtime* const found = Runtime::find();
  ensure(found != nullptr, "Objective-C: there is none here");
  return *found;
}

const Messages& messages() {
  static const Messages table;
  return table;
}

std::vector<MessageInfo> Messages::all() const {
  std::vector<MessageInfo> all;
  const auto add = [&](const auto&... message) { (all.push_back(message.info()), ...); };
  add(retain, release, responds, new_options, new_constants, new_set_options, string, utf8, description, name,
      most_bytes, comfortable_bytes, supports_family, new_queue, new_buffer, new_buffer_over, new_library, new_pipeline,
      new_event, new_set, set_language, set_math_mode, set_fast_math, set_constant, new_function, contents, gpu_address,
      add_to_set, remove_from_set, commit_set, bytes_of_set, request_residency, end_residency, command_buffer, encoder,
      signal, commit, wait, status, error, wait_signal, set_pipeline, set_bytes, set_buffers, set_threadgroup_bytes,
      use, dispatch, end);
  static_assert(sizeof(Messages) == 48 * sizeof(Message<void()>), "every message is in this list");
  return all;
}

// A buffer of Metal's that goes leaves others to the innermost pool: without one they would stay for ever
// (llama.cpp#27883).
Object::~Object() {
  if (id_ == nullptr) return;
  const Pool pool;
  messages().release(id_);
}

Object Object::retained(Id borrowed) { return Object(borrowed == nullptr ? nullptr : messages().retain(borrowed)); }

Id text(const char* utf8) { return messages().string(runtime().get_class("NSString"), utf8); }

std::string text_of(Id string) {
  const char* const utf8 = string == nullptr ? nullptr : messages().utf8(string);
  return utf8 == nullptr ? "" : utf8;
}

std::string error_text(Id error) {
  return error == nullptr ? "no reason given" : text_of(messages().description(error));
}

}  // namespace rung::objc
