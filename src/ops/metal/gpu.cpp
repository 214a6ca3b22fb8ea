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

// How long a command buffer may take, which has work for a part of one: a minute, a second at a time.
constexpr int kPatience = 60;
constexpr UInteger kSecond = 1000;

}  // namespace

// ---- Memory ----

class Gpu::Piece : public BackendMemory {
 public:
  Piece(Gpu& gpu, KeptBuffer buffer, std::size_t bytes)
      : gpu_(gpu),
        buffer_(std::move(buffer)),
        bytes_(bytes),
        data_(static_cast<std::byte*>(messages().contents(buffer_.id()))),
        address_(messages().gpu_address(buffer_.id())) {
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
  std::uint64_t address() const { return address_; }  // of its first byte, for the GPU
  bool holds(const std::byte* p) const { return p < data_ + bytes_; }

 private:
  Gpu& gpu_;
  KeptBuffer buffer_;
  std::size_t bytes_;
  std::byte* data_;
  std::uint64_t address_;
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
  return std::make_unique<Piece>(*this, kept(std::move(buffer)), whole);
}

const Gpu::Piece& Gpu::piece_of(const std::byte* p) const {
  auto after = pieces_.upper_bound(p);
  ensure(after != pieces_.begin() && std::prev(after)->second->holds(p), "Metal: memory that is not the GPU's");
  return *std::prev(after)->second;
}

Place Gpu::place(const void* p) const {
  const auto* const at = static_cast<const std::byte*>(p);
  const Piece& piece = piece_of(at);
  return {piece.buffer(), static_cast<UInteger>(at - piece.data())};
}

// Whom kernels reach by address alone, nothing binds: so each encoder is told of it. Only then is it there when the GPU
// looks, and only then does Metal order what two command buffers do to it: a residency set would do the first alone.
std::uint64_t Gpu::address(const void* p) {
  const auto* const at = static_cast<const std::byte*>(p);
  const Piece& piece = piece_of(at);
  const Id encoding = encoder();
  if (std::find(used_.begin(), used_.end(), piece.buffer()) == used_.end()) {
    messages().use(encoding, piece.buffer(), kReadWrite);
    used_.push_back(piece.buffer());
  }
  return piece.address() + static_cast<std::uint64_t>(at - piece.data());
}

// Memory that the GPU has not used for a second, the system may take from it, and the next token waits until all is
// there again (llama.cpp#10119). Since macOS 15 a set of buffers can be asked to stay. Not where a model is larger than
// what the system recommends: then it must be free to choose.
KeptBuffer::KeptBuffer(Object buffer, Id residency_set)
    : set_(Object::retained(residency_set)), buffer_(std::move(buffer)) {
  if (set_) messages().add_to_set(set_.id(), buffer_.id());
}

KeptBuffer::~KeptBuffer() {
  if (!set_) return;
  const Pool pool;
  messages().remove_from_set(set_.id(), buffer_.id());
  messages().commit_set(set_.id());
}

KeptBuffer Gpu::kept(Object buffer) {
  residency_changed_ = true;
  return {std::move(buffer), residency_set_.id()};
}

void Gpu::keep_resident() {
  if (!residency_set_ || !residency_changed_) return;
  residency_changed_ = false;
  const Messages& m = messages();
  m.commit_set(residency_set_.id());
  const bool fits = m.bytes_of_set(residency_set_.id()) <= comfortable_bytes_;
  (fits ? m.request_residency : m.end_residency)(residency_set_.id());
}

// Pieces of memory that fill up during a pass, and are empty again after it.
Place Gpu::upload(std::span<const std::byte> bytes) {
  refuse_when_lost();  // it may still be reading
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
KeptBuffer Gpu::wrap(const std::byte* pages, std::size_t bytes) {
  const Pool pool;
  Object buffer(messages().new_buffer_over(device_.id(), const_cast<std::byte*>(pages), bytes, kShared, nullptr));
  if (!buffer) return {};
  counts_.wrapped_bytes += bytes;
  return kept(std::move(buffer));
}

KeptBuffer Gpu::copy(std::span<const std::byte> bytes) {
  const Pool pool;
  Object buffer(messages().new_buffer(device_.id(), bytes.size(), kShared));
  if (!buffer) fail("{}: no memory for {} bytes of weights", name_, bytes.size());
  std::memcpy(messages().contents(buffer.id()), bytes.data(), bytes.size());
  counts_.copied_bytes += bytes.size();
  return kept(std::move(buffer));
}

// ---- Kernels ----

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
  if (found == nullptr) {
    fail("--device metal: there is no Metal on this system; it comes with a Mac whose chip is Apple's");
  }
  const Messages& m = messages();
  const Pool pool;
  device_ = Object(found->default_device());
  if (!device_) fail("--device metal: this system has Metal, but no GPU that it can use");
  name_ = text_of(m.name(device_.id()));
  is_virtual_ = name_.find("Paravirtual") != std::string::npos;
  if (!m.supports_family(device_.id(), kFamilyApple7) && !is_virtual_) {
    fail("--device metal: {}: not a GPU of Apple's own (a Mac with an M1 or later has one)", name_);
  }
  most_bytes_ = m.most_bytes(device_.id());
  comfortable_bytes_ = m.comfortable_bytes(device_.id());
  queue_ = Object(m.new_queue(device_.id()));
  if (!queue_) fail("{}: no command queue", name_);
  event_ = Object(m.new_event(device_.id()));
  if (!event_) fail("{}: no event", name_);
  if (m.responds(device_.id(), m.new_set.selector())) {  // nothing depends on it: null is not looked at
    const Object options(m.new_set_options(runtime().get_class("MTLResidencySetDescriptor")));
    residency_set_ = Object(m.new_set(device_.id(), options.id(), nullptr));
  }
  library_ = compiled();
}

Gpu::~Gpu() {
  try {
    finish();
  } catch (const std::exception&) {  // nobody waits for the result any more
  }
  if (residency_set_) messages().end_residency(residency_set_.id());
}

// ---- Work ----

void Gpu::refuse_when_lost() const {
  if (lost_) fail("{}: the GPU has not finished its work within {} seconds", name_, kPatience);
}

Id Gpu::encoder() {
  if (encoder_) return encoder_.id();
  refuse_when_lost();
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
  const Messages& m = messages();
  keep_resident();
  m.end(encoder_.id());
  encoder_ = {};
  m.signal(commands_.id(), event_.id(), ++signals_);
  m.commit(commands_.id());
  committed_.push_back(std::move(commands_));
  commands_ = {};
  if (upload_at_ == 0) return;
  ++upload_;  // the GPU may be reading this piece from now on
  upload_at_ = 0;
}

// Command buffers of a queue are done in their order. Each is asked how it went.
void Gpu::finish() {
  commit();
  upload_ = upload_at_ = 0;
  used_.clear();
  if (committed_.empty()) return;
  const Pool pool;
  const std::vector<Object> done = std::move(committed_);
  committed_.clear();
  std::uint64_t signal = signals_ - done.size();
  for (const Object& commands : done) wait_for(commands.id(), ++signal);
  for (const Object& commands : done) {
    if (messages().status(commands.id()) == kCompleted) continue;
    fail("{}: {}", name_, error_text(messages().error(commands.id())));
  }
}

// `waitUntilCompleted` has no end of its own, and there are days when a GPU never answers (llama.cpp#12277). So we wait
// for the event, which the GPU raises after the command buffer's last kernel, and for a second at a time
// (`waitUntilSignaledValue:timeoutMS:`, since macOS 12); a command buffer that failed may never raise it, but says so.
// When it is raised, only the system's own record of it can be a moment late.
void Gpu::wait_for(Id commands, std::uint64_t signal) {
  const Messages& m = messages();
  for (int seconds = 0; !m.wait_signal(event_.id(), signal, kSecond);) {
    if (m.status(commands) == kFailed) return;
    if (++seconds < kPatience) continue;
    lost_ = true;
    refuse_when_lost();
  }
  m.wait(commands);
}

}  // namespace rung::metal
