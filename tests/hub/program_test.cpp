// The program itself, beside a hub on loopback: a model is brought, listed, run, looked at, removed.
#include <gtest/gtest.h>

#include <fstream>

#include "cli/program.h"
#include "engine/tiny_model.h"
#include "hub/loopback_hub.h"

namespace rung {
namespace {

namespace fs = std::filesystem;

class Program : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    hub_ = std::make_unique<LoopbackHub>();
    const TinyModel model;
    hub_->put_folder("tiny/model", model.path());
    const TemporaryFolder folder;
    const fs::path gguf = folder / "pebble.gguf";
    ASSERT_EQ(run_rung({"quantize", "pebble", "--to", "q8_0", gguf.string()}).status, 0);
    gguf_ = text_of(gguf);
    hub_->put("tiny/quants", "m-Q8_0.gguf", gguf_);
    hub_->put("tiny/quants", "m-BF16.gguf", "another");
  }
  static void TearDownTestSuite() { hub_.reset(); }
  void TearDown() override { hub_->set({{"gated", nullptr}, {"cut", nullptr}, {"hold", nullptr}}); }

  Outcome rung(std::vector<std::string> arguments, std::vector<std::string> more = {}) {
    Surroundings surroundings{.environment = hub_->environment(folder_ / "hub")};
    surroundings.environment.push_back("XDG_CACHE_HOME=" + (folder_ / "xdg").string());
    surroundings.environment.push_back("OLLAMA_MODELS=" + (folder_ / "ollama").string());
    for (std::string& variable : more) surroundings.environment.push_back(std::move(variable));
    return run_rung(std::move(arguments), surroundings);
  }

  static inline std::unique_ptr<LoopbackHub> hub_;
  static inline std::string gguf_;  // pebble
  TemporaryFolder folder_;
};

