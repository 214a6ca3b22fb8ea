// What is written can be read, and what cannot be written leaves nothing.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/atomic_file.h"
#include "base/error.h"
#include "files/safetensors.h"
#include "files/temporary_folder.h"
#include "files/write_safetensors.h"

namespace rung {
namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

TEST(WriteSafetensors, IsReadBackBitForBitWithItsAxes) {
  const TemporaryFolder folder;
  const std::vector<float> logits{1.0f, -2.0f, 3.5f, 0x1p-149f, -0.0f, 7.0f}, none;
  const std::vector<OutputTensor> tensors{{"logits", {2, 3}, {"tokens", "vocab"}, logits},
                                          {"none", {0, 3}, {}, none},
                                          {"scalar", {}, {}, std::span(logits).first(1)}};
  write_safetensors(folder / "out.safetensors", tensors, {{"model", "pebble \"x\"\n"}});

  const Safetensors read = Safetensors::open(folder / "out.safetensors");
  ASSERT_EQ(read.tensors().size(), 3u);
  const FileTensor& tensor = read.tensors().at("logits");
  EXPECT_EQ(tensor.shape, (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(std::memcmp(tensor.bytes.data(), logits.data(), tensor.bytes.size()), 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % 8, 0u);
  EXPECT_EQ(read.metadata().at("axes:logits"), "tokens,vocab");
  EXPECT_EQ(read.metadata().at("model"), "pebble \"x\"\n");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a") << "old";
  {
    AtomicFile file(folder / "a");
    file.write("new");
    EXPECT_EQ(read_text(folder / "a"), "old");
  }
  EXPECT_EQ(read_text(folder / "a"), "old");
  EXPECT_EQ(files_in(folder.path()), 1u);
  AtomicFile file(folder / "a");
  file.write("ne");
  file.write(std::string(200'000, 'w'));
  file.commit();
  EXPECT_EQ(read_text(folder / "a"), "ne" + std::string(200'000, 'w'));
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, ReplacesTheTargetOfALinkAndNotTheLink) {
  const TemporaryFolder folder;
  std::ofstream(folder / "target") << "old";
  std::filesystem::create_symlink("target", folder / "link");
  AtomicFile file(folder / "link");
  file.write("new");
  file.commit();
  EXPECT_EQ(read_text(folder / "target"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
}

TEST(AtomicFile, MakesTheTargetOfALinkThatIsYetToBeMade) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "elsewhere");
  std::filesystem::create_symlink("link to the target", folder / "link");
  std::filesystem::create_symlink(folder / "elsewhere/target", folder / "link to the target");
  AtomicFile file(folder / "link");
  file.write("new");
  file.commit();
  EXPECT_EQ(read_text(folder / "elsewhere/target"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link to the target"));
}

TEST(AtomicFile, RefusesALinkToItself) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("b", folder / "a");
  std::filesystem::create_symlink("a", folder / "b");
  EXPECT_THROW(AtomicFile(folder / "a"), Error);
}

TEST(AtomicFile, KeepsThePermissionsOfWhatItReplaces) {
  const TemporaryFolder folder;
  using std::filesystem::perms;
  for (const perms kept : {perms{0600}, perms{0666}, perms{0444}, perms{0750}}) {
    std::ofstream(folder / "a") << "old";
    std::filesystem::permissions(folder / "a", kept);
    AtomicFile file(folder / "a");
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      EXPECT_EQ(entry.status().permissions(), kept) << "also while it is written";
    }
    file.write("new");
    file.commit();
    EXPECT_EQ(read_text(folder / "a"), "new");
    EXPECT_EQ(std::filesystem::status(folder / "a").permissions(), kept);
    std::filesystem::remove(folder / "a");
  }
}

// Without a watch of the program's own the file has one: else the signal would end this test.
TEST(AtomicFile, ASignalThatEndsAProgramLeavesNothing) {
  const TemporaryFolder folder;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    std::signal(signal, SIG_DFL);  // whoever starts the tests in the background may ignore it
    for (const bool long_write : {false, true}) {
      AtomicFile file(folder / "a");
      file.write("some");
      std::raise(signal);
      try {
        if (long_write) {
          file.write(std::string(200'000, 'x'));
        } else {
          file.commit();
        }
        ADD_FAILURE() << "was not interrupted";
      } catch (const Interrupted& e) {
        EXPECT_EQ(e.signal(), signal);
      }
    }
    EXPECT_EQ(files_in(folder.path()), 0u);
  }
}

TEST(AtomicFile, RefusesWhatIsNoRegularFileAndFoldersThatAreAbsent) {
  const TemporaryFolder folder;
  EXPECT_THROW(AtomicFile("/dev/null"), Error);  // a rename would replace the device
  EXPECT_THROW(AtomicFile(folder.path()), Error);
  EXPECT_THROW(AtomicFile(folder / "absent/a"), Error);
}

// A limit on the size of files stands for the full disk: write fails in the same place.
TEST(AtomicFile, AFullDiskIsAnErrorAndLeavesNothing) {
  const TemporaryFolder folder;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 100'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::vector<float> values(50'000, 1.0f);
  const std::vector<OutputTensor> tensors{{"x", {50'000}, {}, values}};
  std::string message;
  try {
    write_safetensors(folder / "out.safetensors", tensors);
  } catch (const Error& e) {
    message = e.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(message.find("out.safetensors: cannot write: "), std::string::npos) << message;
  EXPECT_EQ(files_in(folder.path()), 0u);
}

}  // namespace
}  // namespace rung
