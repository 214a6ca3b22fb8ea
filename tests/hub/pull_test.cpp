// A model on its way from a hub into the cache: what comes, where it lies, and what each fault on the way leads to.
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "base/error.h"
#include "files/hub/pull.h"
#include "hub/loopback_hub.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

constexpr const char* config = R"({"model_type": "llama"})";

// What a listener was told.
struct Told : PullListener {
  std::uint64_t total = 0, here = 0, last = 0;
  std::vector<std::string> files, waits_for;
  void begin(std::size_t, std::uint64_t t, std::uint64_t h) override {
    total = t;
    here = h;
  }
  void at(std::uint64_t bytes) override { last = bytes; }
  void file(const HubFile& f) override { files.push_back(f.name); }
  void waits(const std::string& why) override { waits_for.push_back(why); }
};

class HubPull : public testing::Test {
 protected:
  static void SetUpTestSuite() { hub_ = std::make_unique<LoopbackHub>(); }
  static void TearDownTestSuite() { hub_.reset(); }

  void SetUp() override {
    name_ = "owner/" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name());
    hub_->put(name_, "config.json", config);
    hub_->put(name_, "tokenizer.json", "{}");
    hub_->put(name_, "model.safetensors", weights_);
    hub_->log();
  }
  void TearDown() override {
    OrderedJson off;
    for (const char* fault : {"gated", "private", "token", "wrong", "unhashed", "cut", "fail", "hold", "no_ranges",
                              "longer", "redirect", "names", "stall", "sizes"}) {
      off[fault] = nullptr;
    }
    hub_->set(off);
  }

  PulledModel bring(const std::string& more = "") { return bring_with(hub_->settings(cache()), more); }
  PulledModel bring_with(const HubSettings& settings, const std::string& more = "") {
    Hub hub(settings);
    told_ = {};
    return pull(hub, HubCache(cache()), HubName::parse(name_ + more), told_);
  }
  std::string error_of(const std::string& more = "") { return error_with(hub_->settings(cache()), more); }
  std::string error_with(const HubSettings& settings, const std::string& more = "") {
    try {
      bring_with(settings, more);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  }
  fs::path cache() const { return folder_ / "hub"; }
  fs::path base() const { return HubCache(cache()).repository(HubName::parse(name_)); }
  bool is_visible() const { return HubCache(cache()).find(HubName::parse(name_)).has_value(); }
  std::size_t requests_to(const std::string& host) {
    const OrderedJson log = hub_->log();
    return static_cast<std::size_t>(
        std::count_if(log.begin(), log.end(), [&](const auto& r) { return r["host"] == host; }));
  }

  static inline std::unique_ptr<LoopbackHub> hub_;
  TemporaryFolder folder_;
  std::string name_;
  const std::string weights_ = noise(1'000'000);
  Told told_;
};

TEST_F(HubPull, BringsWhatRungReadsAndNothingElse) {
  for (const char* file : {"generation_config.json", "special_tokens_map.json", "additional_chat_templates/tool.jinja",
                           "README.md", "pytorch_model.bin", "consolidated.safetensors", "original/params.json",
                           "model.fp16.safetensors", "onnx/model.onnx"}) {
    hub_->put(name_, file, std::string("of ") + file);
  }
  const PulledModel pulled = bring();
  std::vector<std::string> names;
  const auto snapshot = HubCache(cache()).find(HubName::parse(name_));
  ASSERT_TRUE(snapshot);
  for (const HubFile& f : snapshot->files) names.push_back(f.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"additional_chat_templates/tool.jinja", "config.json", "generation_config.json",
                                      "model.safetensors", "special_tokens_map.json", "tokenizer.json"}));
  EXPECT_EQ(pulled.path, base() / "snapshots" / pulled.repository.commit);
  EXPECT_EQ(text_of(pulled.path / "model.safetensors"), weights_);
  EXPECT_EQ(text_of(pulled.path / "additional_chat_templates" / "tool.jinja"),
            "of additional_chat_templates/tool.jinja");
  EXPECT_EQ(told_.total, told_.last);
}

