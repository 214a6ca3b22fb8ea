#include "text/tokenizer_config.h"

#include "base/json.h"
#include "base/error.h"

namespace rung {

Json read_tokenizer_config(const Folder& folder) {
  const auto read = [&](const char* name) {
    if (!folder.has(name)) return Json(Json::object());
    const MappedFile file = folder.open(name);
    Json json = parse_json(file.text(), file.path().string());
    if (!json.is_object()) fail("{}: found {}, expected an object", file.path().string(), json.type_name());
    return json;
  };
  Json config = read("tokenizer_config.json");
  // Folders from before 2023 name the tokens in a file of their own, which then has the last word.
  if (!config.contains("added_tokens_decoder")) config.update(read("special_tokens_map.json"));
  return config;
}

}  // namespace rung
