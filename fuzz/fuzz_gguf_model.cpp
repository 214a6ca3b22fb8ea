// Any bytes as a GGUF file, the whole way to a model: an Error, or weights all of whose bytes can be read.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "bound_model.h"
#include "files/gguf.h"
#include "model/families/families.h"

namespace {

// A file without a name: Gguf opens paths, and /proc has one for whatever is open.
class UnnamedFile {
 public:
  UnnamedFile(const std::uint8_t* data, std::size_t size) : descriptor_(memfd_create("fuzz", 0)) {
    if (descriptor_ < 0 || ::write(descriptor_, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  UnnamedFile(const UnnamedFile&) = delete;
  UnnamedFile& operator=(const UnnamedFile&) = delete;
  ~UnnamedFile() { ::close(descriptor_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const UnnamedFile file(data, size);
  try {
    const rung::Gguf gguf = rung::Gguf::open(file.path());
    rung::read_all(rung::bind_weights(rung::plan_from_gguf(gguf), gguf.tensors()));
  } catch (const rung::Error&) {
  }
  return 0;
}
