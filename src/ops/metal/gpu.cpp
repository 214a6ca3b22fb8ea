#include "ops/metal/gpu.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "base/ensure.h"
#include "base/error.h"
#include "kernels/metal/args.h"
#include "kernels/metal/source.h"

namespace rung::metal {

using namespace objc;

namespace {

struct KernelInfo {
  Kernel kernel;
  const char* name;
  int constant;  // the number of the function constant that it has; −1: none
};
constexpr KernelInfo kKernels[] = {
    {Kernel::embed, "embed", RUNG_FORMAT_CONSTANT},
    {Kernel::take_rows, "take_rows", -1},
    {Kernel::rms_norm, "rms_norm", -1},
    {Kernel::linear_few, "linear_few", RUNG_FORMAT_CONSTANT},
    {Kernel::linear_many, "linear_many", RUNG_FORMAT_CONSTANT},
    {Kernel::gate_up_few, "gate_up_few", RUNG_FORMAT_CONSTANT},
    {Kernel::gate_up_many, "gate_up_many", RUNG_FORMAT_CONSTANT},
    {Kernel::rope, "rope", -1},
    {Kernel::store_kv, "store_kv", RUNG_CACHE_CONSTANT},
    {Kernel::heads, "heads", RUNG_CACHE_CONSTANT},
    {Kernel::attention, "attention", RUNG_CACHE_CONSTANT},
    {Kernel::attention_blocks, "attention_blocks", RUNG_CACHE_CONSTANT},
    {Kernel::attention_combine, "attention_combine", -1},
    {Kernel::gate, "gate", -1},
    {Kernel::add, "add", -1},
};
static_assert([] {
  for (std::size_t i = 0; i < std::size(kKernels); ++i) {
    if (static_cast<std::size_t>(kKernels[i].kernel) != i) return false;
  }
  return true;
}());

constexpr std::size_t kUploadBytes = std::size_t{256} << 10;
constexpr std::size_t kUploadAlignment = 16;
constexpr std::size_t kLine = 64;
constexpr std::size_t kMostBuffers = 16;  // of a dispatch

}  // namespace

// ---- Memory
// -----------------------------------------------------------------------------------------------------------

class Gpu::Piece : public BackendMemory {
 public:
  Piece(Gpu& gpu, Object buffer, std::size_t bytes)
      : gpu_(gpu),
        buffer_(std::move(buffer)),
        bytes_(bytes),
        data_(static_cast<std::byte*>(messages().contents(buffer_.id()))) {
    gpu_.pieces_.emplace(data_, this);
    ++gpu_.counts_.buffers;
    gpu_.counts_.buffer_bytes += bytes_;
  }
  ~Piece() override {
    gpu_.pieces_.erase(data_);
    --gpu_.counts_.buffers;
    gpu_.counts_.buffer_bytes -= bytes_;
  }
  std::byte* data() const override { return data_; }
  Id buffer() const { return buffer_.id(); }
  bool holds(const std::byte* p) const { return p < data_ + bytes_; }

