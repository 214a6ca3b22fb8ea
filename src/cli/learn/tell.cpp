#include "cli/learn/tell.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "base/signals.h"
#include "cli/answer.h"
#include "cli/child.h"
#include "cli/learn/compile.h"
#include "cli/learn/compile_kernel.h"
#include "cli/learn/how_it_ended.h"
#include "cli/learn/in_child.h"
#include "cli/learn/learner_library.h"
#include "cli/learn/small_files.h"
#include "cli/terminal.h"
#include "learn/in_engine.h"

namespace rung {

namespace fs = std::filesystem;

namespace {

OrderedJson json_of(const TellRequest& request) {
  OrderedJson libraries = OrderedJson::array();
  for (const auto& library : request.libraries) libraries.push_back({library.exercise, library.path});
  OrderedJson json{{"libraries", std::move(libraries)},
                   {"model", request.model.model},
                   {"pre", request.model.pre},
                   {"device", request.run.device},
                   {"threads", request.run.threads},
                   {"cache", request.run.cache.name},
                   {"context", request.run.context},
                   {"maxTokens", request.end.max_tokens},
                   {"stop", request.end.stop},
                   {"sampling", request.sampling.values},
                   {"text", request.text},
                   {"json", request.json}};
  if (request.sampling.seed) json["seed"] = *request.sampling.seed;
  return json;
}

// Whether it takes a random number to choose.
bool draws(const decltype(learn::Seams::choose)& choose) {
  const float logits[] = {0, 1};
  Random used(1), fresh(1);
  choose(logits, used);
  return used.next() != fresh.next();
}

learn::Seams seams_of(const TellRequest& request, bool wants_draw) {
  learn::Seams seams;
  for (const auto& library : request.libraries) {
    const learn::Exercise* const exercise = learn::find_exercise(library.exercise);
    if (exercise == nullptr || exercise->place == nullptr) fail("{}: has no place in a model", library.exercise);
    const learn::LearnerFunction f = load_learner(library.path);
    const learn::Seams alone = learn::seams_with(*exercise, f);
    if (!alone.choose || draws(alone.choose) == wants_draw) exercise->place(seams, f);
  }
  if (const auto type = request.run.cache.type()) seams.cache_type = *type;
  return seams;
}

}  // namespace

TellRequest read_tell_request(const std::string& path) {
  const Json json = parse_json(read_file(path), path);
  TellRequest request;
  for (const Json& library : json.at("libraries")) {
    request.libraries.push_back({library.at(0).get<std::string>(), library.at(1).get<std::string>()});
  }
  json.at("model").get_to(request.model.model);
  json.at("pre").get_to(request.model.pre);
  json.at("device").get_to(request.run.device);
  json.at("threads").get_to(request.run.threads);
  json.at("cache").get_to(request.run.cache.name);
  json.at("context").get_to(request.run.context);
  json.at("maxTokens").get_to(request.end.max_tokens);
  json.at("stop").get_to(request.end.stop);
  json.at("sampling").get_to(request.sampling.values);
  json.at("text").get_to(request.text);
  json.at("json").get_to(request.json);
  if (json.contains("seed")) request.sampling.seed = json.at("seed").get<std::uint64_t>();
  return request;
}

int tell(const TellRequest& request) {
  if (request.json) take_stdout();  // else what their code prints would stand among the lines of JSON
  std::unique_ptr<const LoadedModel> model(new LoadedModel(request.model.load()));
  const GenerateOptions options = model->completed(request.end.over(*model, request.sampling));
  const std::size_t context = request.run.context_for(*model);
  const Sampling sampling = options.sampling.value_or(Sampling{});
  learn::Seams seams = seams_of(request, sampling.temperature > 0);
  if (!request.run.device.empty() && request.run.device != seams.device) {
    throw UsageError(fmt::format("--device {}: the code in the folder of --with is for the device {}",
                                 request.run.device, seams.device));
  }
  seams.stops = options.stop;  // not those that an exercise tries its function with
  learn::SeamedEngine engine(std::move(seams), std::move(model), request.run.threads, context);
  const AnswerForm form = request.json ? AnswerForm::json : AnswerForm::text;
  learn::TellOptions how{
      .prompt = request.text, .tokens = options.max_tokens.value_or(256), .sampling = sampling, .answer = {}};
  how.answer = [form](std::string_view piece) { give_piece(piece, form); };
  begin_answer(request.text, form);
  const learn::Story story = engine.tell(how);
  end_answer({.text = std::string(story.answer()),
              .ids = story.ids,
              .reason = story.reason,
              .prefill = story.prefill,
              .decode = story.decode,
              .seed = sampling.seed.value_or(0)},
             story.prompt.size(), form);
  return 0;
}

namespace {

// Those that have a place in a model, solved or not. Left out is what makes another model of it, unless nothing else is
// solved.
std::vector<const ExerciseText*> with_a_place(const LearnerFolder& folder, bool solved) {
  std::vector<const ExerciseText*> found;
  for (const ExerciseText& exercise : exercise_texts()) {
    if (!missing_for(exercise).empty()) continue;
    if (folder.is_solved(exercise) == solved && exercise.checks->place != nullptr) found.push_back(&exercise);
  }
  const auto changes = [](const ExerciseText* exercise) { return exercise->checks->changes_pebble; };
  if (!solved || !std::all_of(found.begin(), found.end(), changes)) std::erase_if(found, changes);
  return found;
}

// "rms-norm, linear"
std::string parts(const std::vector<const ExerciseText*>& exercises) {
  std::string names;
  for (const ExerciseText* const exercise : exercises) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", exercise->name.substr(exercise->name.find('-') + 1));
  }
  return names.empty() ? "nothing" : names;
}

// What is solved and cannot run here.
std::string left_out(const LearnerFolder& folder) {
  std::string words;
  for (const ExerciseText& exercise : exercise_texts()) {
    const std::string missing = missing_for(exercise);
    if (folder.is_solved(exercise) && !missing.empty()) words += fmt::format("; {}: {}", exercise.name, missing);
  }
  return words;
}

// Whoever compares the story with one without their code should know it.
std::string of_another_model(std::vector<const ExerciseText*> solved) {
  std::erase_if(solved, [](const ExerciseText* e) { return !e->checks->rounds && !e->checks->changes_pebble; });
  if (solved.empty()) return "";
  return fmt::format(
      "another model than without: {} (fewer bits, or a window), so its story may go another way; the check has "
      "compared yours with Rung's that does the same\n",
      parts(solved));
}

}  // namespace

