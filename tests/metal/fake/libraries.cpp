// MTLLibrary, MTLFunction, MTLComputePipelineState: kernels, compiled from their source while the program runs.
#include <filesystem>
#include <fstream>
#include <functional>

#include <unistd.h>

#include "device.h"

namespace fake_metal {
namespace {

constexpr long library_error_compile_failure = 3;     // MTLLibraryErrorCompileFailure
constexpr long library_error_function_not_found = 5;  // MTLLibraryErrorFunctionNotFound
constexpr unsigned macos_of_math_mode = 15;

CompileOptions& options_of(Id self) { return *static_cast<CompileOptions*>(self); }

// MTLLanguageVersion is major << 16 | minor; __METAL_VERSION__ is 310 for 3.1.
std::string version_flag(std::size_t language) {
  return "-D__METAL_VERSION__=" + std::to_string((language >> 16) * 100 + (language & 0xffff) * 10);
}

// Where the compiled text lies: the compiler is asked once in a process, for each way to build.
std::string compiled(const std::string& text, const std::vector<std::string>& flags) {
  static std::map<std::pair<metal_emulator::Build, std::string>, std::string> known;
  std::string& shared_object = known[{settings().build, (flags.empty() ? "" : flags.back()) + "\n" + text}];
  if (!shared_object.empty()) return shared_object;
  const std::filesystem::path folder = METAL_CACHE;
  std::filesystem::create_directories(folder);
  const std::string file = (folder / ("library-" + std::to_string(std::hash<std::string>{}(text)) + ".metal")).string();
  if (!std::filesystem::exists(file)) {  // whole when it is there: another program may be reading it
    const std::string beside = file + "." + std::to_string(::getpid());
    std::ofstream{beside} << text;
    std::filesystem::rename(beside, file);
  }
  return shared_object = metal_emulator::compile(file, settings().build, flags);
}

Id new_library(Id, Sel, Id source, Id options, Id* error_out) {
  const CompileOptions* const asked = static_cast<CompileOptions*>(options);
  const LibraryRequest request = asked ? asked->request : LibraryRequest{};
  mutable_report().libraries.push_back(request);
  std::vector<std::string> flags;
  if (request.language_version == 0) {
    finding("a library is compiled with no language version asked for: each system takes its newest");
  } else {
    flags = {"-U__METAL_VERSION__", version_flag(request.language_version)};
  }
  const std::string text = settings().edit_source ? settings().edit_source(text_of(source)) : text_of(source);
  try {
    const std::string shared_object = compiled(text, flags);
    Library* const made = make<Library>("MTLLibrary");
    made->library = std::make_shared<metal_emulator::Library>(shared_object);
    return made;
  } catch (const std::runtime_error& problem) {
    if (error_out) *error_out = error(library_error_compile_failure, problem.what());
    return nullptr;
  }
}

Id new_function_with(Id self, Id name, const Constants& constants, Id* error_out) {
  Library* const library = static_cast<Library*>(self);
  const msl::Kernel* const kernel = library->library->find(text_of(name));
  if (!kernel) {
    const std::string what = "there is no kernel '" + text_of(name) + "' in the library";
    if (error_out) *error_out = error(library_error_function_not_found, what);
    return nullptr;
  }
  Function* const made = make<Function>("MTLFunction");
  made->library = static_cast<Library*>(retain(library));
  made->kernel = kernel;
  made->constants = constants;
  return made;
}

Pipeline* new_pipeline_of(const Function& function) {
  Pipeline* const made = make<Pipeline>("MTLComputePipelineState");
  made->library = static_cast<Library*>(retain(function.library));
  made->kernel = function.kernel;
  made->constants = function.constants;
  made->max_threads = function.kernel->max_threads;
  return made;
}

// As large as the type that the number names (MTLDataType): bool, (u)char; (u)short, half; the rest.
std::size_t bytes_of_type(UInteger type) {
  constexpr UInteger half = 16, short_ = 37, ushort_ = 41, char_ = 45, uchar_ = 49, bool_ = 53;
  if (type == bool_ || type == char_ || type == uchar_) return 1;
  return type == half || type == short_ || type == ushort_ ? 2 : 4;
}

void set_constant(Id self, Sel, const void* value, UInteger type, UInteger index) {
  const auto* const bytes = static_cast<const unsigned char*>(value);
  static_cast<ConstantValues*>(self)->values[static_cast<unsigned>(index)].assign(bytes, bytes + bytes_of_type(type));
}

void define_options() {
  method("MTLCompileOptions", '+', "new", +[](Id, Sel) -> Id { return make<CompileOptions>("MTLCompileOptions"); });
  method(
      "MTLCompileOptions", '-', "setLanguageVersion:", +[](Id self, Sel, UInteger version) {
        options_of(self).request.language_version = version;
      });
  method(
      "MTLCompileOptions", '-',
      "setFastMathEnabled:", +[](Id self, Sel, bool fast) { options_of(self).request.fast_math = fast; });
  method(
      "MTLCompileOptions", '-',
      "setMathMode:", +[](Id self, Sel, long mode) { options_of(self).request.math_mode = mode; }, macos_of_math_mode);
  method(
      "MTLFunctionConstantValues", '+', "new",
      +[](Id, Sel) -> Id { return make<ConstantValues>("MTLFunctionConstantValues"); });
  method("MTLFunctionConstantValues", '-', "setConstantValue:type:atIndex:", set_constant);
}

}  // namespace

void Function::dispose() { release(library); }
void Pipeline::dispose() { release(library); }

void define_libraries() {
  define_options();
  method("MTLDevice", '-', "newLibraryWithSource:options:error:", new_library);
  method(
      "MTLLibrary", '-',
      "newFunctionWithName:", +[](Id self, Sel, Id name) { return new_function_with(self, name, {}, nullptr); });
  method(
      "MTLLibrary", '-',
      "newFunctionWithName:constantValues:error:", +[](Id self, Sel, Id name, Id constants, Id* error_out) {
        return new_function_with(self, name, static_cast<ConstantValues*>(constants)->values, error_out);
      });
  method(
      "MTLDevice", '-', "newComputePipelineStateWithFunction:error:", +[](Id, Sel, Id function, Id*) -> Id {
        return new_pipeline_of(*static_cast<Function*>(function));
      });
}

}  // namespace fake_metal
