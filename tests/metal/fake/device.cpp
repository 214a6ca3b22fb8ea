// MTLDevice: what it can do, and where everything else comes from.
#include "device.h"

namespace fake_metal {
namespace {

constexpr UInteger family_apple_1 = 1001;  // MTLGPUFamilyApple1; each later one is one more

bool supports_family(Id, Sel, long family) {
  const UInteger apple = static_cast<UInteger>(family) - family_apple_1 + 1;
  const bool is_common = family >= 3001 && family <= 3003;  // MTLGPUFamilyCommon1 to 3
  const bool is_metal_3 = family == 5001 && settings().apple_family >= 7;
  return is_common || is_metal_3 || (apple >= 1 && apple <= settings().apple_family);
}

Id new_queue(Id, Sel) { return make<Queue>("MTLCommandQueue"); }

}  // namespace

void define_device() {
  method("MTLDevice", '-', "name", +[](Id, Sel) { return string(settings().device_name); });
  method("MTLDevice", '-', "newCommandQueue", new_queue);
  method("MTLDevice", '-', "maxBufferLength", +[](Id, Sel) -> UInteger { return settings().max_buffer_length; });
  method("MTLDevice", '-', "recommendedMaxWorkingSetSize", +[](Id, Sel) -> UInteger { return settings().working_set; });
  method("MTLDevice", '-', "supportsFamily:", supports_family);
}

}  // namespace fake_metal

extern "C" fake_metal::Id objc_getClass(const char*);

extern "C" fake_metal::Id MTLCreateSystemDefaultDevice() {
  using namespace fake_metal;
  objc_getClass("NSObject");  // defines all classes
  return settings().has_device ? make<Object>("MTLDevice") : nullptr;
}
