// The hub's cache on the disk: what is found in it, listed, removed, and what is not touched.
#include "files/hub/cache.h"

#include <gtest/gtest.h>

#include <fstream>

#include "files/hub/shared_blobs.h"
#include "hub/loopback_hub.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

const std::string kCommit(40, 'c');
const std::string kPayload = "ab" + std::string(62, '7');  // its name in the store: a hash of another kind

class HubCacheTest : public testing::Test {
 protected:
  void write(const fs::path& path, const std::string& text) {
    fs::create_directories((root_ / path.string()).parent_path());
    std::ofstream(root_ / path.string(), std::ios::binary) << text;
  }
  // A repository of one file, as huggingface_hub 0.x leaves it.
  void add(const std::string& folder, const std::string& file, const std::string& etag, const std::string& text,
           const std::string& ref = "main") {
    write(folder + "/blobs/" + etag, text);
    link(folder, file, etag, ref);
  }
  void link(const std::string& folder, const std::string& file, const std::string& etag, const std::string& ref) {
    const fs::path snapshot = root_ / (folder + "/snapshots/" + kCommit);
    fs::create_directories(snapshot);
    fs::create_symlink("../../blobs/" + etag, snapshot / file);
    write(folder + "/refs/" + ref, kCommit);
  }
  // The same as huggingface_hub 2 leaves it: the blob is a link into the store that repositories share.
  void add_shared(const std::string& folder, const std::string& file, const std::string& etag) {
    write("blobs/.huggingface-shared-blobs", "1\n");
    write("blobs/ab/" + kPayload, "weights");
    std::ofstream(root_ / ("blobs/ab/" + kPayload + ".refs"), std::ios::app) << folder << "/blobs/" << etag << "\n";
    fs::create_directories(root_ / (folder + "/blobs"));
    fs::create_symlink("../../blobs/ab/" + kPayload, root_ / (folder + "/blobs/" + etag));
    link(folder, file, etag, "main");
  }
  HubCache cache() const { return HubCache(root_.path()); }
  bool there(const std::string& path) const { return fs::exists(fs::symlink_status(root_ / path)); }

  TemporaryFolder root_;
  const std::string etag_ = std::string(64, 'e');
};

TEST_F(HubCacheTest, ANameLeadsOverItsRefToASnapshot) {
  add("models--a--b", "model.safetensors", etag_, "weights");
  const auto snapshot = cache().find(HubName::parse("a/b"));
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->commit, kCommit);
  ASSERT_EQ(snapshot->files.size(), 1u);
  EXPECT_EQ(snapshot->files[0].name, "model.safetensors");
  EXPECT_EQ(snapshot->files[0].size, 7u);
  EXPECT_EQ(snapshot->files[0].etag, etag_);
  EXPECT_EQ(HubCache::model_in(*snapshot, HubName::parse("a/b")), snapshot->folder);
  EXPECT_TRUE(cache().find(HubName::parse("a/b@" + kCommit)));
  EXPECT_FALSE(cache().find(HubName::parse("a/b@other")));
  EXPECT_FALSE(cache().find(HubName::parse("a/c")));
}

TEST_F(HubCacheTest, ALinkOfTwoHopsIsAFileAsAnyOther) {
  add_shared("models--a--b", "m-Q4_K_M.gguf", etag_);
  const auto snapshot = cache().find(HubName::parse("a/b"));
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(text_of(HubCache::model_in(*snapshot, HubName::parse("a/b"))), "weights");
}

TEST_F(HubCacheTest, WhatARefSaysIsNoPath) {
  add("models--a--b", "model.safetensors", etag_, "weights");
  for (const char* ref : {"../../../elsewhere", "", "main"}) {
    write("models--a--b/refs/main", ref);
    EXPECT_FALSE(cache().find(HubName::parse("a/b"))) << ref;
  }
}