int tell_with(const std::string& named, TellRequest request) {
  const LearnerFolder folder = LearnerFolder::open(named);
  const SignalWatch watch;  // what is started here ends with us, and leaves no folder
  const WorkFolder work;
  Progress progress("compiling");
  const std::vector<const ExerciseText*> solved = with_a_place(folder, true);
  if (solved.empty()) {
    fail("{}: nothing that has a place in a model is solved there yet{}", folder.path().string(), left_out(folder));
  }
  for (const ExerciseText* const exercise : solved) {
    progress.update(request.libraries.size(), solved.size(), "functions");
    const Compiled compiled = compile_exercise(folder, *exercise, work, {.reuse = true});
    if (!compiled.ok) fail("{}: does not compile any more: rung learn check {}", exercise->file(), exercise->name);
    request.libraries.push_back({exercise->name, compiled.library.string()});
  }
  progress.hide();
  write_error(fmt::format("yours: {}; not solved, so Rung's: {}{}\n", parts(solved), parts(with_a_place(folder, false)),
                          left_out(folder)));
  write_error(of_another_model(solved));
  std::error_code ignored;
  if (fs::exists(request.model.model, ignored)) request.model.model = fs::absolute(request.model.model).string();
  write_small_file(work / "request.json", to_json(json_of(request)));
  const ChildResult result = run_child({this_program().string(), kChildVerb, "tell", (work / "request.json").string()},
                                       work.path(), [] {}, {.catches_output = false});
  const HowItEnded ended = how_it_ended(result, folder, solved, request.libraries);
  if (!ended.stopped_by.empty()) {
    fail("{}{}", ended.stopped_by, ended.place.empty() ? "" : fmt::format(", at {}", ended.place));
  }
  const bool is_silent = result.status == 0 || ended.rest.empty();
  if (is_silent && !fs::exists(work / kToldFile, ignored)) {
    fail("the process with your code ended before the answer did: status {}", result.status);
  }
  write_error(ended.rest);
  return result.status;
}

}  // namespace rung