TEST_F(Program, PullsAModelAndRunsItByItsName) {
  const Outcome before = rung({"generate", "-m", "tiny/model", "-n", "3", "the"});
  EXPECT_EQ(before.status, 1);
  EXPECT_TRUE(holds(before.err, "rung: model tiny/model is not here yet: bring it with: rung pull tiny/model, "))
      << before.err;
  const Outcome pulled = rung({"pull", "tiny/model"});
  EXPECT_EQ(pulled.status, 0) << pulled.err;
  EXPECT_TRUE(holds(pulled.out, "tiny/model: " + (folder_ / "hub").string() + "/models--tiny--model/snapshots/"));
  EXPECT_TRUE(holds(pulled.err, "  model.safetensors  ")) << "a line a file, where no terminal is";
  const Outcome ran = rung({"generate", "-m", "tiny/model", "-n", "3", "the"}, {"HF_HUB_OFFLINE=1"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  const TinyModel same;
  EXPECT_EQ(rung({"logits", "-m", "tiny/model", "the"}).out, rung({"logits", "-m", same.path().string(), "the"}).out);
}

TEST_F(Program, SaysOfTwoQuantizationsWhichThereAre) {
  const Outcome outcome = rung({"pull", "tiny/quants"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_TRUE(holds(outcome.err, "rung: tiny/quants holds 2 models, say which: :BF16 (0 kB), :Q8_0 (")) << outcome.err;
  EXPECT_EQ(rung({"pull", "tiny/quants:q8_0"}).status, 0);
  EXPECT_EQ(rung({"generate", "-m", "tiny/quants", "-n", "1", "a"}).status, 0) << "the only one here";
  rung({"pull", "tiny/quants:BF16"});
  EXPECT_EQ(rung({"inspect", "-m", "tiny/quants"}).status, 2);
  EXPECT_EQ(rung({"inspect", "-m", "tiny/quants:Q8_0"}).status, 0);
}

TEST_F(Program, ListsSearchesAndRemoves) {
  rung({"pull", "tiny/model"});
  const Outcome list = rung({"pull", "--list"});
  EXPECT_TRUE(holds(list.out, "\ntiny/model ")) << list.out;
  EXPECT_TRUE(holds(list.out, "safetensors")) << list.out;
  EXPECT_EQ(Json::parse(rung({"pull", "--list", "--json"}).out)["hub"][0]["name"].get<std::string>(), "tiny/model");
  const Outcome search = rung({"pull", "--search", "QUANT"});
  EXPECT_TRUE(holds(search.out, "tiny/quants ")) << search.out;
  EXPECT_FALSE(holds(search.out, "tiny/model"));
  const Outcome removed = rung({"pull", "--remove", "tiny/model"});
  EXPECT_TRUE(holds(removed.out, "tiny/model: removed, ")) << removed.err;
  EXPECT_EQ(rung({"pull", "--remove", "tiny/model"}).status, 1);
  EXPECT_EQ(rung({"pull", "--remove", "tiny/model:Q8_0"}).status, 2);
  EXPECT_EQ(rung({"pull", "--list", "tiny/model"}).status, 2);
}

TEST_F(Program, OfflineAsksNobody) {
  hub_->log();
  const Outcome outcome = rung({"pull", "tiny/model"}, {"HF_HUB_OFFLINE=1"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "rung: HF_HUB_OFFLINE is set: nothing is asked of the hub\n");
  EXPECT_TRUE(holds(rung({"logits", "-m", "tiny/model", "the"}, {"HF_HUB_OFFLINE=1"}).err,
                    "bring it with: rung pull tiny/model\n"));
  EXPECT_TRUE(hub_->log().empty());
}

TEST_F(Program, NeverPrintsTheToken) {
  hub_->set({{"gated", true}, {"token", "other"}});
  std::ofstream(folder_ / "token") << "hf_secret\n";
  const Outcome outcome = rung({"pull", "tiny/model"}, {"HF_TOKEN_PATH=" + (folder_ / "token").string()});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(holds(outcome.err, "does not accept your token")) << outcome.err;
  EXPECT_FALSE(holds(outcome.err + outcome.out, "hf_secret"));
}

// No host of the name hub.invalid is anywhere (RFC 6761): whoever gets an answer asked the proxy.
TEST_F(Program, GoesThroughTheProxyThatTheEnvironmentNames) {
  const std::vector<std::string> far = {"HF_ENDPOINT=http://hub.invalid", "http_proxy=" + hub_->url()};
  hub_->log();
  std::vector<std::string> past_it = far;
  past_it.push_back("no_proxy=hub.invalid");
  EXPECT_NE(rung({"pull", "--search", "QUANT"}, past_it).status, 0);
  EXPECT_TRUE(hub_->log().empty());
  std::vector<std::string> through_it = far;
  through_it.push_back("no_proxy=127.0.0.1");  // the second host, where large files are
  const Outcome pulled = rung({"pull", "tiny/model"}, through_it);
  EXPECT_EQ(pulled.status, 0) << pulled.err;
  for (const auto& request : hub_->log()) {
    const bool whole = request["path"].get<std::string>().starts_with("http://hub.invalid/");
    EXPECT_EQ(whole, request["host"] == "hub") << request;
  }
}

TEST_F(Program, TunnelsThroughTheProxyToWhatIsEncrypted) {
  if (hub_->tls().empty()) GTEST_SKIP() << "needs openssl, which makes a certificate";
  hub_->log();
  std::string port = hub_->tls().substr(hub_->tls().rfind(':'));
  const Outcome search =
      rung({"pull", "--search", "QUANT"}, {"HF_ENDPOINT=" + hub_->tls(), "https_proxy=" + hub_->url(),
                                           "no_proxy=", "SSL_CERT_FILE=" + hub_->certificate(), "HF_TOKEN=hf_secret"});
  EXPECT_TRUE(holds(search.out, "tiny/quants ")) << search.err;
  const OrderedJson asked = hub_->log();
  ASSERT_FALSE(asked.empty());
  EXPECT_EQ(asked[0]["method"], "CONNECT");
  EXPECT_EQ(asked[0]["path"], "127.0.0.1" + port);
  EXPECT_TRUE(asked[0]["token"].is_null()) << "the proxy sees no token";
}

TEST_F(Program, InspectsBeforeAnythingIsBrought) {
  const Outcome outcome = rung({"inspect", "tiny/model", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json model = Json::parse(outcome.out);
  EXPECT_EQ(model["family"], "llama");
  EXPECT_EQ(model["running"]["runs"], true) << model;
  EXPECT_FALSE(model.contains("problems")) << model;
  EXPECT_LT(model["hub"]["read_bytes"], model["hub"]["download_bytes"]);
  rung({"pull", "tiny/model"});
  const Json here = Json::parse(rung({"inspect", "tiny/model", "--json"}).out);
  for (const char* key : {"parameters", "memory", "types", "context", "chat_template", "tensors"}) {
    EXPECT_EQ(model[key], here[key]) << key;
  }
  EXPECT_FALSE(here.contains("hub"));
  const Outcome gguf = rung({"inspect", "tiny/quants:Q8_0"});
  EXPECT_TRUE(holds(gguf.out, "runs here      yes: ")) << gguf.out << gguf.err;
  const Outcome broken = rung({"inspect", "tiny/quants:BF16"});
  EXPECT_TRUE(holds(broken.err, "tiny/quants/m-BF16.gguf: not a GGUF file")) << broken.err;
}

TEST_F(Program, SaysBeforeTheDownloadWhatItCannotRun) {
  const TinyModel model;
  hub_->put_folder("tiny/other", model.path());
  Json config = Json::parse(text_of(model / "config.json"));
  config["model_type"] = "gpt_neox";
  hub_->put("tiny/other", "config.json", config.dump());
  const Outcome outcome = rung({"inspect", "tiny/other"});
  EXPECT_TRUE(holds(outcome.out, "runs here      no: tiny/other/config.json: ")) << outcome.out << outcome.err;
}

// Ollama's store as its program leaves it.
TEST_F(Program, RunsWhatOllamaHas) {
  const auto hash = [](char c) { return std::string(64, c); };
  const fs::path blobs = folder_ / "ollama/blobs",
                 manifests = folder_ / "ollama/manifests/registry.ollama.ai/library/tiny";
  fs::create_directories(blobs);
  fs::create_directories(manifests);
  std::ofstream(blobs / ("sha256-" + hash('a')), std::ios::binary) << gguf_;
  std::ofstream(blobs / ("sha256-" + hash('b')))
      << R"({"temperature": 0, "num_predict": 2, "num_ctx": 64, "mirostat": 1})";
  Json manifest = {{"schemaVersion", 2}, {"layers", Json::array()}};
  const auto add = [&](const char* kind, char c) {
    manifest["layers"].push_back({{"mediaType", std::string("application/vnd.ollama.image.") + kind},
                                  {"digest", "sha256:" + hash(c)},
                                  {"size", 1}});
  };
  add("model", 'a');
  add("params", 'b');
  add("projector", 'd');
  std::ofstream(manifests / "1b") << manifest.dump();

  const Outcome outcome = rung({"generate", "-m", "ollama:tiny:1b", "--json", "a"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const Json last = Json::parse(outcome.out.substr(outcome.out.rfind('\n', outcome.out.size() - 2) + 1));
  EXPECT_EQ(last["ids"].size(), 2u) << "num_predict";
  EXPECT_TRUE(holds(outcome.err, "rung: ollama:tiny:1b: left out: its projector\n")) << outcome.err;
  EXPECT_TRUE(holds(outcome.err, "rung: ollama:tiny:1b: not done, though it would change the text: mirostat\n"));
  EXPECT_TRUE(holds(rung({"pull", "--list"}).out, "ollama:tiny:1b "));
  EXPECT_TRUE(holds(rung({"logits", "-m", "ollama:tiny", "a"}).err, "ollama:tiny: no such model in ")) << "latest";
  EXPECT_TRUE(holds(rung({"logits", "-m", "ollama:../x", "a"}).err, "is no name of Ollama's"));
  EXPECT_EQ(rung({"pull", "ollama:tiny:1b"}).status, 2);
}

}  // namespace
}  // namespace rung
