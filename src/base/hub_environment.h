// Where other programs keep models, and how they reach the hub: the environment as they read it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rung {

// What huggingface_hub makes of HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_TOKEN, HF_TOKEN_PATH,
// HF_HUB_OFFLINE and their like (its constants.py and utils/_auth.py).
struct HubEnvironment {
  std::string endpoint;              // "https://huggingface.co": without a slash at the end
  std::filesystem::path cache;       // of repositories: ~/.cache/huggingface/hub
  std::string token;                 // HF_TOKEN; empty: none
  std::filesystem::path token_file;  // read where there is no HF_TOKEN
  bool offline = false;              // nothing may go over the network
  std::string certificates;          // SSL_CERT_FILE; empty: the system's
};

// The value of a variable; nullopt: not set.
using Variables = std::function<std::optional<std::string>(const char* name)>;

HubEnvironment hub_environment(const Variables& variables);

// What a file or a variable holds → the token: without line ends and spaces around it.
std::string clean_token(std::string token);

// Where Ollama may have put models, in the order to look: OLLAMA_MODELS alone where it is set; else its user's folder,
// then that of the service on Linux.
std::vector<std::filesystem::path> ollama_folders(const Variables& variables);

}  // namespace rung
