// What a Mac's compiler refuses is refused here, though C++ would take most of it.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "metal/emulator_for_tests.h"

namespace metal_emulator {
namespace {

struct Forbidden {
  const char* name;
  const char* says;
  const char* kernel;       // what is written
  const char* before = "";  // outside of the kernel
};

void PrintTo(const Forbidden& forbidden, std::ostream* out) { *out << forbidden.name; }

// The file, with a kernel whose body is `body`, as a Mac would take it but for that.
std::string written(const Forbidden& f) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "rung-forbidden";
  std::filesystem::create_directories(folder);
  const std::filesystem::path file = folder / (std::string{f.name} + ".metal");
  std::ofstream{file} << "#include <metal_stdlib>\nusing namespace metal;\n" << f.before << "\n" << f.kernel << "\n";
  return file.string();
}

std::string words_of(const std::string& script, const std::string& arguments) {
  const std::string tool = (rung::source_folder() / "emulator" / script).string();
  FILE* const pipe = ::popen(("python3 '" + tool + "' " + arguments + " 2>&1").c_str(), "r");
  std::string words;
  char part[4096];
  while (const std::size_t n = std::fread(part, 1, sizeof part, pipe)) words.append(part, n);
  const int status = ::pclose(pipe);
  return status == 0 ? "" : words;
}

std::string compiler_on(const Forbidden& f) {
  const std::string file = written(f);
  return words_of("mslcc.py", "--syntax-only '" + file + "' '" + file + ".o'");
}
std::string spaces_of(const Forbidden& f) { return words_of("address_spaces.py", "'" + written(f) + "'"); }

// A kernel with x, a buffer of floats, and i, the thread's position.
#define KERNEL(body) "kernel void k(device float* x [[buffer(0)]], uint i [[thread_position_in_grid]]) { " body " }"

TEST(Sound, IsRefusedByNeither) {
  const Forbidden sound{"sound", "", KERNEL("x[i] = f(x, i);"),
                        "constant float t[2] = {1, 2};\n"
                        "inline float f(device float* p, uint i) { return p[i] + t[i & 1]; }"};
  EXPECT_EQ(compiler_on(sound), "");
  EXPECT_EQ(spaces_of(sound), "");
}

class Refused : public testing::TestWithParam<Forbidden> {};

TEST_P(Refused, WithAReason) { EXPECT_CONTAINS(compiler_on(GetParam()), GetParam().says); }

INSTANTIATE_TEST_SUITE_P(
    Words, Refused,
    testing::Values(Forbidden{"double_type", "poisoned", KERNEL("double d = 1; x[i] = d;")},
                    Forbidden{"scalars_beside_vectors", "either all scalar types or all vector types",
                              "kernel void k(device float* x [[buffer(0)]], uint2 i [[thread_position_in_grid]], "
                              "ushort n [[threads_per_threadgroup]]) { x[i.x] = n; }"},
                    Forbidden{"goto_statement", "poisoned", KERNEL("if (i) goto e; x[i] = 1; e:;")},
                    Forbidden{"new_object", "poisoned", KERNEL("x[i] = *(new float(1));")},
                    Forbidden{"exceptions", "poisoned", KERNEL("try { x[i] = 1; } catch (...) {}")},
                    Forbidden{"virtual_function", "poisoned", KERNEL("x[i] = 1;"),
                              "struct A { virtual int f() { return 1; } };"},
                    Forbidden{"std_names", "poisoned", KERNEL("x[i] = std::max(1.f, 2.f);")},
                    Forbidden{"cmath", "'cmath' file not found", KERNEL("x[i] = 1;"), "#include <cmath>"},
                    Forbidden{"vector", "'vector' file not found", KERNEL("x[i] = 1;"), "#include <vector>"},
                    Forbidden{"sqrtf_of_c", "undeclared identifier 'sqrtf'", KERNEL("x[i] = sqrtf(2.f);")},
                    Forbidden{"memcpy_of_c", "undeclared identifier 'memcpy'", KERNEL("memcpy(x, x + 1, 4);")},
                    Forbidden{"printf_of_c", "undeclared identifier 'printf'", KERNEL("printf(\"hi\"); x[i] = 1;")}),
    testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(
    Types, Refused,
    testing::Values(Forbidden{"half4_plus_float4", "invalid operands",
                              "kernel void k(device float4* x [[buffer(0)]], device half4* h "
                              "[[buffer(1)]], uint i [[thread_position_in_grid]]) { x[i] = x[i] + h[i]; }"},
                    Forbidden{"vector_conversion", "no viable overloaded '='",
                              "kernel void k(device float4* x [[buffer(0)]], device "
                              "half4* h [[buffer(1)]], uint i [[thread_position_in_grid]]) { x[i] = h[i]; }"},
                    Forbidden{"max_of_half_and_int", "call to 'max' is ambiguous",
                              "kernel void k(device half* x [[buffer(0)]], uint "
                              "i [[thread_position_in_grid]]) { x[i] = max(x[i], 0); }"},
                    Forbidden{"min_of_int_and_uint", "call to 'min' is ambiguous",
                              "kernel void k(device int* x [[buffer(0)]], uint "
                              "i [[thread_position_in_grid]]) { x[i] = min(x[i], i); }"},
                    Forbidden{"array_of_variable_length", "variable length arrays",
                              KERNEL("float a[i]; a[0] = 1; x[i] = a[0];")},
                    Forbidden{"write_to_constant", "read-only variable",
                              "kernel void k(constant float* c [[buffer(1)]], uint i "
                              "[[thread_position_in_grid]]) { c[i] = 1; }"}),
    testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(
    Programs, Refused,
    testing::Values(
        Forbidden{"recursion", "recursion.metal:3: error: recursion: fact(float) calls itself",
                  KERNEL("x[i] = fact(i);"), "inline float fact(float n) { return n < 2 ? 1 : n * fact(n - 1); }"},
        Forbidden{"mutual_recursion", "mutual_recursion.metal:4: error: recursion: g(float) calls itself",
                  KERNEL("x[i] = f(i);"),
                  "float g(float n); inline float f(float n) { return n < 2 ? 1 : g(n - 1); }\n"
                  "inline float g(float n) { return f(n - 1); }"},
        Forbidden{"function_pointer", "function_pointer.metal:4: error: a call through a pointer, in k(",
                  KERNEL("float (*p)(float) = f; x[i] = p(i);"), "inline float f(float n) { return n; }"},
        Forbidden{"function_pointer_by_auto", "a call through a pointer", KERNEL("auto p = i ? f : g; x[i] = p(i);"),
                  "inline float f(float n) { return n; }\ninline float g(float n) { return -n; }"},
        Forbidden{"lambda", "lambda expression", KERNEL("auto f = [](float a) { return a; }; x[i] = f(i);")},
        Forbidden{"global_variable", "a variable at program scope that is not constant", KERNEL("x[i] = counter;"),
                  "float counter = 0;"},
        Forbidden{"static_local", "static local variable", KERNEL("static float c = 0; x[i] = c;")},
        Forbidden{"threadgroup_in_function", "threadgroup variable outside a kernel", KERNEL("x[i] = f(i);"),
                  "inline float f(uint i) { threadgroup float s[4]; s[i] = 1; return s[0]; }"},
        Forbidden{"threadgroup_initialiser", "initialiser that is not zero",
                  KERNEL("threadgroup float s[2] = {0, 1}; x[i] = s[0];")}),
    testing::PrintToStringParamName());

INSTANTIATE_TEST_SUITE_P(
    Arguments, Refused,
    testing::Values(
        Forbidden{"unknown_attribute", "unknown attribute [[thread_position_in_gird]]",
                  "kernel void k(device float* x [[buffer(0)]], uint i [[thread_position_in_gird]]) { x[i] = 1; }"},
        Forbidden{"type_of_position", "undefined template 'msl::Bound<float>'",
                  "kernel void k(device float* x [[buffer(0)]], float i [[thread_position_in_grid]]) { x[0] = i; }"},
        Forbidden{"index_twice", "buffer 0 is used twice",
                  "kernel void k(device float* y [[buffer(0)]], device float* x [[buffer(0)]]) { x[0] = y[0]; }"},
        Forbidden{"plain_value", "'y' needs an address space or an attribute",
                  "kernel void k(device float* x [[buffer(0)]], float y) { x[0] = y; }"},
        Forbidden{"result", "no matching", "kernel int k(device float* x [[buffer(0)]]) { x[0] = 1; return 0; }"},
        Forbidden{"pointer_without_space", "pointer or reference without an address space: 'float * p'",
                  KERNEL("float y = 1; x[i] = f(&y);"), "inline float f(float* p) { return *p; }"}),
    testing::PrintToStringParamName());

class RefusedForItsSpaces : public testing::TestWithParam<Forbidden> {};

TEST_P(RefusedForItsSpaces, Only) {
  EXPECT_EQ(compiler_on(GetParam()), "");
  EXPECT_CONTAINS(spaces_of(GetParam()), GetParam().says);
}

INSTANTIATE_TEST_SUITE_P(
    Spaces, RefusedForItsSpaces,
    testing::Values(Forbidden{"pointer", "no matching function for call to 'f'", KERNEL("x[i] = f(x);"),
                              "inline float f(threadgroup float* p) { return *p; }"},
                    Forbidden{"reference", "no matching function for call to 'f'", KERNEL("f(x[i]);"),
                              "inline void f(thread float& p) { p = 1; }"},
                    Forbidden{"assignment", "cannot initialize a variable of type '__local float *",
                              KERNEL("threadgroup float* p = x; p[i] = 1;")},
                    Forbidden{
                        "atomic_of_a_thread", "no matching function for call to 'atomic_fetch_add_explicit'",
                        KERNEL("atomic_uint a; x[i] = atomic_fetch_add_explicit(&a, 1u, memory_order_relaxed);")}),
    testing::PrintToStringParamName());

TEST(Spaces, OfMatricesAtomicsAndBfloatsRaiseNoFalseAlarm) {
  const Forbidden sound{
      "spaces", "",
      "kernel void k(device float* x [[buffer(0)]], device const half* h [[buffer(1)]], device atomic_uint* a "
      "[[buffer(2)]],\n"
      "              constant S& s [[buffer(3)]], threadgroup float* t [[threadgroup(0)]], uint i "
      "[[thread_position_in_grid]]) {\n"
      "  simdgroup_half8x8 m; simdgroup_load(m, h, 8); simdgroup_float8x8 f, g(1.f); simdgroup_load(f, t, 8);\n"
      "  simdgroup_multiply_accumulate(g, m, f, g); simdgroup_store(g, x, 8); simdgroup_store(g, t, 8);\n"
      "  uint e = 0; atomic_compare_exchange_weak_explicit(a, &e, 1u, memory_order_relaxed, memory_order_relaxed);\n"
      "  bfloat b = bfloat(1.f); b += bfloat(2.f); x[i] = float(b);\n"
      "  S copy = s; float4 v = copy.v * s.by; x[i] += dot(v, *(device float4*)x) + clamp(v, s.by, s.by).x;\n"
      "  half2 w = i ? ((device half2*)h)[i] : half2(1); x[i] += w.x;\n}",
      "struct S { float4 v; float by; };"};
  EXPECT_EQ(compiler_on(sound), "");
  EXPECT_EQ(spaces_of(sound), "");
}

}  // namespace
}  // namespace metal_emulator
