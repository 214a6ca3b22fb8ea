#include "device.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>

namespace fake_metal {
namespace {

constexpr std::size_t remembered_shells = 100000;  // released objects whose late messages are noticed

std::map<std::string, Class>& classes() {
  static std::map<std::string, Class> all;
  return all;
}

std::vector<std::vector<Id>>& pools() {
  static thread_local std::vector<std::vector<Id>> all;
  return all;
}

const Method* method_of(const Class* c, const std::string& name) {
  for (; c; c = c->parent) {
    const auto found = c->methods.find(name);
    if (found != c->methods.end() && found->second.since <= settings().macos) return &found->second;
  }
  return nullptr;
}

Settings from_environment() {
  Settings s;
  const char* const words = std::getenv("RUNG_FAKE_METAL");
  std::istringstream stream{words ? words : ""};
  for (std::string word; stream >> word;) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const unsigned long value = equals == word.npos ? 1 : std::stoul(word.substr(equals + 1));
    if (name == "checked") s.build = metal_emulator::Build::checked;
    if (name == "contracted") s.build = metal_emulator::Build::contracted;
    if (name == "seed") s.options.seed = value;
    if (name == "strict") s.options.strict = true;
    if (name == "reorder") s.options.reorder_reductions = true;
    if (name == "flush") s.options.flush_denormals = true;
    if (name == "fast_exp") s.options.approximate_exp = true;
    if (name == "macos") s.macos = static_cast<unsigned>(value);
    if (name == "max_buffer") s.max_buffer_length = value;
    if (name == "no_device") s.has_device = false;
  }
  return s;
}

void define_everything() {
  static const bool once = [] {
    define_foundation();
    define_device();
    define_buffers();
    define_libraries();
    define_commands();
    define_encoders();
    define_synchronisation();
    return true;
  }();
  static_cast<void>(once);
}

// The class as an object, to which `new` and `alloc` are sent.
Object* class_object(const std::string& name) {
  static std::map<std::string, Object> all;
  Object& object = all[name];
  object.isa = &class_named("+" + name);
  return &object;
}

// ---- what a message finds instead of a method ----

std::string& reason() {
  static thread_local std::string text;
  return text;
}
void* throws_reason(Id, Sel) { throw Misuse{reason()}; }
void* gives_nil(Id, Sel) { return nullptr; }

Implementation failing(const std::string& why) {
  reason() = why;
  return reinterpret_cast<Implementation>(throws_reason);
}

}  // namespace

// ---- report and settings ----

Settings& settings() {
  static Settings all = from_environment();
  return all;
}

Report& mutable_report() {
  static Report all;
  return all;
}

const Report& report() { return mutable_report(); }

void reset() {
  give_up_what_waits();
  const std::map<std::string, std::size_t> live = report().live;
  mutable_report() = {};
  mutable_report().live = live;
}

void misuse(const std::string& what) { throw Misuse{what}; }

void finding(const std::string& what) {
  mutable_report().findings.push_back(what);
  if (std::getenv("RUNG_FAKE_METAL")) std::fprintf(stderr, "fake Metal: %s\n", what.c_str());
}

// ---- classes ----

Class& class_named(const std::string& name) {
  Class& c = classes()[name];
  if (c.name.empty()) {
    c.name = name;
    c.is_meta = name[0] == '+';
    if (!c.is_meta && name != "NSObject") c.parent = &class_named("NSObject");
  }
  return c;
}

void define(const char* owner, char kind, const char* name, Implementation implementation, const std::string& encoding,
            unsigned since) {
  const Selector* const golden = selector(owner, kind, name);
  if (!golden) misuse(std::string{"the golden table has no "} + kind + "[" + owner + " " + name + "]");
  if (plain(encoding) != golden->encoding) {
    misuse(std::string{kind} + "[" + owner + " " + name + "] is " + golden->encoding + " for Apple, the fake has " +
           encoding);
  }
  Class& c = class_named((kind == '+' ? "+" : "") + std::string{owner});
  c.methods[name] = {implementation, golden->encoding, since};
}

Implementation method_of(Id object, Sel name) {
  const Method* const found = method_of(object->isa, name);
  return found ? found->implementation : nullptr;
}

// ---- counts of owners ----

void adopt(Object* object, const char* class_name) {
  object->isa = &class_named(class_name);
  ++mutable_report().live[class_name];
}

Id retain(Id object) {
  if (object) ++object->owners;
  return object;
}

void release(Id object) {
  if (!object || object->isa->is_meta) return;
  if (--object->owners > 0) return;
  auto& live = mutable_report().live;
  if (--live[object->isa->name] == 0) live.erase(object->isa->name);
  if (!has_pool() && object->isa->name.compare(0, 3, "MTL") == 0) {  // llama.cpp#27883
    finding(object->isa->name + " goes with no pool in place: what it leaves to one leaks");
  }
  object->dispose();
  static std::deque<std::unique_ptr<Object>> shells;
  shells.emplace_back(object);
  if (shells.size() > remembered_shells) shells.pop_front();
}

bool has_pool() { return !pools().empty(); }

Id autorelease(Id object) {
  if (!has_pool()) {
    finding(object->isa->name + " autoreleased with no pool in place: it leaks");
  } else {
    pools().back().push_back(object);
  }
  return object;
}

}  // namespace fake_metal

