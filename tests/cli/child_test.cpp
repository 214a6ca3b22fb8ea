// Programs that this one starts: how it hears of their end.
#include "cli/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "base/error.h"
#include "files/temporary_folder.h"

namespace rung {
namespace {

TEST(Child, OfOneThatSomebodyElseHasAskedItSaysThatNobodyKnows) {
  for (const bool ends_group : {false, true}) {
    const TemporaryFolder folder;
    const std::string pipe = (folder / "pipe").string();
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const auto end_it_and_ask = [&] {  // cat reads until whoever has opened the pipe closes it
      ::close(::open(pipe.c_str(), O_WRONLY));
      ::waitpid(-1, nullptr, 0);
    };
    try {
      run_child({"cat", pipe}, folder / "", end_it_and_ask, {.ends_group = ends_group});
      ADD_FAILURE() << "it knows how it ended";
    } catch (const Error& e) {
      EXPECT_STREQ(e.what(), "cat: nobody knows how it ended: No child processes");
    }
  }
}

}  // namespace
}  // namespace rung
