// The environment as huggingface_hub reads it: its own answers are the golden (tools/goldens/hub.py).
#include "base/hub_environment.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/json.h"
#include "paths.h"

namespace rung {
namespace {

Variables variables_of(const Json& environment) {
  return [environment](const char* name) -> std::optional<std::string> {
    const auto it = environment.find(name);
    return it == environment.end() ? std::nullopt : std::optional(it->get<std::string>());
  };
}

TEST(HubEnvironment, IsReadAsTheHubsOwnLibraryReadsIt) {
  std::ifstream file(golden_folder() / "hub" / "environment.json");
  const Json golden = Json::parse(file);
  ASSERT_GT(golden.size(), 30u);
  for (const Json& answer : golden) {
    const HubEnvironment e = hub_environment(variables_of(answer["environment"]));
    const std::string of = answer["environment"].dump();
    EXPECT_EQ(e.endpoint, answer["endpoint"].get<std::string>()) << of;
    EXPECT_EQ(e.cache.string(), answer["cache"].get<std::string>()) << of;
    EXPECT_EQ(e.token_file.string(), answer["token_file"].get<std::string>()) << of;
    EXPECT_EQ(e.token, answer["token"].get<std::string>()) << of;
    EXPECT_EQ(e.offline, answer["offline"].get<bool>()) << of;
  }
}

TEST(HubEnvironment, ATokenThatIsNotToBeSentByItselfIsNotRead) {
  const HubEnvironment e =
      hub_environment(variables_of({{"HOME", "/x"}, {"HF_TOKEN", "one"}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"}}));
  EXPECT_EQ(e.token, "");
  EXPECT_EQ(e.token_file, "");
}

TEST(OllamaFolders, AreTheUsersAndTheServicesUnlessOneIsNamed) {
  using Paths = std::vector<std::filesystem::path>;
  EXPECT_EQ(ollama_folders(variables_of({{"HOME", "/x"}})),
            (Paths{"/x/.ollama/models", "/usr/share/ollama/.ollama/models"}));
  EXPECT_EQ(ollama_folders(variables_of({{"HOME", "/x"}, {"OLLAMA_MODELS", "/disk"}})), Paths{"/disk"});
}

}  // namespace
}  // namespace rung