TEST_F(HubCacheTest, ASnapshotWithoutWeightsSaysHowTheyCome) {
  add("models--a--b", "config.json", etag_, "{}");
  const HubName name = HubName::parse("a/b");
  try {
    HubCache::model_in(*cache().find(name), name);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "a/b: of it there are no weights here: bring them with: rung pull a/b");
  }
}

TEST_F(HubCacheTest, ListsRepositoriesOfModelsThatHoldSomething) {
  add("models--a--b", "model.safetensors", etag_, "weights", "v1");
  add_shared("models--c--d", "m-Q8_0.gguf", etag_);
  fs::create_directories(root_ / "models--e--f/blobs");  // a pull that was ended
  add("datasets--a--b", "data.parquet", etag_, "numbers");
  write("models--g/refs/main", kCommit);
  const auto all = cache().list();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "a/b");
  EXPECT_EQ(all[0].snapshots[0].refs, std::vector<std::string>{"v1"});
  EXPECT_EQ(all[1].name, "c/d");
  EXPECT_EQ(all[1].bytes, 7u);
}

TEST_F(HubCacheTest, RemovingTakesNamesBlobsAndLocks) {
  add("models--a--b", "model.safetensors", etag_, "weights");
  write(".locks/models--a--b/" + etag_ + ".lock", "");
  EXPECT_EQ(cache().remove(HubName::parse("a/b")), 7u);
  EXPECT_TRUE(tree_of(root_.path()).empty());
  EXPECT_THROW(cache().remove(HubName::parse("a/b")), Error);
}

TEST_F(HubCacheTest, RemovingLeavesAPayloadThatAnotherShares) {
  add_shared("models--a--b", "m.gguf", etag_);
  add_shared("models--c--d", "m.gguf", etag_);
  EXPECT_EQ(cache().remove(HubName::parse("a/b")), 0u);
  EXPECT_FALSE(there("models--a--b"));
  EXPECT_EQ(text_of(root_ / ("models--c--d/snapshots/" + kCommit + "/m.gguf")), "weights");
  EXPECT_EQ(cache().remove(HubName::parse("c/d")), 7u);
  EXPECT_FALSE(there("blobs/ab/" + kPayload));
  EXPECT_FALSE(there("blobs/ab/" + kPayload + ".refs"));
}

// Not to know is no reason to delete.
TEST_F(HubCacheTest, RemovingLeavesAPayloadOfWhichItIsNotKnownWhoSharesIt) {
  add_shared("models--a--b", "m.gguf", etag_);
  fs::remove(root_ / ("blobs/ab/" + kPayload + ".refs"));
  EXPECT_EQ(cache().remove(HubName::parse("a/b")), 0u);
  EXPECT_TRUE(there("blobs/ab/" + kPayload));

  add_shared("models--a--b", "m.gguf", etag_);
  write("blobs/.huggingface-shared-blobs", "2\n");  // a layout of a later day
  EXPECT_EQ(cache().remove(HubName::parse("a/b")), 0u);
  EXPECT_TRUE(there("blobs/ab/" + kPayload));
}

TEST_F(HubCacheTest, ALinkOutOfTheStoreIsNoPayload) {
  write("elsewhere/" + kPayload, "weights");
  write("blobs/.huggingface-shared-blobs", "1\n");
  fs::create_directories(root_ / "models--a--b/blobs");
  fs::create_symlink("../../elsewhere/" + kPayload, root_ / ("models--a--b/blobs/" + etag_));
  EXPECT_FALSE(shared_payload(root_ / ("models--a--b/blobs/" + etag_), root_.path()));
  cache().remove(HubName::parse("a/b"));
  EXPECT_TRUE(there("elsewhere/" + kPayload));
}

TEST_F(HubCacheTest, WhatIsBeingBroughtIsNotRemoved) {
  add("models--a--b", "model.safetensors", etag_, "weights");
  const FileLock lock = FileLock::attempt(cache().lock(HubName::parse("a/b"), etag_));
  EXPECT_THROW(cache().remove(HubName::parse("a/b")), Error);
  EXPECT_TRUE(there("models--a--b/blobs/" + etag_));
}

}  // namespace
}  // namespace rung