// ---- the runtime's C functions ----

using namespace fake_metal;

extern "C" {

Sel sel_registerName(const char* name) {
  static std::mutex mutex;
  static std::set<std::string> names;
  const std::lock_guard<std::mutex> lock{mutex};
  return names.insert(name).first->c_str();
}

Id objc_getClass(const char* name) {
  define_everything();
  const std::string meta = "+" + std::string{name};
  const bool is_known = classes().count(meta) > 0;
  return is_known ? class_object(name) : nullptr;
}

void* objc_autoreleasePoolPush() {
  if (settings().no_pools) return nullptr;
  pools().emplace_back();
  return reinterpret_cast<void*>(pools().size());
}

void objc_autoreleasePoolPop(void* pool) {
  if (settings().no_pools) return;
  if (pools().size() != reinterpret_cast<std::size_t>(pool)) misuse("autorelease pools are left out of order");
  const std::vector<Id> objects = std::move(pools().back());
  pools().pop_back();
  for (Id object : objects) release(object);
}

// Which function answers. It never throws itself: its caller is written in assembly.
__attribute__((used)) Implementation fake_metal_lookup(Id object, Sel name) {
  Report& r = mutable_report();
  if (object->owners <= 0) return failing(std::string{"'"} + name + "' sent to a released " + object->isa->name);
  ++r.calls[name];
  Settings& s = settings();
  if (s.fail_call > 0 && s.fail_selector == name && --s.fail_call == 0) {
    return reinterpret_cast<Implementation>(gives_nil);
  }
  if (const auto other = s.instead.find(name); other != s.instead.end()) return other->second;
  if (const Implementation found = method_of(object, name)) return found;
  std::string owner = object->isa->name;
  const char kind = object->isa->is_meta ? '+' : '-';
  if (kind == '+') owner.erase(0, 1);
  const bool is_apples = selector(owner, kind, name) != nullptr;
  return failing(std::string{kind} + "[" + owner + " " + name + "]: " +
                 (is_apples ? "the fake has not got it, or not on macOS " + std::to_string(s.macos)
                            : std::string{"unrecognized selector"}));
}

}  // extern "C"

// objc_msgSend: every register that may hold an argument is kept while the method is looked up, and then the method is
// jumped to, as if it had been called. A message to nil does nothing and gives zero.
#if defined(__x86_64__)
asm(R"(
.text
.globl objc_msgSend
.type objc_msgSend,@function
objc_msgSend:
  test %rdi,%rdi
  je 1f
  push %rbp
  mov %rsp,%rbp
  sub $192,%rsp
  mov %rdi,(%rsp); mov %rsi,8(%rsp); mov %rdx,16(%rsp); mov %rcx,24(%rsp)
  mov %r8,32(%rsp); mov %r9,40(%rsp); mov %rax,48(%rsp)
  movups %xmm0,64(%rsp); movups %xmm1,80(%rsp); movups %xmm2,96(%rsp); movups %xmm3,112(%rsp)
  movups %xmm4,128(%rsp); movups %xmm5,144(%rsp); movups %xmm6,160(%rsp); movups %xmm7,176(%rsp)
  call fake_metal_lookup@PLT
  mov %rax,%r11
  mov (%rsp),%rdi; mov 8(%rsp),%rsi; mov 16(%rsp),%rdx; mov 24(%rsp),%rcx
  mov 32(%rsp),%r8; mov 40(%rsp),%r9; mov 48(%rsp),%rax
  movups 64(%rsp),%xmm0; movups 80(%rsp),%xmm1; movups 96(%rsp),%xmm2; movups 112(%rsp),%xmm3
  movups 128(%rsp),%xmm4; movups 144(%rsp),%xmm5; movups 160(%rsp),%xmm6; movups 176(%rsp),%xmm7
  leave
  jmp *%r11
1:
  xor %eax,%eax
  xor %edx,%edx
  xorps %xmm0,%xmm0
  xorps %xmm1,%xmm1
  ret
.size objc_msgSend,.-objc_msgSend
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl objc_msgSend
.type objc_msgSend,%function
objc_msgSend:
  cbz x0,1f
  sub sp,sp,#224
  stp x0,x1,[sp]
  stp x2,x3,[sp,#16]
  stp x4,x5,[sp,#32]
  stp x6,x7,[sp,#48]
  stp x8,x30,[sp,#64]
  stp q0,q1,[sp,#96]
  stp q2,q3,[sp,#128]
  stp q4,q5,[sp,#160]
  stp q6,q7,[sp,#192]
  bl fake_metal_lookup
  mov x16,x0
  ldp q0,q1,[sp,#96]
  ldp q2,q3,[sp,#128]
  ldp q4,q5,[sp,#160]
  ldp q6,q7,[sp,#192]
  ldp x0,x1,[sp]
  ldp x2,x3,[sp,#16]
  ldp x4,x5,[sp,#32]
  ldp x6,x7,[sp,#48]
  ldp x8,x30,[sp,#64]
  add sp,sp,#224
  br x16
1:
  mov x1,#0
  movi d0,#0
  ret
.size objc_msgSend,.-objc_msgSend
)");
#endif