// git hash-object and sha256sum name the blobs.
TEST_F(HubPull, LaysThemOutAsTheHubsOwnLibraryDoes) {
  const PulledModel pulled = bring();
  const std::string snapshot = "snapshots/" + pulled.repository.commit + "/";
  const std::string weights_hash = pulled.repository.find("model.safetensors")->etag;
  EXPECT_EQ(weights_hash.size(), 64u);
  std::vector<std::string> expected{
      "blobs/" + weights_hash,
      "blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b",  // printf '{}' | git hash-object --stdin
      "blobs/" + pulled.repository.find("config.json")->etag,
      "refs/main",
      snapshot + "config.json -> ../../blobs/" + pulled.repository.find("config.json")->etag,
      snapshot + "model.safetensors -> ../../blobs/" + weights_hash,
      snapshot + "tokenizer.json -> ../../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b"};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(tree_of(base()), expected);
  EXPECT_EQ(text_of(base() / "refs" / "main"), pulled.repository.commit);
}

TEST_F(HubPull, ASecondTimeBringsNothing) {
  bring();
  hub_->log();
  const PulledModel again = bring();
  EXPECT_EQ(again.brought, 0u);
  EXPECT_EQ(hub_->log().size(), 1u) << "the listing alone";
}

TEST_F(HubPull, ANewCommitBringsWhatChanged) {
  const PulledModel before = bring();
  hub_->put(name_, "config.json", "{}");
  const PulledModel after = bring();
  EXPECT_NE(before.repository.commit, after.repository.commit);
  EXPECT_EQ(after.brought, 0u) << "its content is the tokenizer's";
  EXPECT_EQ(text_of(base() / "refs" / "main"), after.repository.commit);
  EXPECT_EQ(text_of(before.path / "config.json"), config) << "who has the old one open keeps it";
  EXPECT_EQ(text_of(after.path / "model.safetensors"), weights_);
}

TEST_F(HubPull, ARevisionHasItsName) {
  const PulledModel pulled = bring("@refs/pr/1");
  EXPECT_EQ(text_of(base() / "refs" / "refs" / "pr" / "1"), pulled.repository.commit);
  EXPECT_FALSE(is_visible()) << "main was not asked for";
  EXPECT_TRUE(HubCache(cache()).find(HubName::parse(name_ + "@" + pulled.repository.commit)));
  EXPECT_EQ(error_of("@nothing"), name_ + ": has no revision 'nothing'");
}

TEST_F(HubPull, OfAShardedModelComesWhatItsIndexNames) {
  fs::remove(hub_->repository(name_) / "model.safetensors");
  hub_->put(name_, "model.safetensors.index.json",
            R"({"weight_map": {"a": "model-1.safetensors", "b": "b.safetensors"}})");
  hub_->put(name_, "model-1.safetensors", weights_);
  hub_->put(name_, "b.safetensors", "b");
  hub_->put(name_, "c.safetensors", "c");
  const PulledModel pulled = bring();
  EXPECT_TRUE(fs::exists(pulled.path / "model-1.safetensors"));
  EXPECT_TRUE(fs::exists(pulled.path / "b.safetensors"));
  EXPECT_FALSE(fs::exists(pulled.path / "c.safetensors"));
  hub_->put(name_, "model.safetensors.index.json", R"({"weight_map": {"a": "d.safetensors"}})");
  EXPECT_EQ(error_of(),
            name_ + "/model.safetensors.index.json: names d.safetensors, which the repository does not hold");
  hub_->put(name_, "model.safetensors.index.json", R"({"weight_map": {"a": "../../d.safetensors"}})");
  EXPECT_TRUE(holds(error_of(), "names the shard '../../d.safetensors', expected a file of the same folder"));
}

