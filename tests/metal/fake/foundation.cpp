// NSObject, NSString, NSError: as much of Foundation as a host of Metal needs.
#include "device.h"

namespace fake_metal {

Id string(const std::string& text) {
  String* const made = make<String>("NSString");
  made->text = text;
  return autorelease(made);
}

const std::string& text_of(Id object) {
  const String* const text = dynamic_cast<String*>(object);
  if (!text) misuse("an NSString is wanted, this is " + (object ? object->isa->name : std::string{"nil"}));
  return text->text;
}

Id error(long code, const std::string& description) {
  Error* const made = make<Error>("NSError");
  made->code = code;
  made->description = description;
  return autorelease(made);
}

namespace {

Id retain_it(Id self, Sel) { return retain(self); }
void release_it(Id self, Sel) { release(self); }

bool responds(Id self, Sel, Sel name) {
  for (const Class* c = self->isa; c; c = c->parent) {
    const auto found = c->methods.find(name);
    if (found != c->methods.end()) return found->second.since <= settings().macos;
  }
  return false;
}

void define_strings() {
  const auto from_c = +[](Id, Sel, const unsigned char* text) { return string(reinterpret_cast<const char*>(text)); };
  method("NSString", '+', "stringWithUTF8String:", from_c);
  method(
      "NSString", '-', "UTF8String",
      +[](Id self, Sel) { return reinterpret_cast<const unsigned char*>(text_of(self).c_str()); });
  method("NSString", '-', "length", +[](Id self, Sel) -> UInteger { return text_of(self).size(); });
}

}  // namespace

void define_foundation() {
  method("NSObject", '-', "retain", retain_it);
  method("NSObject", '-', "release", release_it);
  method("NSObject", '-', "respondsToSelector:", responds);
  define_strings();
  method(
      "NSError", '-', "localizedDescription",
      +[](Id self, Sel) { return string(static_cast<Error*>(self)->description); });
  method("NSError", '-', "code", +[](Id self, Sel) -> long { return static_cast<Error*>(self)->code; });
}

}  // namespace fake_metal