 private:
  Gpu& gpu_;
  Object buffer_;
  std::size_t bytes_;
  std::byte* data_;
};

std::unique_ptr<BackendMemory> Gpu::memory(std::size_t bytes) {
  const Pool pool;
  const std::size_t whole = std::max<std::size_t>(1, (bytes + kLine - 1) / kLine) * kLine;
  if (whole > most_bytes_) {
    fail("{}: a buffer of {} bytes, of which the GPU has at most {}: try a smaller --context", name_, whole,
         most_bytes_);
  }
  Object buffer(messages().new_buffer(device_.id(), whole, kShared));
  if (!buffer) fail("{}: no memory for {} bytes", name_, whole);
  return std::make_unique<Piece>(*this, std::move(buffer), whole);
}

Place Gpu::place(const void* p) const {
  const auto* const at = static_cast<const std::byte*>(p);
  auto after = pieces_.upper_bound(at);
  ensure(after != pieces_.begin() && std::prev(after)->second->holds(at), "Metal: memory that is not the GPU's");
  const Piece& piece = *std::prev(after)->second;
  return {piece.buffer(), static_cast<UInteger>(at - piece.data())};
}

std::uint64_t Gpu::address(const void* p) {
  const Place at = place(p);
  const Id encoding = encoder();
  if (std::find(used_.begin(), used_.end(), at.buffer) == used_.end()) {
    messages().use(encoding, at.buffer, kReadWrite);  // who is reached by address must be said: nothing is bound
    used_.push_back(at.buffer);
  }
  return messages().gpu_address(at.buffer) + at.offset;
}

// Pieces of memory that fill up during a pass, and are empty again after it.
Place Gpu::upload(std::span<const std::byte> bytes) {
  while (upload_ < uploads_.size() && upload_at_ + bytes.size() > uploads_[upload_].bytes) {
    ++upload_;
    upload_at_ = 0;
  }
  if (upload_ == uploads_.size()) {
    const std::size_t size = std::max(std::min(kUploadBytes, most_bytes_), bytes.size());
    uploads_.push_back({memory(size), size});
  }
  std::byte* const to = uploads_[upload_].memory->data() + upload_at_;
  std::memcpy(to, bytes.data(), bytes.size());
  upload_at_ += (bytes.size() + kUploadAlignment - 1) / kUploadAlignment * kUploadAlignment;
  return place(to);
}

// The GPU reads these bytes where they are. Only whole pages can be lent: the processor's tables of addresses know no
// smaller piece.
Object Gpu::wrap(const std::byte* pages, std::size_t bytes) {
  const Pool pool;
  Object buffer(messages().new_buffer_over(device_.id(), const_cast<std::byte*>(pages), bytes, kShared, nullptr));
  if (buffer) counts_.wrapped_bytes += bytes;
  return buffer;
}

Object Gpu::copy(std::span<const std::byte> bytes) {
  const Pool pool;
  Object buffer(messages().new_buffer(device_.id(), bytes.size(), kShared));
  if (!buffer) fail("{}: no memory for {} bytes of weights", name_, bytes.size());
  std::memcpy(messages().contents(buffer.id()), bytes.data(), bytes.size());
  counts_.copied_bytes += bytes.size();
  return buffer;
}

// ---- Kernels
// ----------------------------------------------------------------------------------------------------------

// The compiler of kernels is part of the system: it reads their source when this program starts.
Object Gpu::compiled() {
  const Messages& m = messages();
  const Object options(m.new_options(runtime().get_class("MTLCompileOptions")));
  m.set_language(options.id(), kLanguage);
  // Without this, "fast" mathematics: no infinities, no NaN, sums in any order. Its name changed with macOS 15.
  if (m.responds(options.id(), m.set_math_mode.selector())) {
    m.set_math_mode(options.id(), kMathSafe);
  } else {
    m.set_fast_math(options.id(), false);
  }
  Id error = nullptr;
  Object library(m.new_library(device_.id(), text(gpu::kernel_source().c_str()), options.id(), &error));
  if (!library) fail("{}: the kernels do not compile:\n{}", name_, error_text(error));
  return library;
}

Id Gpu::pipeline(Kernel kernel, std::uint32_t constant) {
  const KernelInfo& info = kKernels[static_cast<std::size_t>(kernel)];
  Object& made = pipelines_[{kernel, info.constant < 0 ? 0 : constant}];
  if (made) return made.id();
  const Messages& m = messages();
  const Object constants(m.new_constants(runtime().get_class("MTLFunctionConstantValues")));
  if (info.constant >= 0) {
    m.set_constant(constants.id(), &constant, kConstantUInt, static_cast<UInteger>(info.constant));
  }
  Id error = nullptr;
  const Object function(m.new_function(library_.id(), text(info.name), constants.id(), &error));
  if (!function) fail("{}: kernel {}: {}", name_, info.name, error_text(error));
  made = Object(m.new_pipeline(device_.id(), function.id(), &error));
  if (!made) fail("{}: kernel {}: {}", name_, info.name, error_text(error));
  return made.id();
}

Gpu::Gpu(std::size_t most_work) : most_work_(most_work) {
  const Runtime* const found = Runtime::find();
  if (found == nullptr)
    fail("--device metal: there is no Metal on this system; it comes with a Mac whose chip is Apple's");
  const Pool pool;
  device_ = Object(found->default_device());
  if (!device_) fail("--device metal: this system has Metal, but no GPU that it can use");
  name_ = text_of(messages().name(device_.id()));
  most_bytes_ = messages().most_bytes(device_.id());
  queue_ = Object(messages().new_queue(device_.id()));
  if (!queue_) fail("{}: no command queue", name_);
  library_ = compiled();
}

Gpu::~Gpu() {
  try {
    finish();
  } catch (const std::exception&) {  // nobody waits for the result any more
  }
}

// ---- Work
// -------------------------------------------------------------------------------------------------------------

Id Gpu::encoder() {
  if (encoder_) return encoder_.id();
  const Pool pool;
  commands_ = Object::retained(messages().command_buffer(queue_.id()));
  if (!commands_) fail("{}: no command buffer", name_);
  encoder_ = Object::retained(messages().encoder(commands_.id()));
  if (!encoder_) fail("{}: no encoder", name_);
  for (const Id buffer : used_) messages().use(encoder_.id(), buffer, kReadWrite);
  ++counts_.command_buffers;
  return encoder_.id();
}

// At most five messages: what a dispatch costs the processor is mostly these.
void Gpu::dispatch(Kernel kernel, std::uint32_t constant, std::span<const std::byte> args,
                   std::span<const Place> buffers, const Grid& grid) {
  if (grid.groups.width == 0 || grid.groups.height == 0 || grid.groups.depth == 0) return;
  const Pool pool;
  const Messages& m = messages();
  const Id to = encoder();
  std::array<Id, kMostBuffers> ids{};
  std::array<UInteger, kMostBuffers> offsets{};
  ensure(buffers.size() <= ids.size(), "Metal: more buffers than a dispatch takes");
  std::size_t count = 0;
  for (const Place& place : buffers) {
    ids[count] = place.buffer;
    offsets[count++] = place.offset;
  }
  m.set_pipeline(to, pipeline(kernel, constant));
  m.set_bytes(to, args.data(), args.size(), 0);
  m.set_buffers(to, ids.data(), offsets.data(), {1, count});
  if (grid.threadgroup_bytes > 0) m.set_threadgroup_bytes(to, grid.threadgroup_bytes, 0);
  m.dispatch(to, grid.groups, {grid.threads, 1, 1});
  ++counts_.dispatches;
}

void Gpu::add_work(std::size_t multiplications) {
  work_ += multiplications;
  if (work_ > most_work_) commit();
}

void Gpu::commit() {
  work_ = 0;
  if (!encoder_) return;
  const Pool pool;
  messages().end(encoder_.id());
  encoder_ = {};
  messages().commit(commands_.id());
  committed_.push_back(std::move(commands_));
  commands_ = {};
}

// Command buffers of a queue are done in their order: so the last one's end is that of all. Each is asked how it went.
void Gpu::finish() {
  commit();
  upload_ = upload_at_ = 0;
  used_.clear();
  if (committed_.empty()) return;
  const Pool pool;
  const std::vector<Object> done = std::move(committed_);
  committed_.clear();
  messages().wait(done.back().id());
  for (const Object& commands : done) {
    if (messages().status(commands.id()) == kCompleted) continue;
    fail("{}: {}", name_, error_text(messages().error(commands.id())));
  }
}

}  // namespace rung::metal
