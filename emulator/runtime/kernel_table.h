// What a compiled .metal file tells the emulator: its kernels, what each argument is bound to, its function constants.
// The code that the rewriter appends to every kernel file includes this, too, and Metal knows no standard library:
// so there is none here.
#pragma once

namespace msl {

// What a kernel's argument receives. The positions are named as their attributes in the Metal Shading Language.
enum class Role : unsigned char {
  buffer,
  threadgroup_memory,
  thread_position_in_grid,
  threadgroup_position_in_grid,
  thread_position_in_threadgroup,
  thread_index_in_threadgroup,
  thread_index_in_simdgroup,
  thread_index_in_quadgroup,
  simdgroup_index_in_threadgroup,
  quadgroup_index_in_threadgroup,
  threads_per_threadgroup,
  threadgroups_per_grid,
  threads_per_grid,
  threads_per_simdgroup,
  simdgroups_per_threadgroup,
  quadgroups_per_threadgroup,
  count
};
constexpr int role_count = static_cast<int>(Role::count);
constexpr int slot_count = 31;  // buffer(0) to buffer(30), threadgroup(0) to threadgroup(30)

struct Argument {
  Role role;
  unsigned char index;
  bool is_constant;  // in the address space `constant`
  unsigned size;  // bytes of T for a reference `constant T&` or `device T&`, else 0: the length is the kernel's affair
  const void* enabled;  // a function constant of type bool: no argument where it is false; null: always an argument
  const char* name;
};

struct Position {
  unsigned value[role_count][3];  // x, y, z
};

struct Bindings {
  void* buffer[slot_count];
  void* threadgroup[slot_count];
};

struct Kernel {
  const char* name;
  const Argument* arguments;
  int argument_count;
  unsigned max_threads;  // of max_total_threads_per_threadgroup, else 1024
  void (*run)(const Bindings&, const Position&);
  Kernel* next;
};

// `constant T name [[function_constant(index)]]`, or (index < 0) a constant that is derived from others.
struct Constant {
  int index;
  void* address;
  unsigned size;
  const char* name;
  void (*derive)();
  bool is_set;
  Constant* next;
};

}  // namespace msl

extern "C" {
void msl_register_kernel(msl::Kernel*);
void msl_register_constant(msl::Constant*);
}
