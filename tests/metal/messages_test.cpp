// The host's table of messages, each with its C++ types, against what readers of Apple's headers agree on: whoever
// calls a method with another type reads other registers.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "metal/fake/fake_metal.h"
#include "ops/metal/messages.h"

namespace rung::objc {
namespace {

TEST(Messages, AreApples) {
  for (const MessageInfo& m : messages().all()) {
    const std::string owner{m.owner};
    const fake_metal::Selector* const golden = fake_metal::selector(owner, m.kind, m.name);
    ASSERT_NE(golden, nullptr) << m.kind << "[" << owner << " " << m.name << "] is in no two sources";
    EXPECT_EQ(fake_metal::plain(m.encoding), golden->encoding) << m.kind << "[" << owner << " " << m.name << "]";
    // What the host takes for its own (Object's constructor): all that begins with new. `retain` says so by itself.
    EXPECT_EQ(std::string_view(m.name).substr(0, 3) == "new", golden->gives_ownership) << m.name;
  }
}

TEST(Messages, AreSpelledOnce) {
  std::set<std::string> seen;
  for (const MessageInfo& m : messages().all()) {
    EXPECT_TRUE(seen.insert(std::string{m.owner} + m.kind + m.name).second) << m.owner << " " << m.name;
  }
}

}  // namespace
}  // namespace rung::objc
