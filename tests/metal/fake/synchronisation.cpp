// MTLSharedEvent, and MTLResidencySet: which buffers a kernel may reach by address.
#include "device.h"

namespace fake_metal {
namespace {

constexpr unsigned macos_of_residency_sets = 15;

SharedEvent& event_of(Id self) { return *static_cast<SharedEvent*>(self); }
ResidencySet& set_of(Id self) { return *static_cast<ResidencySet*>(self); }

std::set<ResidencySet*>& sets() {
  static std::set<ResidencySet*> all;
  return all;
}

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
  method("MTLDevice", '-', "newResidencySetWithDescriptor:error:", new_set, since);
  method("MTLResidencySet", '-', "addAllocation:", add, since);
  method("MTLResidencySet", '-', "removeAllocation:", remove, since);
  method("MTLResidencySet", '-', "commit", +[](Id self, Sel) { set_of(self).committed = set_of(self).added; }, since);
  method(
      "MTLResidencySet", '-', "allocatedSize", +[](Id self, Sel) -> UInteger { return set_of(self).bytes(); }, since);
  method("MTLResidencySet", '-', "requestResidency", +[](Id self, Sel) { set_of(self).stays = true; }, since);
  method("MTLResidencySet", '-', "endResidency", +[](Id self, Sel) { set_of(self).stays = false; }, since);
  method(
      "MTLCommandQueue", '-', "addResidencySet:",
      +[](Id self, Sel, Id set) { static_cast<Queue*>(self)->sets.push_back(static_cast<ResidencySet*>(retain(set))); },
      since);
  method(
      "MTLCommandBuffer", '-', "useResidencySet:",
      +[](Id self, Sel, Id set) {
        static_cast<CommandBuffer*>(self)->sets.push_back(static_cast<ResidencySet*>(retain(set)));
      },
      since);
}

// The GPU signals when its work is done: so what was committed is done now.
bool wait_until_signaled(Id self, Sel, UInteger value, UInteger milliseconds) {
  if (event_of(self).value < value) execute_everything();
  if (event_of(self).value >= value) return true;
  mutable_report().waited_ms += milliseconds;
  return false;
}

}  // namespace

ResidencySet::ResidencySet() { sets().insert(this); }

std::size_t ResidencySet::bytes() const {
  std::size_t sum = 0;
  for (const Buffer* b : committed) sum += b->bytes;
  return sum;
}

std::size_t kept_bytes() {
  std::size_t sum = 0;
  for (const ResidencySet* set : sets()) sum += set->stays ? set->bytes() : 0;
  return sum;
}

void ResidencySet::dispose() {
  sets().erase(this);
  for (Buffer* b : added) release(b);
}

void define_synchronisation() {
  define_sets();
  method("MTLDevice", '-', "newSharedEvent", +[](Id, Sel) -> Id { return make<SharedEvent>("MTLSharedEvent"); });
  method("MTLSharedEvent", '-', "signaledValue", +[](Id self, Sel) -> UInteger { return event_of(self).value; });
  method("MTLSharedEvent", '-', "waitUntilSignaledValue:timeoutMS:", wait_until_signaled, 12);
}

}  // namespace fake_metal