TEST_F(HubPull, OfGgufFilesOneIsChosen) {
  fs::remove(hub_->repository(name_) / "model.safetensors");
  hub_->put(name_, "m-Q8_0.gguf", noise(900'000, 2));
  hub_->put(name_, "m-UD-Q2_K_XL.gguf", "2");
  hub_->put(name_, "mmproj-F16.gguf", "a projector");
  EXPECT_EQ(error_of(), name_ + " holds 2 models, say which: :UD-Q2_K_XL (0 kB), :Q8_0 (900 kB)");
  EXPECT_EQ(error_of(":q5_k"), name_ + " holds no :q5_k, expected one of: :UD-Q2_K_XL (0 kB), :Q8_0 (900 kB)");
  EXPECT_EQ(bring(":q8_0").path.filename(), "m-Q8_0.gguf");
  EXPECT_EQ(bring(":m-UD-Q2_K_XL.gguf").path.filename(), "m-UD-Q2_K_XL.gguf");
  hub_->put(name_, "Q4_K_M/m-Q4_K_M-00001-of-00002.gguf", "first");
  hub_->put(name_, "Q4_K_M/m-Q4_K_M-00002-of-00002.gguf", noise(20'000, 3));
  const PulledModel split = bring();
  EXPECT_EQ(split.path.filename(), "m-Q4_K_M-00001-of-00002.gguf");
  EXPECT_EQ(text_of(split.path), "first");
  EXPECT_EQ(text_of(split.path.parent_path() / "m-Q4_K_M-00002-of-00002.gguf"), noise(20'000, 3));
}

TEST_F(HubPull, WithoutHashesInTheListingItAsksForEach) {
  hub_->set({{"unhashed", true}});
  EXPECT_EQ(text_of(bring().path / "model.safetensors"), weights_);
}

// --- the network

TEST_F(HubPull, TheTokenGoesToTheHubAlone) {
  hub_->set({{"token", "secret"}, {"private", true}});
  HubSettings settings = hub_->settings(cache());
  settings.token = "secret";
  bring_with(settings);
  std::size_t elsewhere = 0;
  for (const auto& request : hub_->log()) {
    const bool at_hub = request["host"] == "hub";
    EXPECT_EQ(request["token"], at_hub ? OrderedJson("Bearer secret") : OrderedJson()) << request;
    elsewhere += !at_hub;
  }
  EXPECT_GT(elsewhere, 0u);
}

TEST_F(HubPull, ARedirectToWhatIsNoAddressIsRefused) {
  hub_->set({{"redirect", "file:///etc/passwd"}});
  EXPECT_TRUE(holds(error_of(), "sends on to what is no address of http or https")) << error_of();
  EXPECT_FALSE(is_visible());
}

// What was encrypted stays so, and a certificate that nobody vouches for is none.
TEST_F(HubPull, FromTlsNoRedirectLeadsToPlainText) {
  if (hub_->tls().empty()) GTEST_SKIP() << "needs openssl, which makes a certificate";
  HubSettings settings = hub_->settings(cache());
  settings.endpoint = hub_->tls();
  EXPECT_TRUE(holds(error_with(settings), "certificate")) << error_with(settings);
  settings.certificates = hub_->certificate();
  EXPECT_TRUE(holds(error_with(settings), ", which is not encrypted: refused")) << error_with(settings);
  EXPECT_EQ(requests_to("cdn"), 0u);
  hub_->set({{"redirect", hub_->tls() + "/" + name_ + "/resolve/main/config.json"}});  // which stays: another content
  EXPECT_TRUE(holds(error_with(settings), " bytes of model.safetensors, expected 1000000")) << error_with(settings);
}

TEST_F(HubPull, ServerThatStopsInTheMiddleIsAskedForTheRest) {
  hub_->set({{"cut", 300'000}, {"cuts", 2}});
  EXPECT_EQ(text_of(bring().path / "model.safetensors"), weights_);
  std::vector<std::string> ranges;
  for (const auto& request : hub_->log()) {
    if (request["host"] == "cdn")
      ranges.push_back(request["range"].is_null() ? "" : request["range"].get<std::string>());
  }
  EXPECT_EQ(ranges, (std::vector<std::string>{"", "bytes=300000-", "bytes=600000-"}));
}

TEST_F(HubPull, ServerThatStallsIsAskedAgain) {
  hub_->set({{"stall", 300'000}, {"stalls", 1}});
  EXPECT_EQ(text_of(bring().path / "model.safetensors"), weights_);
}

TEST_F(HubPull, ServerThatAlwaysStopsIsGivenUpAndWhatCameStays) {
  hub_->set({{"cut", 0}, {"cuts", 100}});
  EXPECT_TRUE(holds(error_of(), "stopped in the middle: ")) << error_of();
  EXPECT_FALSE(is_visible());
}

TEST_F(HubPull, AnAccidentOfTheServerIsForgiven) {
  hub_->set({{"fail", 503}, {"fails", 2}});
  bring();
  EXPECT_EQ(told_.waits_for.size(), 2u);
  hub_->put(name_, "config.json", "another");
  hub_->set({{"fail", 500}, {"fails", 100}});
  EXPECT_EQ(error_of(), name_ + ": " + hub_->url().substr(7) + " answers with status 500: Something went wrong");
  hub_->set({{"fail", 429}, {"fails", 100}});
  EXPECT_TRUE(holds(error_of(), "asks for patience: too many requests"));
}

TEST_F(HubPull, HalfAFileIsCompleted) {
  fs::create_directories(base() / "blobs");
  const HubFile file = Hub(hub_->settings(cache())).repository(HubName::parse(name_)).files[1];
  ASSERT_EQ(file.name, "model.safetensors");
  std::ofstream(base() / "blobs" / (file.etag + ".incomplete"), std::ios::binary) << weights_.substr(0, 700'000);
  hub_->log();
  const PulledModel pulled = bring();
  EXPECT_EQ(text_of(pulled.path / "model.safetensors"), weights_);
  EXPECT_EQ(pulled.brought, 300'000u + 2 + std::string(config).size());
  EXPECT_EQ(told_.here, 700'000u);
  for (const auto& request : hub_->log()) {
    if (request["host"] != "cdn") continue;
    EXPECT_EQ(request["range"], "bytes=700000-");
  }
}

TEST_F(HubPull, HalfAFileOfAnotherContentIsBegunAnew) {
  fs::create_directories(base() / "blobs");
  const std::string etag =
      Hub(hub_->settings(cache())).repository(HubName::parse(name_)).find("model.safetensors")->etag;
  for (const std::size_t size : {1'000'000u, 999'999u, 5u, 1'000'001u}) {
    fs::remove(base() / "blobs" / etag);
    std::ofstream(base() / "blobs" / (etag + ".incomplete"), std::ios::binary) << noise(size, 7);
    EXPECT_EQ(text_of(bring().path / "model.safetensors"), weights_) << size;
  }
}

TEST_F(HubPull, AServerWithoutRangesSendsItAllAgain) {
  hub_->set({{"cut", 300'000}, {"cuts", 1}, {"no_ranges", true}});
  EXPECT_EQ(text_of(bring().path / "model.safetensors"), weights_);
}

TEST_F(HubPull, AWrongHashIsRefusedAndNothingOfItStays) {
  hub_->set({{"wrong", "model.safetensors"}});
  const std::string error = error_of();
  EXPECT_TRUE(holds(error, name_ + ": model.safetensors: the SHA-256 of what came is ")) << error;
  EXPECT_FALSE(is_visible());
  const std::string etag =
      Hub(hub_->settings(cache())).repository(HubName::parse(name_)).find("model.safetensors")->etag;
  EXPECT_FALSE(fs::exists(base() / "blobs" / etag));
  EXPECT_FALSE(fs::exists(base() / "blobs" / (etag + ".incomplete")));
  hub_->set({{"wrong", "config.json"}});
  hub_->put(name_, "config.json", "another");
  EXPECT_TRUE(holds(error_of(), "config.json: the SHA-1 (git's, of a blob) of what came is "));
  hub_->set({{"wrong", nullptr}});
  EXPECT_EQ(text_of(bring().path / "model.safetensors"), weights_);
}

TEST_F(HubPull, MoreBytesThanAnnouncedAreRefused) {
  hub_->set({{"longer", true}});
  EXPECT_TRUE(holds(error_of(), "sends more of ")) << error_of();
  EXPECT_FALSE(is_visible());
}

TEST_F(HubPull, NamesThatWouldLeadElsewhereAreRefused) {
  for (const char* name : {"additional_chat_templates/..", "chat_templates/a\nb.jinja"}) {
    const bool wanted = is_beside_weights(name);
    hub_->set({{"names", {name}}});
    EXPECT_EQ(error_of(),
              wanted ? name_ + ": holds a file 'chat_templates/a\\x0ab.jinja', which cannot be" : "no error");
  }
}

// --- who may

TEST_F(HubPull, WhatIsNotThereOrNotForEverybodyIsTold) {
  const std::string host = hub_->url().substr(7);
  hub_->set({{"gated", true}, {"token", "good"}});
  EXPECT_EQ(error_of(), name_ + ": is for those who accept its terms: do so at " + hub_->url() + "/" + name_ +
                            ", then say who you are: HF_TOKEN, or `hf auth login`");
  HubSettings settings = hub_->settings(cache());
  settings.token = "bad";
  EXPECT_EQ(error_with(settings), name_ + ": " + host + " does not accept your token");
  settings.token = "good";
  EXPECT_EQ(error_with(settings), "no error");
  name_ = "owner/nowhere";
  EXPECT_EQ(error_of(),
            "owner/nowhere: not on " + host + ", or private (what is yours, HF_TOKEN or `hf auth login` shows)");
  EXPECT_EQ(error_with(settings), "owner/nowhere: not on " + host + ", or private and not for the owner of this token");
}

TEST_F(HubPull, NoNetworkIsTold) {
  HubSettings settings = hub_->settings(cache());
  settings.endpoint = "http://127.0.0.1:1";
  EXPECT_TRUE(holds(error_with(settings), "127.0.0.1:1 cannot be reached: ")) << error_with(settings);
  settings.offline = true;
  EXPECT_EQ(error_with(settings), "HF_HUB_OFFLINE is set: nothing is asked of the hub");
  settings.offline = false;
  settings.endpoint = "ftp://x";
  EXPECT_EQ(error_with(settings), "HF_ENDPOINT is 'ftp://x', expected an address such as https://huggingface.co");
  settings.endpoint = hub_->cdn();
  EXPECT_TRUE(holds(error_with(settings), "answers with status 404")) << error_with(settings);
}

// --- the disk

TEST_F(HubPull, AFullDiskIsToldAndWhatCameStays) {
  rlimit former{};
  ::getrlimit(RLIMIT_FSIZE, &former);
  const rlimit small{600'000, former.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);  // as the program does; then write() fails
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string error = error_of();
  ::setrlimit(RLIMIT_FSIZE, &former);
  EXPECT_TRUE(holds(error, ".incomplete: cannot be written: File too large")) << error;
  EXPECT_FALSE(is_visible());
  const PulledModel pulled = bring();
  EXPECT_LT(pulled.brought, 500'000u) << "the rest";
  EXPECT_EQ(text_of(pulled.path / "model.safetensors"), weights_);
}

TEST_F(HubPull, SpaceIsReckonedBeforeAnythingComes) {
  hub_->set({{"sizes", {{"model.safetensors", 1'000'000'000'000'000'000}}}});
  EXPECT_TRUE(holds(error_of(), " GB free, 1000000000.00 GB needed to bring " + name_)) << error_of();
  EXPECT_EQ(requests_to("cdn"), 0u);
}

TEST_F(HubPull, ACacheThatCannotBeWrittenIsNamed) {
  std::ofstream(folder_ / "hub") << "a file";
  EXPECT_TRUE(holds(error_of(), cache().string())) << error_of();
}

TEST_F(HubPull, ALinkThatLeadsNowhereIsMadeAnew) {
  const PulledModel pulled = bring();
  const fs::path blob = base() / "blobs" / pulled.repository.find("model.safetensors")->etag;
  fs::remove(blob);
  EXPECT_EQ(bring().brought, weights_.size());
  EXPECT_EQ(text_of(pulled.path / "model.safetensors"), weights_);
}

// What another program brings is waited for; what it brought is taken.
TEST_F(HubPull, TwoAtATimeShareTheWork) {
  const std::string etag =
      Hub(hub_->settings(cache())).repository(HubName::parse(name_)).find("model.safetensors")->etag;
  const HubCache there(cache());
  auto lock = std::make_unique<FileLock>(FileLock::attempt(there.lock(HubName::parse(name_), etag)));
  ASSERT_TRUE(lock->is_held());
  EXPECT_FALSE(FileLock::attempt(there.lock(HubName::parse(name_), etag)).is_held());

  struct Other : Told {  // which is done as soon as it is waited for
    std::function<void()> finish;
    void waits(const std::string& why) override {
      Told::waits(why);
      finish();
    }
  } other;
  other.finish = [&] {
    std::ofstream(base() / "blobs" / etag, std::ios::binary) << weights_;
    lock.reset();
  };
  Hub hub(hub_->settings(cache()));
  hub_->log();
  pull(hub, there, HubName::parse(name_), other);
  EXPECT_EQ(other.waits_for, std::vector<std::string>{"model.safetensors: another program is bringing it"});
  EXPECT_EQ(requests_to("cdn"), 0u);
}

}  // namespace
}  // namespace rung
