// MTLSharedEvent, and MTLResidencySet: which buffers a kernel may reach by address.
#include "device.h"

namespace fake_metal {
namespace {

constexpr unsigned macos_of_residency_sets = 15;

SharedEvent& event_of(Id self) { return *static_cast<SharedEvent*>(self); }
ResidencySet& set_of(Id self) { return *static_cast<ResidencySet*>(self); }

Id new_set(Id, Sel, Id, Id*) { return make<ResidencySet>("MTLResidencySet"); }

void add(Id self, Sel, Id object) {
  if (set_of(self).added.insert(buffer(object, "addAllocation:")).second) retain(object);
}

void remove(Id self, Sel, Id object) {
  if (set_of(self).added.erase(buffer(object, "removeAllocation:")) > 0) release(object);
}

void define_sets() {
  const unsigned since = macos_of_residency_sets;
  method(
      "MTLResidencySetDescriptor", '+', "new", +[](Id, Sel) { return make<Object>("MTLResidencySetDescriptor"); },
      since);
  method("MTLResidencySetDescriptor", '-', "setInitialCapacity:", +[](Id, Sel, UInteger) {}, since);
  method("MTLDevice", '-', "newResidencySetWithDescriptor:error:", new_set, since);
  method("MTLResidencySet", '-', "addAllocation:", add, since);
  method("MTLResidencySet", '-', "removeAllocation:", remove, since);
  method("MTLResidencySet", '-', "commit", +[](Id self, Sel) { set_of(self).committed = set_of(self).added; }, since);
  method("MTLResidencySet", '-', "requestResidency", +[](Id, Sel) {}, since);
  method("MTLResidencySet", '-', "endResidency", +[](Id, Sel) {}, since);
  method(
      "MTLCommandQueue", '-', "addResidencySet:",
      +[](Id self, Sel, Id set) { static_cast<Queue*>(self)->sets.push_back(static_cast<ResidencySet*>(retain(set))); },
      since);
  method(
      "MTLCommandQueue", '-', "removeResidencySet:",
      +[](Id self, Sel, Id set) {
        auto& sets = static_cast<Queue*>(self)->sets;
        for (auto i = sets.begin(); i != sets.end(); ++i) {
          if (*i != set) continue;
          sets.erase(i);
          release(set);
          return;
        }
      },
      since);
  method(
      "MTLCommandBuffer", '-', "useResidencySet:",
      +[](Id self, Sel, Id set) {
        static_cast<CommandBuffer*>(self)->sets.push_back(static_cast<ResidencySet*>(retain(set)));
      },
      since);
}

// The GPU signals when its work is done: so what was committed is done now.
bool wait_until_signaled(Id self, Sel, UInteger value, UInteger) {
  if (event_of(self).value < value) execute_everything();
  return event_of(self).value >= value;
}

}  // namespace

void ResidencySet::dispose() {
  for (Buffer* b : added) release(b);
}

void define_synchronisation() {
  define_sets();
  method("MTLDevice", '-', "newSharedEvent", +[](Id, Sel) -> Id { return make<SharedEvent>("MTLSharedEvent"); });
  method("MTLSharedEvent", '-', "signaledValue", +[](Id self, Sel) -> UInteger { return event_of(self).value; });
  method(
      "MTLSharedEvent", '-', "setSignaledValue:", +[](Id self, Sel, UInteger value) { event_of(self).value = value; });
  method("MTLSharedEvent", '-', "waitUntilSignaledValue:timeoutMS:", wait_until_signaled, 12);
}

}  // namespace fake_metal
